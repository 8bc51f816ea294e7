"""Category: simulator and integration. Whole calls: what callers do, what goes wrong, what is left behind."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.talk import BROKEN, DATA, NOISE, Bot
from voicebot.audio.wav import read_wav
from voicebot.call.record import HIDDEN, BotTurnRecord, CallerTurnRecord, CallRecord

YES = DATA / "caller" / "yes.wav"
COUGH = DATA / "caller" / "cough.wav"
LONG = DATA / "caller" / "another-day.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500
KEPT_CONNECTIONS = 20
"""Idle HTTP connections of both ends, which the simulator serves with a task each."""


def bot_turns(record: CallRecord) -> list[BotTurnRecord]:
    return [turn for turn in record.turns if isinstance(turn, BotTurnRecord)]


def caller_turns(record: CallRecord) -> list[CallerTurnRecord]:
    return [turn for turn in record.turns if isinstance(turn, CallerTurnRecord)]


@pytest.mark.parametrize("vad", ["webrtcvad", "silero"])
async def test_a_question_an_answer_and_goodbye(pbx: Pbx, tmp_path: Path, vad: str) -> None:
    async with Bot(pbx, tmp_path, vad={"engine": vad}) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        ended = await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert ended.by == "them"
        assert (record.outcome, record.goal, record.ended_by, record.hangup_cause) == (
            "agreed",
            True,
            "bot",
            16,
        )
        assert [turn.who for turn in record.turns] == ["bot", "caller", "bot"]
        assert caller_turns(record)[0].meaning == "yes"
        assert bot_turns(record)[1].latency_ms is not None
        assert record.rtp["received"] > 0
        assert record.faults == []
        await nothing_left(pbx)


async def test_a_caller_who_hangs_up_in_mid_prompt_leaves_a_record_and_nothing_else(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.pause(0.5)
        await caller.hang_up()
        record = await bot.record()
        assert (record.outcome, record.ended_by) == ("hangup", "caller")
        (said,) = bot_turns(record)
        assert said.interrupted_by == "hangup"
        assert 0 < len(said.heard) < len(said.text)
        await nothing_left(pbx)


async def test_a_key_stops_the_prompt_and_is_the_answer(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.pause(0.7)
        await caller.press("1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.goal
        assert bot_turns(record)[0].interrupted_by == "dtmf"
        assert [(turn.kind, turn.text) for turn in caller_turns(record)] == [("dtmf", "1")]


async def test_a_number_typed_at_a_menu_costs_one_try(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("5550186")
        await caller.bot_speaks(SOON_S, since=time.monotonic())
        await caller.press("1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
    keys = [(turn.text, turn.understood) for turn in caller_turns(record)]
    assert keys == [("5550186", "nomatch"), ("1", "match")]
    assert record.outcome == "agreed"


async def test_words_over_the_prompt_stop_it(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        bot.will_hear("no")
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.pause(0.7)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        first = bot_turns(record)[0]
        assert record.outcome == "refused"
        assert first.interrupted_by == "speech"
        assert len(first.heard) < len(first.text)


@pytest.mark.parametrize("heard", [NOISE, "uh"])
async def test_a_cough_does_not_stop_the_prompt_for_good(pbx: Pbx, tmp_path: Path, heard: str) -> None:
    async with Bot(pbx, tmp_path) as bot:
        bot.will_hear(heard, "yes")
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.pause(0.7)
        await caller.say(COUGH)
        await caller.bot_quiet(1100, TURN_S)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        first = bot_turns(record)[0]
        assert (first.interrupted_by, first.heard, first.held) == (None, first.text, 1)
        assert record.goal


async def test_silence_is_asked_about_once_more_and_then_ends_the_call_politely(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await asyncio.wait_for(caller.ended, 20)
        record = await bot.record()
        assert record.ended_by == "bot"
        assert not record.goal
        assert {turn.kind for turn in caller_turns(record)} == {"silence"}
        assert len(bot_turns(record)) == len(caller_turns(record)) + 1


async def test_a_recogniser_that_breaks_costs_a_repetition_and_not_the_call(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        bot.will_hear(BROKEN, "yes")
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        said = await caller.say(LONG)
        spoken_at = await caller.bot_speaks(SOON_S, since=said.ended_at)
        assert spoken_at - (said.ended_at or 0) < SOON_S
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.goal
        assert [turn.kind for turn in caller_turns(record)] == ["unheard", "speech"]
        assert record.faults == ["recognition: the worker was killed"]


async def test_what_is_sensitive_is_neither_in_the_record_nor_in_the_recording(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path, route={"record": True}) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("4")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.press("9173")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.goal
        assert "9173" not in "".join(path.read_text() for path in tmp_path.rglob("*.json"))
        assert caller_turns(record)[1].text == HIDDEN
        assert record.recording == f"{record.id}.wav"


async def test_a_recording_has_the_caller_left_and_the_bot_right(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path, route={"record": True}) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(LONG)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        (path,) = tmp_path.rglob("*.wav")
        heard = bot_turns(record)[0]
        assert path.name == record.recording
        seconds = len(read_wav(path).samples) / 8000
        assert seconds == pytest.approx(record.duration_ms / 1000, abs=0.7)
        assert heard.text.startswith("Hello")


async def test_a_person_takes_over(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("3")
        record = await bot.record()
        assert (record.outcome, record.ended_by) == ("transferred", "handover")
        await caller.hang_up()
        await nothing_left(pbx)


async def test_a_number_without_a_route_goes_to_the_fallback_of_the_dialplan(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path):
        caller = pbx.place("999")
        ended = await asyncio.wait_for(caller.ended, 15)
        assert ended.by == "them"
        await nothing_left(pbx)


async def test_more_calls_than_the_limit_go_to_the_fallback_and_the_live_one_goes_on(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path, limits={"calls": 1}) as bot:
        bot.will_hear("yes")
        first = await pbx.dial("600")
        await first.bot_speaks(SOON_S, since=0.0)
        second = pbx.place("600")
        await asyncio.wait_for(second.ended, 15)
        assert not first.ended.done() or (await bot.record()).ended_by == "bot"
        await first.hang_up()
        assert len(await bot.records()) == 1


async def test_after_a_stop_live_calls_finish_and_new_ones_go_to_the_fallback(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path, limits={"drain_s": 20}) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        bot.gateway.stop()
        late = pbx.place("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        await bot.stopped()
        await asyncio.wait_for(late.ended, 15)
        record = await bot.record()
        assert record.goal
        assert len(await bot.records()) == 1


async def test_calls_that_outlast_the_stop_are_ended_in_good_order(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path, limits={"drain_s": 0}) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        bot.gateway.stop()
        await bot.stopped()
        record = await bot.record()
        assert record.ended_by == "shutdown"
        await asyncio.wait_for(caller.ended, SOON_S)
        await nothing_left(pbx)


async def _served(pbx: Pbx, bot: Bot) -> Caller:
    """Call until the gateway takes the call: before it has found Asterisk again the fallback answers."""
    while True:
        caller = pbx.place("600")
        answered = asyncio.ensure_future(caller.answered(SOON_S))
        await asyncio.wait({answered, caller.ended}, return_when=asyncio.FIRST_COMPLETED)
        answered.cancel()
        await asyncio.gather(answered, return_exceptions=True)
        if bot.gateway.calls:
            return caller
        await caller.hang_up()


async def test_a_crash_of_asterisk_ends_calls_and_the_next_asterisk_is_served(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await pbx.crash()
        record = await bot.record()
        assert (record.ended_by, record.outcome) == ("asterisk_lost", "asterisk_lost")
        await pbx.start()
        async with asyncio.timeout(15):
            again = await _served(pbx, bot)
        await again.bot_speaks(SOON_S, since=0.0)
        await again.hang_up()
        assert len(await bot.records(2)) == 2


async def test_lost_media_is_made_anew_in_mid_call(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        (media,) = [each for each in await pbx.left_over() if each.startswith("vbm")]
        await pbx.hang_up_channel(media)
        await caller.pause(0.3)
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.goal
        assert record.faults == ["media was lost and made anew"]


async def test_a_disk_that_takes_nothing_does_not_hurt_the_call(pbx: Pbx, tmp_path: Path) -> None:
    (tmp_path / "calls").write_text("a file where a folder should be")
    async with Bot(pbx, tmp_path, route={"record": True}) as bot:
        bot.will_hear("yes")
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(YES)
        ended = await asyncio.wait_for(caller.ended, TURN_S)
        assert ended.by == "them"
        assert isinstance(bot.turns[-1], BotTurnRecord)
        assert bot.turns[-1].text == "Thank you."
        await nothing_left(pbx)


async def test_a_call_ends_at_its_longest_duration(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path, limits={"call_s": 10}) as bot:
        bot.will_hear(*["what"] * 20)
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        for call in list(bot.gateway.calls):
            call.end("limit")
        await asyncio.wait_for(caller.ended, SOON_S)
        assert (await bot.record()).ended_by == "limit"


async def test_when_no_media_port_is_free_the_caller_is_told_by_the_fallback(
    pbx: Pbx, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        even = taken.getsockname()[1] & ~1
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
            if taken.getsockname()[1] != even:
                other.bind(("127.0.0.1", even))
            async with Bot(pbx, tmp_path, media={"first_port": even, "last_port": even + 1}) as bot:
                caller = pbx.place("600")
                ended = await asyncio.wait_for(caller.ended, 15)
                assert ended.by == "them"
                assert (await bot.record()).ended_by == "error"
                await nothing_left(pbx)


async def test_a_hundred_calls_leave_nothing_behind(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        await _short_call(pbx)
        await bot.records()
        tasks, files = len(asyncio.all_tasks()), _open_files()
        for _ in range(5):
            await asyncio.gather(*(_short_call(pbx) for _ in range(20)))
        assert len(await bot.records(101)) == 101
        await nothing_left(pbx)
        assert bot.gateway.calls == ()
        assert len(asyncio.all_tasks()) <= tasks + KEPT_CONNECTIONS
        assert _open_files() <= files + KEPT_CONNECTIONS


async def _short_call(pbx: Pbx) -> None:
    caller = await pbx.dial("600")
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.hang_up()


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
