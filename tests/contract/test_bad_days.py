"""Category: simulator and integration. Calls on bad days: hostile words, secrets, mistakes of ours."""

from __future__ import annotations

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Pbx
from tests.contract.talk import DATA, Bot
from voicebot.call.record import HIDDEN, BotTurnRecord

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
