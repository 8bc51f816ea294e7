"""Category: unit. How many calls may begin: smoothly, within all limits, and a place for whoever answers."""

from __future__ import annotations

import heapq
import random
import time
from dataclasses import dataclass, field

import pytest

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.breaker import BreakerState
from voicebot.campaign.campaign import Pacing
from voicebot.campaign.pacing import Load, Pacer
from voicebot.campaign.rules.history import Abandonment

pytestmark = pytest.mark.unit

PLENTY = Load(free=100_000)


def pacer(**settings: object) -> Pacer:
    return Pacer(Pacing(**{"calls_per_second": 50.0, "concurrent": 10_000, **settings}), ring_s=25)


def drive(pace: Pacer, begin: float, end: float, chance: random.Random, late_s: float = 0.01) -> list[float]:
    """Ask about every 20 ms, now and then late, as an event loop does; return when calls began."""
    calls, now = [], begin
    while now < end:
        count = pace.allowance(now, PLENTY)
        pace.begun(now, count)
        calls += [now] * count
        now += 0.02 + chance.random() * (0.1 if chance.random() < 0.02 else late_s)
    return calls


@pytest.mark.parametrize("rate", [0.5, 7, 50, 200])
def test_the_rate_is_kept_within_two_percent_by_a_loop_that_is_never_punctual(rate: float) -> None:
    calls = drive(pacer(calls_per_second=rate), 0, 60 if rate > 1 else 600, random.Random(1))
    assert len(calls) == pytest.approx(rate * (60 if rate > 1 else 600), rel=0.02)
    for first in range(59):  # and in no second are there more than make up for a late decision
        assert sum(first <= at < first + 1 for at in calls) <= rate * 1.25 + 1


def test_nothing_is_made_up_for_after_a_pause_a_stall_or_a_jump_of_the_clock() -> None:
    pace, chance = pacer(), random.Random(2)
    drive(pace, 0, 5, chance)
    assert pace.allowance(3605, PLENTY) == 1  # a stall, or a clock that went an hour ahead
    pace.begun(3605, 1)
    assert pace.allowance(5, PLENTY) == 0  # set back
    calls = drive(pace, 5.0, 6.0, chance)
    assert len(calls) == pytest.approx(50, abs=2)
    for tenth in range(60, 90):  # places are taken for three seconds: the loop asks on
        assert pace.allowance(tenth / 10, Load(free=0)) == 0
    assert pace.allowance(9.0, PLENTY) == 1


def test_asking_without_anybody_to_call_saves_nothing_up() -> None:
    pace = pacer()
    for tick in range(100):
        assert pace.allowance(tick * 0.02, PLENTY) <= 1
    assert pace.allowance(2.0, PLENTY) == 1


def test_every_limit_holds_and_is_named() -> None:
    pace = pacer(concurrent=10, calls_per_second=1)
    assert (pace.allowance(0, Load(open=10, free=50)), pace.hindrance) == (0, "concurrent")
    assert (pace.allowance(0, Load(open=5, ringing=5, free=5)), pace.hindrance) == (0, "places")
    assert (pace.allowance(0, Load(free=0)), pace.hindrance) == (0, "places")
    few = Load(free=5, abandonment=Abandonment(answered=100, abandoned=3))
    assert (pace.allowance(0, few), pace.hindrance) == (0, "abandonment")
    assert pace.allowance(0, PLENTY) == 1
    pace.begun(0, 1)
    assert (pace.allowance(0.5, PLENTY), pace.hindrance) == (0, "rate")
    assert pace.wait_s(0.5) == pytest.approx(0.5)


def test_a_decision_takes_fifty_microseconds_at_the_most() -> None:
    pace = pacer(mode="progressive")
    for number in range(500):
        pace.ended(number, Disposition.ANSWERED if number % 3 == 0 else Disposition.NO_ANSWER)
    load = Load(open=500, ringing=100, talking=300, free=200, abandonment=Abandonment(1000, 5))
    best = min(_timed(pace, load) for _ in range(50))
    assert best <= 50e-6


def _timed(pace: Pacer, load: Load) -> float:
    began = time.process_time()
    for tick in range(20):
        pace.allowance(tick * 0.02, load)
    return (time.process_time() - began) / 20


@dataclass
class Day:
    """A call centre in virtual time: phones ring, some are answered, some find no place."""

    pace: Pacer
    answer_rate: float
    places: int
    ring_s: float = 20.0
    talk_s: float = 60.0
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    answered: int = 0
    abandoned: int = 0
    dialled: int = 0
    busy_s: float = 0.0

    def run(self, seconds: float, tick_s: float = 0.5) -> None:
        events: list[tuple[float, int, str, float]] = []
        ringing = talking = serial = 0
        now = 0.0
        while now < seconds:
            while events and events[0][0] <= now:
                at, serial_, what, began = heapq.heappop(events)
                if what == "silent":
                    ringing -= 1
                    self.pace.ended(at, Disposition.NO_ANSWER, begun_at=began)
                elif what == "answer":
                    ringing -= 1
                    self.answered += 1
                    if talking >= self.places:
                        self.abandoned += 1
                        self.pace.ended(at, Disposition.ABANDONED, begun_at=began, answer_s=at - began)
                        continue
                    talking += 1
                    talk_s = self.chance.expovariate(1 / self.talk_s)
                    self.busy_s += talk_s
                    heapq.heappush(events, (at + talk_s, serial_, "end", began))
                    self.pace.ended(at, Disposition.ANSWERED, answer_s=at - began, talk_s=talk_s)
                else:
                    talking -= 1
            seen = Abandonment(self.answered, self.abandoned)
            load = Load(ringing + talking, ringing, talking, self.places - talking, seen)
            count = self.pace.allowance(now, load)
            self.pace.begun(now, count)
            for _ in range(count):
                serial += 1
                picks_up = self.chance.random() < self.answer_rate
                after = self.chance.uniform(4, self.ring_s) if picks_up else self.ring_s
                heapq.heappush(events, (now + after, serial, "answer" if picks_up else "silent", now))
            ringing += count
            self.dialled += count
            now += tick_s


@pytest.mark.parametrize(
    ("answer_rate", "places", "gain"), [(0.15, 30, 1.5), (0.35, 60, 1.2), (0.7, 20, 1.02), (0.3, 3, 1.0)]
)
def test_dialling_ahead_uses_places_better_and_hardly_anybody_finds_none(
    answer_rate: float, places: int, gain: float
) -> None:
    ahead = Day(pacer(mode="progressive", calls_per_second=20), answer_rate, places)
    plain = Day(pacer(mode="fixed", calls_per_second=20), answer_rate, places)
    ahead.run(2 * 3600)
    plain.run(2 * 3600)
    assert plain.abandoned == 0
    assert ahead.abandoned / ahead.answered < 0.025
    assert ahead.busy_s >= plain.busy_s * gain


def test_an_answer_rate_that_leaps_does_not_reach_the_limit() -> None:
    day = Day(pacer(mode="progressive", calls_per_second=20), 0.15, 40)
    day.run(3600)
    day.answer_rate = 0.6
    day.run(3600)
    assert day.abandoned / day.answered < 0.03


def test_the_brake_goes_back_to_one_call_a_place() -> None:
    pace = pacer(mode="progressive")
    for number in range(300):
        pace.ended(number, Disposition.ANSWERED if number % 5 == 0 else Disposition.NO_ANSWER)
    ahead = Load(ringing=40, free=40, abandonment=Abandonment(1000, 5))
    assert pace.allowance(0, ahead) == 1
    braked = Load(ringing=40, free=40, abandonment=Abandonment(1000, 26))
    assert pace.allowance(1, braked) == 0


def test_a_day_is_simulated_within_a_second() -> None:
    day = Day(pacer(mode="progressive", calls_per_second=1), 0.3, 30, talk_s=120)
    began = time.process_time()
    day.run(86_400, tick_s=1.0)
    assert time.process_time() - began < 3  # 0.8 s on a machine at rest
    assert day.dialled > 10_000


def test_the_breaker_opens_waits_tries_one_call_and_closes() -> None:
    pace = pacer()
    for at in range(7):
        pace.ended(at, Disposition.ANSWERED)
    for at in range(7, 10):
        pace.ended(at, Disposition.TRUNK_FAILURE)
    assert pace.breaker.state(10) is BreakerState.OPEN
    assert (pace.allowance(10, PLENTY), pace.hindrance) == (0, "breaker")
    assert pace.wait_s(10) == pytest.approx(9.0)
    assert pace.allowance(19.1, PLENTY) == 1  # the trial
    pace.begun(19.1)
    assert pace.allowance(19.2, PLENTY) == 0
    pace.ended(20, Disposition.BUSY, begun_at=5)  # from before: decides nothing
    assert pace.breaker.state(20) is BreakerState.HALF_OPEN
    pace.ended(21, Disposition.CONGESTION, begun_at=19.1)
    assert pace.breaker.state(40) is BreakerState.OPEN  # for twice as long
    assert pace.allowance(41.1, PLENTY) == 1
    pace.begun(41.1)
    pace.ended(45, Disposition.BUSY, begun_at=41.1)  # the network works
    assert pace.breaker.state(45) is BreakerState.CLOSED
    assert pace.allowance(45, PLENTY) >= 1


def test_what_one_callee_does_never_opens_the_breaker_and_a_lost_trial_does_not_hold_it() -> None:
    pace = pacer()
    for at in range(100):
        pace.ended(at, (Disposition.BUSY, Disposition.INVALID, Disposition.NO_ANSWER)[at % 3])
        pace.ended(at, Disposition.EXPIRED)
    assert pace.breaker.state(100) is BreakerState.CLOSED
    for at in range(100, 130):
        pace.ended(at, Disposition.CONGESTION)
    assert pace.allowance(140, PLENTY) == 1
    pace.begun(140)
    assert pace.allowance(141, PLENTY) == 0
    assert pace.allowance(140 + 181, PLENTY) == 1
