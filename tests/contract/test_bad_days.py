"""Category: simulator and integration. Calls on bad days: hostile words, secrets, mistakes of ours."""

from __future__ import annotations

import asyncio
import wave
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.talk import DATA, Bot
from voicebot.ari.events import StasisEnd, StasisStart
from voicebot.call.record import HIDDEN, BotTurnRecord
from voicebot.errors import CallEnded
from voicebot.pbx.ari_client import AriClient
from voicebot.pbx.link import Link

LONG = DATA / "caller" / "another-day.wav"
CARD = DATA / "dialogs" / "card.yaml"
HANDOVER = DATA / "dialogs" / "handover.yaml"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500


async def test_a_sensitive_number_that_is_said_back_is_not_in_the_recording(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path, route={"record": True, "dialog": str(CARD)}) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("9173")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.turns[-1].text == HIDDEN
        (path,) = tmp_path.rglob("*.wav")
        with wave.open(str(path)) as recording:
            samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2").reshape(-1, 2)
        assert len(samples) > 8000
        assert not samples.any()


@pytest.mark.parametrize("said", ["가" * 5000, "one\ntwo\x00three\x1b[31m, four"])
async def test_whatever_a_caller_said_a_person_takes_over(pbx: Pbx, tmp_path: Path, said: str) -> None:
    async with Bot(pbx, tmp_path, route={"dialog": str(HANDOVER)}) as bot:
        bot.will_hear(said)
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(LONG)
        record = await bot.record()
        assert (record.ended_by, record.faults) == ("handover", [])
        await caller.hang_up()
        await nothing_left(pbx)


async def test_a_mistake_of_ours_is_told_in_the_record(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bot(pbx, tmp_path) as bot:

        def mistaken(*_: object) -> None:
            raise KeyError("a mistake of ours")

        monkeypatch.setattr(bot.speech, "open_stream", mistaken)
        caller = await pbx.dial("600")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        with suppress(CallEnded):  # the fallback may be done first
            await caller.say(LONG)
        record = await bot.record()
        assert record.ended_by == "error"
        assert len(record.faults) == 1
        assert "a mistake of ours" in record.faults[0]
        await caller.hang_up()
        await nothing_left(pbx)


async def test_an_observer_that_fails_costs_no_call(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:

        def broken(*_: object) -> None:
            raise BrokenPipeError

        bot.gateway._observer = broken
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.press("1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await bot.record()
        assert record.goal
        assert isinstance(record.turns[-1], BotTurnRecord)


async def test_a_caller_who_comes_while_we_connect_is_served(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_up = AriClient._take_up

    async def with_a_caller(self: AriClient, live: frozenset[str]) -> None:
        callers.append(pbx.place("600"))
        async with asyncio.timeout(SOON_S):
            while not self._seen:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.005)
        await take_up(self, live)

    callers: list[Caller] = []
    monkeypatch.setattr(AriClient, "_take_up", with_a_caller)
    async with Bot(pbx, tmp_path):
        (caller,) = callers
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.hang_up()
        await nothing_left(pbx)


async def test_a_mistake_of_ours_in_taking_a_call_sends_the_caller_to_the_fallback(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bot(pbx, tmp_path) as bot:

        def mistaken(*_: object) -> None:
            raise KeyError("a mistake of ours")

        monkeypatch.setattr(bot.gateway, "_call", mistaken)
        caller = pbx.place("600")
        ended = await asyncio.wait_for(caller.ended, 15)
        assert ended.by == "them"
        assert bot.gateway.calls == ()
        await nothing_left(pbx)


async def test_a_caller_who_comes_back_while_we_still_tidy_up_is_a_new_call(pbx: Pbx, tmp_path: Path) -> None:
    async with Bot(pbx, tmp_path) as bot:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        ari = bot.gateway._ari
        channel = bot.gateway.calls[0]._channel
        # What a dialplan does that sends a transferred caller to the bot again.
        ari._dispatch(StasisEnd(type="StasisEnd", channel=channel))
        ari._dispatch(StasisStart(type="StasisStart", channel=channel, args=("600",)))
        records = await bot.records(1)
        assert [record.ended_by for record in records] == ["taken"]
        await caller.press("1")
        await asyncio.wait_for(caller.ended, TURN_S)
        assert any(record.goal for record in await bot.records(2))
        await nothing_left(pbx)


async def test_a_surprise_in_what_asterisk_says_after_a_reconnect_is_outlived(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Bot(pbx, tmp_path) as bot:
        take_up = AriClient._take_up
        surprised = asyncio.Event()

        async def surprising(self: AriClient, live: frozenset[str]) -> None:
            if not surprised.is_set():
                surprised.set()
                raise KeyError("startup_time")
            await take_up(self, live)

        monkeypatch.setattr(AriClient, "_take_up", surprising)
        await pbx.crash()
        await pbx.start()
        await asyncio.wait_for(surprised.wait(), 15)
        async with asyncio.timeout(15):
            while bot.gateway._ari.link is not Link.CONNECTED:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.hang_up()
