"""Dialling ahead: how many may ring at once so that hardly anybody answers and finds no free place.

Only a share of those who are called answer. With one call for each free place, places stay empty while
phones ring. So more ring than there are places; the price is that now and then too many answer at once.
What follows from the measured answer rate, the time to an answer and the length of a conversation is the
expected share of answered calls without a place, and that is kept below a target. Pure.
"""

from __future__ import annotations

import math

from voicebot.campaign.attempt import NOT_DIALLED, REACHED, Disposition

FEWEST_RESULTS = 50
"""Before so many calls have ended nothing is dialled ahead."""
MEMORY = 400.0
"""Calls that an estimate remembers: the answer rate of an hour ago says little about now."""
CONFIDENCE = 1.65
"""Standard errors that are added to the answer rate: to be wrong on the side of empty places."""
SPAN_MEMORY = 0.05
"""Weight of the latest measurement in the mean times to an answer and of a conversation."""
MOST_AHEAD = 8.0
"""Never more than so many calls for a free place, whatever the answer rate."""


class AnswerStatistics:
    """Answer rate, time to an answer and length of a conversation, measured as calls end."""

    def __init__(self, ring_s: float, talk_s: float = 60.0) -> None:
        self._ended = 0.0
        self._answered = 0.0
        self.answer_s = ring_s / 2
        self.talk_s = talk_s

    def ended(
        self, disposition: Disposition, answer_s: float | None = None, talk_s: float | None = None
    ) -> None:
        """A call ended. answer_s: how long it rang until it was answered; talk_s: from then to its end."""
        if disposition in NOT_DIALLED or disposition is Disposition.INTERRUPTED:
            return
        keep = 1 - 1 / MEMORY
        self._ended = self._ended * keep + 1
        self._answered = self._answered * keep + (disposition in REACHED)
        if answer_s is not None:
            self.answer_s += SPAN_MEMORY * (max(0.0, answer_s) - self.answer_s)
        if talk_s is not None:
            self.talk_s += SPAN_MEMORY * (max(0.0, talk_s) - self.talk_s)

    @property
    def known(self) -> bool:
        """Whether enough calls have ended to dial ahead."""
        return self._ended >= FEWEST_RESULTS

    @property
    def rate(self) -> float:
        """Share of calls that are answered, 0 to 1: the upper end of Wilson's interval."""
        n, z = self._ended, CONFIDENCE
        if not n:
            return 1.0
        p = self._answered / n
        middle = p + z * z / (2 * n)
        return min(1.0, (middle + z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))) / (1 + z * z / n))


def most_ringing(free: int, talking: int, statistics: AnswerStatistics, target: float) -> int:
    """Return how many calls may ring at once: so many that of those answered `target` find no place.

    free:    places that nobody has now
    talking: conversations going on; some end while phones ring
    target:  0 to 1; 0: no more than `free`
    """
    if target <= 0 or not statistics.known:
        return free
    rate = statistics.rate
    # Those that will have ended when one that begins to ring now is answered.
    ending = 1 - math.exp(-statistics.answer_s / max(statistics.talk_s, 1e-3))
    freed, freed_variance = talking * ending, talking * ending * (1 - ending)
    low, high = free, math.ceil((free + freed) * MOST_AHEAD)
    while low < high:
        middle = (low + high + 1) // 2
        expected = middle * rate
        spread = math.sqrt(expected * (1 - rate) + freed_variance)
        if _excess(expected - freed - free + 0.5, spread) <= target * expected:
            low = middle
        else:
            high = middle - 1
    return low


def _excess(mean: float, spread: float) -> float:
    """The mean of what is above 0 of a normal distribution."""
    if spread < 1e-9:
        return max(0.0, mean)
    z = mean / spread
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return spread * density + mean * 0.5 * (1 + math.erf(z / math.sqrt(2)))
