"""How long callers wait, from what those before them did: moving averages, and when they are told."""

from __future__ import annotations

import math
from dataclasses import dataclass

SHARE = 0.2
"""Of the latest observation in a moving average."""
SOON_S = 45
"""Less is not told in minutes."""
LONGEST_TOLD_MIN = 30
FIRST_ANNOUNCEMENT_S = 1.0
"""After a caller comes, music is heard for so long before the first words."""


@dataclass(slots=True)
class Average:
    """A moving average; None before the first observation."""

    value: float | None = None

    def add(self, observed: float) -> None:
        self.value = observed if self.value is None else self.value + SHARE * (observed - self.value)


@dataclass(slots=True)
class Experience:
    """What a queue has seen so far; seconds. `handling`: talk and rest of an agent for one call."""

    handling: Average
    answered: int = 0
    abandoned: int = 0
    called_back: int = 0
    given_on: int = 0  # nobody took them

    @classmethod
    def none(cls) -> Experience:
        return cls(Average())


def expected_wait_s(position: int, on_duty: int, experience: Experience) -> float | None:
    """Return how long the caller at `position` (from 1) is likely to wait; None: nobody knows.

    One call ends in the queue every `handling / on_duty` seconds; on average we come half-way into one.
    """
    if experience.handling.value is None or on_duty == 0:
        return None
    return (position - 0.5) * experience.handling.value / on_duty


def told_minutes(expected_s: float) -> int:
    """Return what is said of an expected wait: 0 for `soon`, else full minutes, rather too many."""
    return 0 if expected_s < SOON_S else min(LONGEST_TOLD_MIN, math.ceil(expected_s / 60))


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a caller is told now; None or False: not said. `minutes` 0: it will not be long."""

    greeting: bool
    position: int | None
    minutes: int | None
    call_back: bool


class Announcing:
    """When one caller is told what. `due` is when `next()` should be asked; None: never again."""

    def __init__(
        self, now: float, *, every_s: float, say_position: bool, say_wait: bool, call_back: bool
    ) -> None:
        self.due: float | None = now + FIRST_ANNOUNCEMENT_S
        self._every_s = every_s
        self._say_position = say_position
        self._say_wait = say_wait
        self._call_back = call_back
        self._greeted = False

    def next(self, now: float, position: int, expected_s: float | None) -> Announcement | None:
        """Return what is to be said now, None for nothing."""
        if self.due is None or now < self.due:
            return None
        self.due = now + self._every_s if self._every_s else None
        greeting, self._greeted = not self._greeted, True
        if greeting and not self._every_s:
            return Announcement(True, None, None, self._call_back)
        return Announcement(
            greeting,
            position if self._say_position else None,
            told_minutes(expected_s) if self._say_wait and expected_s is not None else None,
            self._call_back,
        )

    def said(self, now: float) -> None:
        """The announcement is over: the next one is due so long after its end."""
        if self.due is not None:
            self.due = now + self._every_s
