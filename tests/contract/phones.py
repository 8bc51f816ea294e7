"""The telephones of agents, on both kinds of PBX, and a gateway with queues of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.contract.pbx import Caller, Pbx
from tests.contract.talk import DATA, Bot
from tests.simulator.pbx import SimulatedPbx
from voicebot.app.gateway import Gateway
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Callees, Manner
from voicebot.switchboard.people import PeopleOfOurs, build_people
from voicebot.switchboard.queues.house import QueueHouse

QUEUE_DIALOG = DATA / "dialogs" / "queue.yaml"
WORDS = DATA / "caller" / "another-day.wav"
SOON_S = 5.0
QUIET_MS = 400
"""Longer than what parts two stretches of speech."""


class Phones:
    """Agents' telephones by name. `async with Phones(pbx, anna=Manner()) as phones:`"""

    def __init__(self, pbx: Pbx, **manners: Manner) -> None:
        self._pbx = pbx
        self._manners = manners
        self._callees = Callees(manners)
        self._seen = 0

    async def __aenter__(self) -> Self:
        if isinstance(self._pbx, SimulatedPbx):
            self._pbx.telephones.manners = dict(self._manners)
        else:
            await self._callees.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(self._pbx, SimulatedPbx):
            await self._callees.__aexit__(kind, error, trace)

    def channel(self, name: str) -> str:
        """Return what the gateway dials."""
        if isinstance(self._pbx, SimulatedPbx):
            return f"PJSIP/{name}"
        return f"PJSIP/caller/sip:{name}@127.0.0.1:{self._callees.port}"

    @property
    def manners(self) -> dict[str, Manner]:
        return self._side.manners

    @property
    def dialled(self) -> list[str]:
        """Who was rung, in order."""
        return self._side.dialled

    @property
    def calls(self) -> Sequence[SoftphoneCall]:
        """Those who answered, in order."""
        return self._side.calls

    @property
    def _side(self) -> Any:
        return self._pbx.telephones if isinstance(self._pbx, SimulatedPbx) else self._callees

    async def taken(self, name: str, timeout: float = SOON_S) -> SoftphoneCall:
        """Wait until `name` answers a call that nobody asked for yet, and return it."""
        async with asyncio.timeout(timeout):
            while True:
                for call in self.calls[self._seen :]:
                    if call.number == name:
                        self._seen = list(self.calls).index(call) + 1
                        return call
                await asyncio.sleep(0.01)

    async def rung(self, name: str, times: int = 1, timeout: float = SOON_S) -> None:
        """Wait until `name` was rung so often."""
        async with asyncio.timeout(timeout):
            while self.dialled.count(name) < times:  # noqa: ASYNC110 - telephones tell nobody
                await asyncio.sleep(0.01)


class QueueBot(Bot):
    """A gateway whose dialog puts every caller into the queue `support`. `house`: all its queues."""

    people: PeopleOfOurs

    def __init__(
        self, pbx: Pbx, folder: Path, phones: Phones, *agents: str, may_dial: Any = None, **changes: Any
    ) -> None:
        settings = {name: {"channel": phones.channel(name), "queues": ["support"]} for name in agents}
        for name, more in changes.pop("agents", {}).items():
            settings.setdefault(name, {"channel": phones.channel(name), "queues": ["support"]}).update(more)
        queue = {"ring_s": 5, "wrap_up_s": 0, "announce_s": 0, **changes.pop("queue", {})}
        super().__init__(
            pbx,
            folder,
            people=self._make_people,
            route={"dialog": str(QUEUE_DIALOG), **changes.pop("route", {})},
            queues={"support": queue, **changes.pop("queues", {})},
            agents=settings,
            **changes,
        )
        self._may_dial = may_dial

    def _make_people(self, gateway: Gateway) -> PeopleOfOurs:
        self.people = build_people(self.config, None, may_dial=self._may_dial, services=gateway.services)
        return self.people

    @property
    def house(self) -> QueueHouse:
        return self.people.queues

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.gateway.look_after(self.people.close, self.people.quiet, self.people.depart)
        return self

    async def waiting(self, count: int, timeout: float = SOON_S) -> None:
        """Wait until so many callers wait."""
        async with asyncio.timeout(timeout):
            while len(self.house.queues()[0].waiting) != count:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def agent_is(self, name: str, state: str, timeout: float = SOON_S) -> None:
        """Wait until an agent is in a state."""
        async with asyncio.timeout(timeout):
            while {each.name: each.state for each in self.house.agents()}[name] != state:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def until_heard(speaks: Caller, hears: Caller) -> None:
    """Speak until the other one, who then hears nothing else any more, hears it: the two are joined."""
    await hears.bot_quiet(QUIET_MS, SOON_S)
    since = time.monotonic()

    async def talk() -> None:
        while True:
            await speaks.say(WORDS)

    talking = asyncio.create_task(talk())
    try:
        await hears.bot_speaks(SOON_S, since)
    finally:
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


def longest_silence(caller: Caller, since: float, until: float) -> float:
    """Return the longest time, in s, in which the caller heard nothing between two moments."""
    last, longest = since, 0.0
    for segment in caller.bot_speech.segments:
        if segment.end < since:
            continue
        if segment.start > until:
            break
        longest = max(longest, segment.start - last)
        last = max(last, segment.end)
    return max(longest, until - last)
