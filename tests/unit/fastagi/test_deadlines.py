"""Category: unit. Time limits by one timer, with a clock that tests turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from voicebot.fastagi.deadlines import GRAIN_S, Deadlines

pytestmark = pytest.mark.unit


class Timer:
    def __init__(self, at: float, call: Callable[[], None]) -> None:
        self.at, self.call, self.cancelled = at, call, False

    def cancel(self) -> None:
        self.cancelled = True


class Loop:
    """As far as limits use an event loop."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, at: float, call: Callable[[], None]) -> Timer:
        self.timers.append(Timer(at, call))
        return self.timers[-1]

    def turn_to(self, at: float) -> None:
        """Let time pass, with each timer at its time."""
        while due := [each for each in self.timers if each.at <= at and not each.cancelled]:
            first = min(due, key=lambda timer: timer.at)
            self.timers.remove(first)
            self.now = max(self.now, first.at)
            first.call()
        self.now = at


class Thing:
    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.late_at: list[float] = []

    def overdue(self) -> None:
        self.late_at.append(self._loop.now)


@pytest.fixture
def loop() -> Loop:
    return Loop()


@pytest.fixture
def deadlines(loop: Loop) -> Deadlines:
    return Deadlines(cast(Any, loop))


def test_each_is_told_at_its_time_and_once(loop: Loop, deadlines: Deadlines) -> None:
    things = [Thing(loop) for _ in range(3)]
    for thing, at in zip(things, (5.0, 2.0, 3.0), strict=True):
        deadlines.set(thing, at)
    loop.turn_to(10.0)
    assert [thing.late_at for thing in things] == [[5.0], [2.0], [3.0]]


def test_what_is_done_in_time_is_not_told_and_a_later_limit_counts(loop: Loop, deadlines: Deadlines) -> None:
    done, put_off = Thing(loop), Thing(loop)
    deadlines.set(done, 1.0)
    deadlines.set(put_off, 1.0)
    deadlines.drop(done)
    deadlines.set(put_off, 4.0)
    loop.turn_to(10.0)
    assert (done.late_at, put_off.late_at) == ([], [4.0])


def test_a_thousand_short_things_need_few_timers(loop: Loop, deadlines: Deadlines) -> None:
    made = 0
    for number in range(1000):
        thing = Thing(loop)
        deadlines.set(thing, number * 0.001 + 2.0)
        loop.turn_to(number * 0.001)
        deadlines.drop(thing)
        made = max(made, len(loop.timers))
    assert made == 1


def test_limits_close_together_are_looked_at_together(loop: Loop, deadlines: Deadlines) -> None:
    things = [Thing(loop) for _ in range(3)]
    for number, thing in enumerate(things):
        deadlines.set(thing, 1.0 + number * GRAIN_S / 10)
    loop.turn_to(2.0)
    assert [thing.late_at for thing in things] == [[1.0], [1.0 + GRAIN_S], [1.0 + GRAIN_S]]
