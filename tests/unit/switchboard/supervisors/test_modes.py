"""Category: unit. Who is on a call: when the bot is held, and when it goes on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from voicebot.audio.playout import Playout
from voicebot.call.control import Command, Hold, Release
from voicebot.switchboard.supervisors.modes import Presence

pytestmark = pytest.mark.unit


class Call:
    """A call whose bot does as it is told."""

    id = "7"
    company = None
    taken_over = False
    mind = object()

    def __init__(self) -> None:
        self.asked: list[Command] = []
        self.noted: list[str] = []
        self.on_company: list[Any] = []
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.stage = SimpleNamespace(port=SimpleNamespace(playout=Playout(160)))
        self.live = SimpleNamespace(is_held=False, in_conference=False, supervisors=lambda names: None)

    async def ask(self, command: Command) -> None:
        self.asked.append(command)
        self.live.is_held = isinstance(command, Hold)

    def note(self, by: str, what: str, detail: str = "") -> None:
        self.noted.append(what)


async def test_a_bot_that_is_held_by_hand_stays_so_when_the_supervisor_who_spoke_has_left() -> None:
    call: Any = Call()
    presence = Presence(call)
    await presence.hold("anna", True)
    await presence.enter("visit", "anna", "barge")
    await presence.leave("visit")
    assert isinstance(call.asked[-1], Hold) and call.asked[-1].longest_s is not None


async def test_a_bot_that_has_gone_on_by_itself_goes_on_when_the_supervisor_who_spoke_has_left() -> None:
    call: Any = Call()
    presence = Presence(call)
    await presence.hold("anna", True)
    call.live.is_held = False  # its time was over
    await presence.enter("visit", "anna", "barge")
    await presence.leave("visit")
    assert isinstance(call.asked[-1], Release)


async def test_who_comes_again_in_the_same_way_is_written_down_once() -> None:
    call: Any = Call()
    presence = Presence(call)
    await presence.enter("visit", "anna", "barge")
    await presence.enter("visit", "anna", "barge")  # the call has another bridge
    assert call.noted == ["barge"]


async def test_a_browser_that_goes_while_the_bot_is_being_held_leaves_no_bot_in_silence() -> None:
    call: Any = Call()
    goes_on = asyncio.Event()
    ask = call.ask

    async def slowly(command: Command) -> None:
        await goes_on.wait()
        await ask(command)

    call.ask = slowly
    presence = Presence(call)
    entering = asyncio.create_task(presence.enter("microphone", "anna", "barge"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    entering.cancel()
    goes_on.set()
    with pytest.raises(asyncio.CancelledError):
        await entering
    await presence.leave("microphone")
    assert isinstance(call.asked[-1], Release)
