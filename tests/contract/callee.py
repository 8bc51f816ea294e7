"""The chair of somebody whom we rang up, on both kinds of PBX, and campaigns that know about the call.

For the gateway it is all the same who dialled: a channel that is up comes with the arguments of a campaign.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from tests.contract.pbx import Caller, Pbx
from tests.contract.real import RealPbx
from tests.contract.talk import DATA, RECORD_TIMEOUT_S
from tests.simulator.pbx import SimulatedPbx
from voicebot.audio.g711 import encode
from voicebot.call.outbound import Assignment
from voicebot.campaign.attempt import CallResult
from voicebot.campaign.campaign import Answering
from voicebot.config import Route
from voicebot.softphone.recording import read_ulaw

GREETINGS = DATA / "greetings"
VOICEMAIL = (0.5, "joe-hi-this-is-joe-3c7c", 0.4, "joe-please-leave-a-message-0dfc", 0.6)
"""A greeting up to its beep."""
VOICEMAIL_WORDS = (
    "hi this is joe i can't come to the phone right now",
    "please leave a message after the beep",
)
DIALOG = DATA / "dialogs" / "outbound.yaml"
MESSAGE = DATA / "dialogs" / "outbound-message.yaml"
NUMBER = "+12025550142"
CALLER = "+12025550100"


def new_attempt() -> str:
    return secrets.token_hex(16)


def assignment(attempt: str, **changes: Any) -> Assignment:
    """Return a call to Sara."""
    message = changes.pop("message", MESSAGE)
    dialog = changes.pop("dialog", DIALOG)
    answering = Answering.model_validate(changes.pop("answering", {}))
    made = Assignment(
        attempt=attempt,
        campaign="reminders",
        number=NUMBER,
        caller_number=CALLER,
        route=Route(number=CALLER, dialog=str(dialog), **changes.pop("route", {})),
        answering=answering,
        zone="America/New_York",
        given={"first_name": "Sara"},
        message=Route(number=CALLER, dialog=str(message)) if answering.machine == "message" else None,
    )
    return replace(made, **changes)


class KnownCampaigns:
    """Campaigns in memory. `before_opt_out` is awaited before an opt-out is kept."""

    def __init__(self, *known: Assignment) -> None:
        self.known = {each.attempt: each for each in known}
        self.opt_outs: list[tuple[str, str, str]] = []
        self.results: list[CallResult] = []
        self.before_opt_out: Callable[[], Any] = lambda: None
        self._told = asyncio.Event()

    async def assignment(self, attempt: str) -> Assignment | None:
        return self.known.get(attempt)

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        self.before_opt_out()
        self.opt_outs.append((attempt, number, how))

    async def finished(self, result: CallResult) -> None:
        self.results.append(result)
        self._told.set()

    async def quiet(self) -> None:
        return

    async def result(self, count: int = 1, timeout: float = RECORD_TIMEOUT_S) -> CallResult:
        """Wait for the latest of so many results."""
        async with asyncio.timeout(timeout):
            while len(self.results) < count:
                self._told.clear()
                await self._told.wait()
        return self.results[-1]


class SlowCampaigns(KnownCampaigns):
    """Campaigns whose disk keeps a revocation only when the test lets it."""

    def __init__(self, gate: asyncio.Event, *known: Assignment) -> None:
        super().__init__(*known)
        self._gate = gate

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        await self._gate.wait()
        await super().opted_out(attempt, number, how)


async def ring_up(
    pbx: Pbx, attempt: str, amd_status: str = "", amd_cause: str = "", before: str = ""
) -> Caller:
    """Let somebody answer a call of this attempt, and return their chair."""
    args = ("campaign", attempt, amd_status, amd_cause, before)
    if isinstance(pbx, SimulatedPbx):
        return _simulated(pbx, args)
    assert isinstance(pbx, RealPbx)
    return await _real(pbx, args)


def _simulated(pbx: SimulatedPbx, args: tuple[str, ...]) -> Caller:
    enter = pbx.world.enter
    world = pbx.world

    def entering(channel: Any, name: str, *_: str, **more: bool) -> bool:
        world.answer(channel)
        return enter(channel, name, *args, **more)

    world.enter = entering  # type: ignore[method-assign]
    try:
        return pbx.place("700")
    finally:
        world.enter = enter  # type: ignore[method-assign]


async def _real(pbx: RealPbx, args: tuple[str, ...]) -> Caller:
    """The softphone dials a number whose dialplan does what [voicebot-answered] does."""
    number = "7" + str(secrets.randbelow(10**9))
    app = pbx.settings["app"]
    for line in (
        f"{number},1,Answer()",
        f"{number},2,Stasis({app},{','.join(args)})",
        f"{number},3,Hangup()",
    ):
        await asyncio.to_thread(pbx.cli, f"dialplan add extension {line} into voicebot-in")
    return await pbx.dial(number)


def scene(*parts: float | str | tuple[int, float]) -> bytes:
    """Return mu-law of what somebody says: seconds of silence, greetings of tests/data, beeps (Hz, s)."""
    said = bytearray()
    for part in parts:
        if isinstance(part, str):
            said += read_ulaw(GREETINGS / f"{part}.wav")
        elif isinstance(part, tuple):
            hz, seconds = part
            time = np.arange(int(seconds * 8000)) / 8000
            said += encode((6000 * np.sin(2 * np.pi * hz * time)).astype(np.int16)).tobytes()
        else:
            said += b"\xff" * int(part * 8000)
    return bytes(said)
