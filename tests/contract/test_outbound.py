"""Category: simulator and integration. Calls that we placed, from the answer on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.contract.callee import (
    CALLER,
    NUMBER,
    VOICEMAIL,
    VOICEMAIL_WORDS,
    KnownCampaigns,
    SlowCampaigns,
    assignment,
    new_attempt,
    ring_up,
    scene,
)
from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.talk import DATA, Bot
from voicebot.call.record import BotTurnRecord, CallRecord
from voicebot.campaign.attempt import AnsweredBy
from voicebot.errors import CallEnded

ANOTHER_DAY = DATA / "caller" / "another-day.wav"
YES = DATA / "caller" / "yes.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500
MESSAGE = {"machine": "message", "message": "outbound-message.yaml"}


def said(record: CallRecord) -> list[str]:
    return [turn.heard for turn in record.turns if isinstance(turn, BotTurnRecord)]


async def test_whoever_answers_hears_the_dialog_with_their_values(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear("yes")
        callee = await ring_up(pbx, attempt)
        await callee.bot_speaks(SOON_S, since=0.0)
        await callee.bot_quiet(QUIET_MS, TURN_S)
        await callee.say(YES)
        await asyncio.wait_for(callee.ended, TURN_S)
        record = await bot.record()
        result = await campaigns.result()
    assert record.direction == "outbound"
    assert (record.caller.number, record.called.number) == (CALLER, NUMBER)
    assert "Hello Sara" in record.turns[0].text
    assert record.outbound is not None
    assert record.outbound.attempt == attempt
    assert (result.attempt, result.outcome, result.goal) == (attempt, "confirmed", True)
    assert result.answered_by is not AnsweredBy.MACHINE
    assert result.first_audio_ms is not None
    assert result.first_audio_ms < 1000
    assert result.slots == {"attending": True}
    assert result.record == record.id
    await nothing_left(pbx)


@pytest.mark.parametrize("greeting", ["hello who is there", "yes"])
async def test_who_speaks_into_our_first_words_hears_them_from_the_start(
    pbx: Pbx, tmp_path: Path, greeting: str
) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear(greeting, "yes")
        callee = await ring_up(pbx, attempt)
        greeted = await callee.say(scene(0.5, "rms-hello-f135"))
        await callee.bot_speaks(TURN_S, since=greeted.voiced_to_at)
        await callee.bot_quiet(QUIET_MS, TURN_S)
        await callee.say(YES)
        await asyncio.wait_for(callee.ended, TURN_S)
        record = await bot.record()
    first = record.turns[0]
    assert isinstance(first, BotTurnRecord)
    assert (first.interrupted_by, first.held) == (None, 1)
    assert record.goal
    # 16 words take the tone 1.9 s: they were heard once more, all of them.
    assert max(each.end - each.start for each in callee.bot_speech.segments) > 1.8


@pytest.mark.parametrize("way", ["key", "voice"])
async def test_an_opt_out_is_kept_before_we_hang_up(pbx: Pbx, tmp_path: Path, way: str) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        callee = await ring_up(pbx, attempt)
        ended_before: list[bool] = []
        campaigns.before_opt_out = lambda: ended_before.append(callee.ended.done())
        await callee.bot_speaks(SOON_S, since=0.0)
        if way == "key":
            await callee.press("9")
        else:
            bot.will_hear("stop calling me")
            await callee.say(ANOTHER_DAY)
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
        record = await bot.record()
    assert campaigns.opt_outs == [(attempt, NUMBER, f"by {way} in call {record.id}")]
    assert ended_before == [False]
    assert (result.outcome, result.opted_out) == ("opted_out", True)
    assert result.answered_by is AnsweredBy.PERSON
    await nothing_left(pbx)


async def test_a_hangup_waits_for_the_disk_that_keeps_the_opt_out(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    kept = asyncio.Event()
    campaigns = SlowCampaigns(kept, assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        callee = await ring_up(pbx, attempt)
        await callee.bot_speaks(SOON_S, since=0.0)
        await callee.press("9")
        await callee.bot_quiet(QUIET_MS, TURN_S)
        assert not callee.ended.done()
        kept.set()
        await asyncio.wait_for(callee.ended, SOON_S)
        assert (await bot.record()).faults == []


async def test_who_wants_to_be_called_again_tells_when(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        callee = await ring_up(pbx, attempt)
        await callee.bot_speaks(SOON_S, since=0.0)
        await callee.press("5")
        await callee.bot_quiet(QUIET_MS, TURN_S)
        bot.will_hear("half past ten in the morning")
        await callee.say(ANOTHER_DAY)
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
    assert result.outcome == "call_back"
    assert result.call_back is not None
    there = result.call_back.astimezone(ZoneInfo("America/New_York"))
    assert (there.hour, there.minute) == (10, 30)
    assert 0 < (result.call_back - result.answered_at).total_seconds() <= 86_400


@pytest.mark.parametrize("attempt", ["0123456789abcdef" * 2, "600", ""])
async def test_a_call_that_is_about_nothing_is_hung_up(pbx: Pbx, tmp_path: Path, attempt: str) -> None:
    campaigns = KnownCampaigns()
    async with Bot(pbx, tmp_path, campaigns) as bot:
        callee = await ring_up(pbx, attempt)
        await asyncio.wait_for(callee.ended, SOON_S)
        assert callee.bot_speech.segments == []
        assert bot.gateway.calls == ()
        assert bot.gateway.room == bot.gateway.capacity
    assert campaigns.results == []
    await nothing_left(pbx)


async def test_an_attempt_is_taken_once(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns):
        first = await ring_up(pbx, attempt)
        await first.bot_speaks(SOON_S, since=0.0)
        second = await ring_up(pbx, attempt)
        await asyncio.wait_for(second.ended, SOON_S)
        assert not first.ended.done()
        await first.hang_up()
        assert (await campaigns.result()).outcome == "hangup"
    assert len(campaigns.results) == 1
    await nothing_left(pbx)


async def test_a_full_gateway_tells_that_somebody_was_not_served(pbx: Pbx, tmp_path: Path) -> None:
    attempts = new_attempt(), new_attempt()
    campaigns = KnownCampaigns(*map(assignment, attempts))
    async with Bot(pbx, tmp_path, campaigns, limits={"calls": 1}) as bot:
        first = await ring_up(pbx, attempts[0])
        await first.bot_speaks(SOON_S, since=0.0)
        assert bot.gateway.room == 0
        second = await ring_up(pbx, attempts[1])
        result = await campaigns.result()
        assert (result.attempt, result.outcome, result.first_audio_ms) == (attempts[1], "unserved", None)
        await asyncio.wait_for(second.ended, TURN_S * 2)
        await first.hang_up()
    await nothing_left(pbx)


async def test_a_machine_is_hung_up_on(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear(*VOICEMAIL_WORDS)
        callee = await ring_up(pbx, attempt)
        with suppress(CallEnded):
            await callee.say(scene(*VOICEMAIL, (1000, 0.4)))
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
        record = await bot.record()
    assert (result.answered_by, result.outcome) == (AnsweredBy.MACHINE, "machine")
    assert record.ended_by == "machine"
    assert record.outbound is not None
    assert record.outbound.judgements[-1].by == "machine"
    assert not record.outbound.abandoned
    await nothing_left(pbx)


async def test_a_machine_gets_its_message_after_the_beep(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt, answering=MESSAGE))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear(*VOICEMAIL_WORDS)
        callee = await ring_up(pbx, attempt)
        greeting = await callee.say(scene(*VOICEMAIL, (1000, 0.4)))
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
        record = await bot.record()
    assert (result.answered_by, result.outcome, result.message_left) == (AnsweredBy.MACHINE, "message", True)
    assert "call us back about your appointment" in said(record)[-1]
    assert greeting.voiced_to_at is not None
    # All of the message, as long as its words take, and all of it after the beep.
    last = callee.bot_speech.segments[-1]
    assert last.start > greeting.voiced_to_at
    assert last.start - greeting.voiced_to_at < 1.0
    assert last.end - last.start > 1.5
    await nothing_left(pbx)


async def test_a_person_who_comes_to_it_gets_the_dialog_again(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt, answering=MESSAGE))
    async with Bot(pbx, tmp_path, campaigns) as bot:
        bot.will_hear(VOICEMAIL_WORDS[0])
        callee = await ring_up(pbx, attempt)
        await callee.say(scene(*VOICEMAIL[:2]))
        await callee.bot_quiet(QUIET_MS, TURN_S)
        bot.will_hear("hello? who is this?", "yes")
        asked = await callee.say(scene("rms-hello-who-is-calling-7b0d"))
        await callee.bot_speaks(TURN_S, since=asked.voiced_to_at)
        await callee.bot_quiet(QUIET_MS, TURN_S)
        await callee.say(YES)
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
        record = await bot.record()
    assert record.outbound is not None
    assert "machine" in [each.by for each in record.outbound.judgements]
    assert (result.answered_by, result.outcome, result.message_left) == (
        AnsweredBy.PERSON,
        "confirmed",
        False,
    )
    await nothing_left(pbx)


async def test_asterisks_word_counts_where_it_is_asked(pbx: Pbx, tmp_path: Path) -> None:
    attempt = new_attempt()
    campaigns = KnownCampaigns(assignment(attempt, answering={"detector": "asterisk"}))
    async with Bot(pbx, tmp_path, campaigns):
        callee = await ring_up(pbx, attempt, "MACHINE", "MAXWORDS-4-3")
        await asyncio.wait_for(callee.ended, TURN_S)
        result = await campaigns.result()
    assert (result.answered_by, result.detail) == (AnsweredBy.MACHINE, "MAXWORDS-4-3")
