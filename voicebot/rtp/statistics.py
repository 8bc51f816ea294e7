"""What a receiver knows of a source (RFC 3550, sections 6.4.1, A.3 and A.8)."""

from __future__ import annotations

from dataclasses import dataclass

_HALF = 1 << 31
_CYCLE = 1 << 32


class Jitter:
    """Interarrival jitter (6.4.1, A.8), in units of the RTP clock.

    Arrivals are only seen at the media tick, so variation within one tick does not show.
    """

    __slots__ = ("_started", "transit", "value")

    def __init__(self) -> None:
        self.transit = 0  # of the latest packet: arrival less timestamp
        self.value = 0.0
        self._started = False

    def arrived(self, arrival: int, timestamp: int) -> None:
        """Take a packet that arrived at `arrival` with `timestamp`, both in units of the RTP clock."""
        transit = arrival - timestamp
        if self._started:
            difference = (transit - self.transit + _HALF) % _CYCLE - _HALF
            self.value += (abs(difference) - self.value) / 16
        self._started = True
        self.transit = transit

    def step(self, packets: int) -> None:
        """Take so many packets, each as long on its way as the one before."""
        self.value *= (15 / 16) ** packets


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
