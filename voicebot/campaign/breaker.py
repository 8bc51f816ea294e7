"""A circuit breaker for a trunk: after too many failures nothing is dialled for a while, then one call tries.

The failures that count are TRUNK_TROUBLE: what a network says when it is full or broken. What it says of one
callee (busy, no answer, no such number) shows that it works. Pure: times in seconds of one clock, passed in.
"""

from __future__ import annotations

from collections import deque
from enum import StrEnum

from voicebot.campaign.attempt import NOT_DIALLED, TRUNK_TROUBLE, Disposition

LATEST_RESULTS = 30
"""So many results are looked back upon; older ones say nothing about the trunk of now."""
FEWEST_RESULTS = 10
"""Below, a share of failures means nothing."""
LOOK_BACK_S = 300.0
FIRST_WAIT_S = 10.0
LONGEST_WAIT_S = 600.0
"""The wait doubles with each trial call that fails, up to this."""
TRIAL_S = 180.0
"""A trial call without a result after this long is taken for lost, and another may go."""


class BreakerState(StrEnum):
    CLOSED = "closed"  # calls flow
    OPEN = "open"  # nothing is dialled
    HALF_OPEN = "half_open"  # one call tries


class Breaker:
    """Opens at `share` (0 to 1) of trunk failures among the latest results."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._results: deque[tuple[float, bool]] = deque(maxlen=LATEST_RESULTS)
        self._failures = 0
        self._state = BreakerState.CLOSED
        self._wait_s = FIRST_WAIT_S
        self._until = 0.0
        self._trial_from = 0.0
        self._trial_at: float | None = None

    def state(self, now: float) -> BreakerState:
        """Where it is at `now`; an open one becomes half-open by itself when its wait is over."""
        if self._state is BreakerState.OPEN and now >= self._until:
            self._state = BreakerState.HALF_OPEN
            self._trial_from = now
            self._trial_at = None
        return self._state

    def allows(self, now: float) -> int | None:
        """How many calls may begin now; None: as many as anything else allows."""
        state = self.state(now)
        if state is BreakerState.CLOSED:
            return None
        if state is BreakerState.OPEN:
            return 0
        lost = self._trial_at is not None and now - self._trial_at >= TRIAL_S
        return 1 if self._trial_at is None or lost else 0

    def wait_s(self, now: float) -> float:
        """So long until it is worth asking again; 0 where calls may begin."""
        return max(0.0, self._until - now) if self.state(now) is BreakerState.OPEN else 0.0

    def begun(self, now: float) -> None:
        """A call began."""
        if self.state(now) is BreakerState.HALF_OPEN:
            self._trial_at = now

    def ended(self, now: float, disposition: Disposition, begun_at: float | None = None) -> None:
        """A call ended. A result of a call from before the trial (`begun_at`) does not decide the trial."""
        if disposition in NOT_DIALLED or disposition is Disposition.INTERRUPTED:
            self._trial_at = None  # says nothing of the trunk: another call may try
            return
        failed = disposition in TRUNK_TROUBLE
        state = self.state(now)
        if state is BreakerState.OPEN:
            return
        if state is BreakerState.HALF_OPEN:
            if begun_at is not None and begun_at < self._trial_from:
                return
            self._trial_at = None
            if failed:
                self._wait_s = min(self._wait_s * 2, LONGEST_WAIT_S)
                self._open(now)
            else:
                self._state, self._wait_s = BreakerState.CLOSED, FIRST_WAIT_S
            return
        self._note(now, failed)
        enough = len(self._results) >= FEWEST_RESULTS
        if failed and enough and self._failures >= self._share * len(self._results):
            self._open(now)

    def _note(self, now: float, failed: bool) -> None:
        while self._results and (
            len(self._results) == LATEST_RESULTS or now - self._results[0][0] > LOOK_BACK_S
        ):
            self._failures -= self._results.popleft()[1]
        self._results.append((now, failed))
        self._failures += failed

    def _open(self, now: float) -> None:
        self._state, self._until = BreakerState.OPEN, now + self._wait_s
        self._results.clear()
        self._failures = 0
