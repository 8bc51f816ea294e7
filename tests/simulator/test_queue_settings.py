"""Category: simulator. What the settings of a queue promise: who waits how long, and goes where."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.contract.gateway import nothing_left
from tests.contract.phones import Phones, QueueBot, until_heard
from tests.contract.talk import ScriptedSpeech
from tests.simulator.pbx import SimulatedPbx
from tests.simulator.test_queue_faults import (
    ANSWERS,
    RINGS,
    SOON_S,
    accepting,
    consulting,
    hears,
    into_queue,
    leg_call,
    pbx,
)
from voicebot.audio.frames import Samples
from voicebot.speech.tts import Voice

__all__ = ["pbx"]
pytestmark = pytest.mark.simulator


def goes_on_at(pbx: SimulatedPbx) -> list[tuple[str, str]]:
    """Return where in the dialplan callers went on."""
    return [(context, extension) for _, context, extension, _ in pbx.handed_over]


def impatient(bot: QueueBot) -> None:
    """Let nobody wait for more than a second: no voicebot.toml may say so."""
    queues = bot.house._hall.config.queues
    changes = {"longest_wait_s": 1, "otherwise": "mailbox"}
    queues["support"] = queues["support"].model_copy(update=changes)


async def test_whom_nobody_takes_in_time_goes_on_elsewhere(pbx: SimulatedPbx, tmp_path: Path) -> None:
    async with Phones(pbx) as phones, QueueBot(pbx, tmp_path, phones) as bot:
        impatient(bot)
        caller = await into_queue(pbx)
        record = await bot.record()
        assert goes_on_at(pbx) == [("voicebot-handover", "mailbox")]
        assert (record.people[0].outcome, record.ended_by) == ("nobody", "handover")
        assert 900 <= record.people[0].waited_ms < 10_000
        assert bot.house.queues()[0].waiting == ()
        await caller.hang_up()


async def test_an_agent_who_is_asked_as_the_time_is_over_is_waited_for(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with Phones(pbx, anna=RINGS) as phones, QueueBot(pbx, tmp_path, phones, "anna") as bot:
        impatient(bot)
        caller = await into_queue(pbx)
        await phones.rung("anna")
        await hears(caller, 1.3)
        assert pbx.handed_over == []
        assert bot.house.agents()[0].state == "ringing"
        await bot.house.sign_out("anna")  # they go after this
        record = await bot.record()  # at the end of ring_s nobody is asked any more
        assert [each.outcome for each in record.people[0].offers] == ["no_answer"]
        assert goes_on_at(pbx) == [("voicebot-handover", "mailbox")]
        await caller.hang_up()


async def test_who_finds_a_queue_full_goes_on_elsewhere_at_once(pbx: SimulatedPbx, tmp_path: Path) -> None:
    queue = {"capacity": 1, "otherwise": "mailbox"}
    async with Phones(pbx) as phones, QueueBot(pbx, tmp_path, phones, queue=queue) as bot:
        first = await into_queue(pbx)
        await bot.waiting(1)
        second = await into_queue(pbx)
        record = await bot.record()
        assert goes_on_at(pbx) == [("voicebot-handover", "mailbox")]
        assert record.people[0].outcome == "full"
        assert len(bot.house.queues()[0].waiting) == 1
        await first.hang_up()
        await second.hang_up()
        await bot.records(2)


async def test_after_a_talk_the_caller_goes_on_and_the_agent_rests(pbx: SimulatedPbx, tmp_path: Path) -> None:
    queue = {"afterwards": "survey", "wrap_up_s": 1}
    async with (
        Phones(pbx, anna=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", queue=queue) as bot,
    ):
        caller = await into_queue(pbx)
        anna = await accepting(phones, "anna")
        await until_heard(anna, caller)
        await anna.pause(1.0)  # who goes at once has not had the call
        other = await into_queue(pbx)
        await bot.waiting(1)
        rests = time.monotonic()
        await anna.hang_up()
        await bot.agent_is("anna", "wrap_up")
        await phones.rung("anna", 2)
        assert time.monotonic() - rests >= 1.0
        assert goes_on_at(pbx) == [("voicebot-handover", "survey")]
        await caller.hang_up()
        await other.hang_up()
        await bot.records(2)
        await nothing_left(pbx)


async def test_who_asks_somebody_else_goes_from_one_to_the_other_and_back(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS, bert=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, "anna", agents={"bert": {"queues": []}}) as bot,
    ):
        caller = await into_queue(pbx)
        anna, bert = await consulting(bot, phones)
        side = bot.gateway.calls[0]._attendant.side  # type: ignore[union-attr]
        await anna.press("*5")
        async with asyncio.timeout(SOON_S):
            while not side.with_person:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await caller.bot_quiet(300, SOON_S)
        await until_heard(anna, caller)
        await hears(bert)  # the same music
        await anna.press("*5")
        await hears(caller, 1.0)
        await bert.bot_quiet(300, SOON_S)
        await until_heard(anna, bert)
        await bot.house.complete(leg_call(bot))
        await asyncio.wait_for(anna.ended, SOON_S)
        await caller.bot_quiet(300, SOON_S)
        await until_heard(bert, caller)
        await caller.hang_up()
        await bot.record()
        await nothing_left(pbx)


async def test_who_waits_is_told_their_place(
    pbx: SimulatedPbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    cached = ScriptedSpeech.cached

    def noting(self: ScriptedSpeech, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        said.append(text)
        return cached(self, text, voice, sample_rate)

    monkeypatch.setattr(ScriptedSpeech, "cached", noting)
    async with Phones(pbx) as phones, QueueBot(pbx, tmp_path, phones, queue={"announce_s": 5}) as bot:
        first = await into_queue(pbx)
        await bot.waiting(1)
        second = await into_queue(pbx)
        await bot.waiting(2)
        await hears(second, 2.0)
        told = [text for text in said if text.startswith("Please hold")]
        assert [("You are next" in text, "number 2" in text) for text in told] == [
            (True, False),
            (False, True),
        ]
        await first.hang_up()
        await second.hang_up()
        await bot.records(2)


async def test_a_supervisor_gives_a_caller_to_an_agent_of_another_queue(
    pbx: SimulatedPbx, tmp_path: Path
) -> None:
    async with (
        Phones(pbx, anna=ANSWERS) as phones,
        QueueBot(pbx, tmp_path, phones, agents={"anna": {"queues": []}}) as bot,
    ):
        caller = await into_queue(pbx)
        await bot.waiting(1)
        await asyncio.sleep(0.1)
        assert phones.dialled == []
        await bot.house.give(leg_call(bot), "anna")
        anna = await accepting(phones, "anna")
        await until_heard(anna, caller)
        await caller.hang_up()
        record = await bot.record()
        assert record.people[0].agent == "anna"
        await nothing_left(pbx)
