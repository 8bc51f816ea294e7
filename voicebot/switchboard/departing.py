"""The gateway stops: talks of two persons are told of it, and their end is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum


class Departure(IntEnum):
    """How urgent it is that two who talk are left to themselves.

    SOON: as soon as nobody needs us between them: no recording, no supervisor, no transfer. NOW: all the same
    """

    NONE = 0
    SOON = 1
    NOW = 2


class Departing:
    """Tells talks that the gateway stops. `stage`: how far it is."""

    def __init__(self) -> None:
        self.stage = Departure.NONE
        self._talks: dict[Callable[[], None], asyncio.Future[None]] = {}

    @contextmanager
    def of(self, told: Callable[[], None]) -> Iterator[None]:
        """While a talk goes on: `told` is called whenever the stage changes."""
        over = self._talks[told] = asyncio.get_running_loop().create_future()
        try:
            yield
        finally:
            del self._talks[told]
            over.set_result(None)

    def begin(self) -> None:
        """Have all talks, and those that begin from now on, left to themselves as soon as may be."""
        self._tell(Departure.SOON)

    async def finish(self) -> None:
        """Have all of them left to themselves now; return when that is done."""
        self._tell(Departure.NOW)
        if self._talks:
            await asyncio.wait(set(self._talks.values()))

    def _tell(self, stage: Departure) -> None:
        self.stage = max(self.stage, stage)
        for told in tuple(self._talks):
            told()
