"""What a receiver knows of a source (RFC 3550, sections 6.4.1, A.3 and A.8)."""

from __future__ import annotations

from dataclasses import dataclass

_HALF = 1 << 31
_CYCLE = 1 << 32


class Jitter:
    """Interarrival jitter (6.4.1, A.8), in units of the RTP clock.

    Arrivals are only seen at the media tick, so variation within one tick does not show.
    """

    __slots__ = ("_transit", "value")

    def __init__(self) -> None:
        self._transit: int | None = None
        self.value = 0.0

    def arrived(self, arrival: int, timestamp: int) -> None:
        """Take a packet that arrived at `arrival` with `timestamp`, both in units of the RTP clock."""
        transit = arrival - timestamp
        if transit == self._transit:  # the usual case: nothing moved
            self.value -= self.value / 16
            return
        if self._transit is not None:
            difference = (transit - self._transit + _HALF) % _CYCLE - _HALF
            self.value += (abs(difference) - self.value) / 16
        self._transit = transit


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """Of one source: `lost` is expected less received, so negative where duplicates came (A.3).

    `fraction_lost` is that of the interval since the last report, from 0 to 1.
    """

    expected: int
    received: int
    lost: int
    fraction_lost: float


class LossCounter:
    """Losses since the start and per interval (A.3)."""

    __slots__ = ("_expected_prior", "_received_prior")

    def __init__(self) -> None:
        self._expected_prior = 0
        self._received_prior = 0

    def report(self, expected: int, received: int) -> ReceptionReport:
        """Close an interval, given the totals so far."""
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (received - self._received_prior)
        self._expected_prior, self._received_prior = expected, received
        fraction = lost_interval / expected_interval if expected_interval > 0 and lost_interval > 0 else 0.0
        return ReceptionReport(expected, received, expected - received, fraction)
