"""Category: integration. The gateway as operators run it: a process of its own, real engines, SIP.

One gateway serves all calls of this module.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from _rig import PROJECT, Rig

from voicebot.softphone import SoftphoneCall
from voicebot.softphone.script import HangUp, Press, Say, Step, WaitForBot, WaitForEnd, play

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

CALLER = PROJECT / "tests" / "data" / "caller"
RECORD_TIMEOUT_S = 10.0
FALLBACK_S = 3.0
NAME_PAUSE_S = 1.0
"""The pause that ends a name."""


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def rig() -> AsyncIterator[Rig]:
    async with Rig() as rig:
        yield rig


def say(name: str) -> Say:
    return Say(CALLER / f"{name}.wav")


async def record_of(rig: Rig, known: int) -> dict[str, Any]:
    """Wait for the record of the call after the first `known` ones."""
    async with asyncio.timeout(RECORD_TIMEOUT_S):
        while len(records := rig.records()) <= known:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.05)
    return records[-1]


async def converse(rig: Rig, number: str, steps: list[Step]) -> dict[str, Any]:
    known = len(rig.records())
    async with rig.phone() as phone:
        await play(await phone.dial(number), steps)
    return await record_of(rig, known)


def meanings(record: dict[str, Any]) -> list[str]:
    return [turn["meaning"] for turn in record["turns"] if turn["who"] == "caller"]


def said(record: dict[str, Any]) -> str:
    return " ".join(turn["text"] for turn in record["turns"] if turn["who"] == "bot")


async def test_a_caller_moves_an_appointment_by_voice_and_key(rig: Rig) -> None:
    record = await converse(
        rig,
        "600",
        [
            WaitForBot(),
            say("sara-miller"),
            WaitForBot(),
            Press("4271"),
            WaitForBot(),
            say("cancel-my-appointment"),
            WaitForEnd(),
        ],
    )
    assert (record["outcome"], record["goal"]) == ("cancelled", True)
    assert meanings(record)[1:] == ["4271", "cancel"]
    assert record["hangup_cause"] == 16


async def test_a_korean_caller_is_understood_by_vosk(rig: Rig) -> None:
    record = await converse(
        rig, "601", [WaitForBot(), say("ko-reservation"), WaitForBot(), say("ko-no"), WaitForEnd()]
    )
    assert (record["outcome"], meanings(record)) == ("done", ["booking", "no"])
    assert {turn["engine"] for turn in record["turns"] if turn["who"] == "caller"} == {"vosk"}


async def test_the_echo_repeats_words_and_keys(rig: Rig) -> None:
    record = await converse(
        rig,
        "602",
        [
            WaitForBot(),
            say("thursday-at-three"),
            WaitForBot(),
            Press("5"),
            WaitForBot(),
            Press("#"),
            WaitForEnd(),
        ],
    )
    assert record["goal"]
    assert "thursday at three" in said(record).lower()
    assert "You said 5" in said(record)


async def test_an_agent_can_be_had_by_voice_anywhere(rig: Rig) -> None:
    record = await converse(rig, "600", [WaitForBot(), say("an-agent-please"), WaitForBot(), HangUp()])
    assert (record["outcome"], record["ended_by"]) == ("transferred", "handover")


def workers_of(gateway: int, name: str) -> list[int]:
    """Return the gateway's worker processes of this name, as in its arguments."""
    children = Path(f"/proc/{gateway}/task/{gateway}/children").read_text().split()
    return [int(pid) for pid in children if name.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_a_recogniser_lost_in_mid_utterance_costs_at_most_a_repetition(
    rig: Rig, how: signal.Signals
) -> None:
    known = len(rig.records())
    async with rig.phone() as phone:
        call = await phone.dial("600")
        await _listen(call)
        speaking = asyncio.create_task(call.say(CALLER / "sara-miller.wav"))
        await call.pause(0.6)  # the utterance has 1.3 s
        (worker,) = workers_of(rig.gateway_pid, "stt-english")
        os.kill(worker, how)
        spoken = await speaking
        assert spoken.ended_at is not None
        answered = await call.bot_speaks(10, since=spoken.ended_at)
        assert answered - spoken.ended_at < FALLBACK_S + NAME_PAUSE_S
        await call.bot_quiet(900, 15)
        await play(call, [say("sara-miller"), WaitForBot(), HangUp()])
    record = await record_of(rig, known)
    assert any(turn["who"] == "caller" and turn["understood"] == "match" for turn in record["turns"])


async def _listen(call: SoftphoneCall) -> None:
    """Let the bot say what it has to say."""
    await call.bot_speaks(5, since=call.answered_at)
    await call.bot_quiet(900, 15)
