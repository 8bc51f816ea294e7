"""Who takes callers over from dialogs: queues, conferences, in one.

Gateway(config, people=lambda gateway: build_people(config, hub, services=gateway.services, ...))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from voicebot.call.live import Hub
from voicebot.call.people import Presenter
from voicebot.call.services import Services
from voicebot.config import Config, Route
from voicebot.dialog.turns import Handover
from voicebot.switchboard.queues.callbacks import MayDial
from voicebot.switchboard.queues.hall import Presence
from voicebot.switchboard.queues.house import QueueHouse


class Taker(Protocol):
    """One kind of people: all queues, or all conferences."""

    def takes(self, handover: Handover) -> bool: ...

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None: ...


class PeopleOfOurs:
    """A `call.people.People` of several takers; the first who takes a hand-over serves it.

    `queues` is what the panel and the REST interface act on.
    """

    def __init__(self, queues: QueueHouse, others: Iterable[Taker] = ()) -> None:
        self.queues = queues
        self._takers: list[Taker] = [queues, *others]

    def add(self, taker: Taker) -> None:
        """Have another kind of people as well: conferences."""
        self._takers.append(taker)

    def takes(self, handover: Handover) -> bool:
        return any(taker.takes(handover) for taker in self._takers)

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        """See `People.serve`. What one taker gives on to another is served on here."""
        onward: Handover | None = handover
        while onward is not None:
            taker = next((each for each in self._takers if each.takes(onward)), None)
            if taker is None:
                return onward
            onward = await taker.serve(presenter, onward)
        return None

    async def quiet(self) -> None:
        """The gateway stops: see `QueueHouse.quiet`."""
        await self.queues.quiet()

    async def depart(self) -> None:
        """Draining is over: whoever talks to a person talks on without us."""
        await self.queues.depart()

    async def close(self) -> None:
        """The gateway ends: call-backs that go on are ended, states are written. Asterisk is asked yet."""
        await self.queues.close()


def build_people(
    config: Config,
    hub: Hub | None,
    *,
    may_dial: MayDial | None = None,
    presence: Presence | None = None,
    services: Callable[[Route], Services] | None = None,
    others: Iterable[Taker] = (),
) -> PeopleOfOurs:
    """Return the queues and agents of the configuration, ready to serve. Needs a running event loop.

    may_dial: why a number may not be dialled, None where it may; without it nobody is called back
    presence: the state of a telephone (`PbxWatch.presence`); without it each is rung to see
    services: the process as a call on a route sees it (`Gateway.services`); without it call-backs that were
              promised before the gateway ended are not taken up
    others:   conferences

    Raises UserError where the configuration names a queue, trunk or music that is not there.
    """
    house = QueueHouse(config, hub, may_dial=may_dial, presence=presence, services=services)
    return PeopleOfOurs(house, others)
