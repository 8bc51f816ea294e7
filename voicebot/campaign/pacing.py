"""How many calls may begin now. Pure: time in seconds of one clock that only goes forward, passed in.

    pacer = Pacer(campaign.pacing, ring_s=campaign.ring_s)
    n = pacer.allowance(now, load)      # 0: see pacer.hindrance and pacer.wait_s(now)
    pacer.begun(now, n)                 # those that did begin
    pacer.ended(now, disposition, ...)  # each that ended

A simulated day is driven the same way, with a clock of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.breaker import Breaker, BreakerState
from voicebot.campaign.campaign import Pacing
from voicebot.campaign.progressive import AnswerStatistics, most_ringing
from voicebot.campaign.rules.history import Abandonment

CATCH_UP_S = 0.25
"""Calls that a late decision left out are made up for, but not those of a longer time: that was a pause."""
PART_OF_BRAKE = 0.5
"""Dialling ahead aims at this part of the share at which the brake acts."""
FEWEST_ANSWERED = 50
"""One abandoned call among fewer answered ones does not stop a campaign; it slows it down."""

Hindrance = Literal["", "rate", "concurrent", "places", "breaker", "abandonment"]


@dataclass(frozen=True, slots=True)
class Load:
    """What is going on when a decision is asked for.

    open:        attempts of this campaign that are not over
    ringing:     attempts of all campaigns that are not answered yet: they compete for the places
    talking:     conversations at the gateways
    free:        places at the gateways that no conversation has
    abandonment: answered calls and abandoned ones among them, over the period that counts
    """

    open: int = 0
    ringing: int = 0
    talking: int = 0
    free: int = 0
    abandonment: Abandonment = field(default_factory=Abandonment)


class Bucket:
    """Tokens that come at `rate` a second. Idle time is not saved up; a clock that jumps gives nothing."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self._most = max(1.0, rate * CATCH_UP_S)
        self._tokens = 1.0
        self._at: float | None = None
        self._untaken = False

    def tokens(self, now: float) -> int:
        """How many are there. Asking twice without taking any says that nothing was wanted meanwhile."""
        if self._at is None or now < self._at:
            self._at = now
        gap = now - self._at
        if self._untaken or gap > CATCH_UP_S:
            self._tokens = min(1.0, self._tokens + gap * self.rate)
        else:
            self._tokens = min(self._most, self._tokens + gap * self.rate)
        self._at = now
        self._untaken = self._tokens >= 1.0
        return int(self._tokens + 1e-9)

    def take(self, count: int) -> None:
        """Use up `count`."""
        if count:
            self._tokens -= count
            self._untaken = False

    def wait_s(self, now: float) -> float:
        """So long until there is one."""
        gap = max(0.0, now - self._at) if self._at is not None else 0.0
        return max(0.0, (1.0 - self._tokens) / self.rate - gap)


class Pacer:
    """Decides for one campaign. `hindrance` says what kept the last allowance from being greater."""

    def __init__(self, settings: Pacing, *, ring_s: float) -> None:
        self._settings = settings
        self._bucket = Bucket(settings.calls_per_second)
        self.breaker = Breaker(settings.trunk_failures)
        self.statistics = AnswerStatistics(ring_s)
        self.hindrance: Hindrance = ""

    def allowance(self, now: float, load: Load) -> int:
        """Return how many calls may begin now; `begun` tells how many did."""
        limits: list[tuple[int, Hindrance]] = [
            (self._places(load), "places"),
            (self._settings.concurrent - load.open, "concurrent"),
        ]
        if (trial := self.breaker.allows(now)) is not None:
            limits.append((trial, "breaker"))
        if self.stopped(load.abandonment):
            limits.append((0, "abandonment"))
        most, self.hindrance = min(limits, key=lambda limit: limit[0])
        if most <= 0:
            return 0
        tokens = self._bucket.tokens(now)
        if tokens < most:
            most, self.hindrance = tokens, "rate"
        return most

    def begun(self, now: float, count: int = 1) -> None:
        """So many calls were claimed."""
        self._bucket.take(count)
        if count:
            self.breaker.begun(now)

    def ended(
        self,
        now: float,
        disposition: Disposition,
        *,
        begun_at: float | None = None,
        answer_s: float | None = None,
        talk_s: float | None = None,
    ) -> None:
        """A call ended. begun_at: when it was dialled; answer_s: how long it rang until it was answered;
        talk_s: how long the conversation was. What is not known is None."""
        self.breaker.ended(now, disposition, begun_at)
        self.statistics.ended(disposition, answer_s, talk_s)

    def wait_s(self, now: float) -> float:
        """So long until a token or a trial call is there; what else hinders ends with a call, not a time."""
        return max(self._bucket.wait_s(now), self.breaker.wait_s(now))

    def stopped(self, abandonment: Abandonment) -> bool:
        """Whether too many callees found nobody: not one call more."""
        few = abandonment.answered < FEWEST_ANSWERED
        return not few and abandonment.share >= self._settings.abandoned_stop

    def braked(self, abandonment: Abandonment) -> bool:
        """Whether nothing is dialled ahead any more."""
        return abandonment.abandoned > 0 and abandonment.share >= self._settings.abandoned_brake

    def trouble(self, now: float) -> bool:
        """Whether the breaker holds calls back."""
        return self.breaker.state(now) is not BreakerState.CLOSED

    def _places(self, load: Load) -> int:
        if self._settings.mode == "fixed" or self.braked(load.abandonment):
            return load.free - load.ringing
        brake = self._settings.abandoned_brake
        # What is left below the brake: the nearer it is, the fewer are dialled ahead.
        target = min(PART_OF_BRAKE * brake, brake - load.abandonment.share)
        return most_ringing(load.free, load.talking, self.statistics, target) - load.ringing
