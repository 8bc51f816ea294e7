"""Time limits of many short things by one timer: a timer for each costs more than most of them take."""

from __future__ import annotations

import asyncio
from typing import Protocol

GRAIN_S = 0.005
"""Shortest time between two looks; a limit is kept to so much."""


class Limited(Protocol):
    """What has a time limit. Compared by identity."""

    def overdue(self) -> None:
        """Called on the event loop once the time is up. May not raise."""
        ...


class Deadlines:
    """Limits by the clock of the event loop, in seconds. Each thing has one at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._due: dict[Limited, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = float("inf")

    def set(self, limited: Limited, at: float) -> None:
        """Tell it once it is `at`, in place of the limit it had."""
        self._due[limited] = at
        if at < self._looks_at:
            if self._timer is not None:
                self._timer.cancel()
            self._look_at(at)

    def drop(self, limited: Limited) -> None:
        """It has no limit any more. The timer is left as it is: it will find nothing to do."""
        self._due.pop(limited, None)

    def _look_at(self, at: float) -> None:
        self._looks_at = at
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        self._timer, self._looks_at = None, float("inf")
        now = self._loop.time()
        late = [each for each, at in self._due.items() if at <= now]
        for each in late:
            del self._due[each]
        if self._due:
            self._look_at(max(min(self._due.values()), now + GRAIN_S))
        for each in late:
            each.overdue()
