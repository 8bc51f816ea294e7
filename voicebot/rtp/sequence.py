"""Sequence numbers of one source: wrap, probation, restart (RFC 3550, appendix A.1)."""

from __future__ import annotations

SEQUENCE_CYCLE = 1 << 16
MIN_SEQUENTIAL = 2
"""Packets in order that make a source valid."""
MAX_DROPOUT = 3000
"""A gap of this many packets or more is a restart of the sender, not a loss."""
MAX_MISORDER = 100
"""A packet this far behind or more is not a late one."""

INVALID = -1
"""What `update` returns for a packet that must not be used."""


class SequenceTracker:
    """Extends 16-bit sequence numbers by counting cycles, and decides which packets to believe.

    `received` counts believed packets, duplicates too (as A.1 does); `expected` those that should have come.
    `highest` is the extended number of the latest packet.
    `restarts` grows when the sender started anew: extended numbers from then on have nothing to do with
    earlier.
    """

    __slots__ = ("_bad", "_base", "_probation", "highest", "received", "restarts")

    def __init__(self, min_sequential: int = MIN_SEQUENTIAL) -> None:
        self._probation = min_sequential
        self.highest = INVALID
        self._base = 0
        self._bad = INVALID  # a second packet with this number proves a restart
        self.received = 0
        self.restarts = 0

    @property
    def valid(self) -> bool:
        """Whether the source has passed its probation."""
        return self._probation <= 0

    @property
    def expected(self) -> int:
        return self.highest - self._base + 1 if self.received else 0

    def step(self, packets: int) -> None:
        """Take so many packets that came one after the other."""
        self.highest += packets
        self.received += packets

    def update(self, sequence: int) -> int:
        """Take a packet's number; return it extended, or INVALID."""
        delta = (sequence - self.highest) & 0xFFFF
        if self._probation > 0:
            return self._probe(sequence, in_order=self.highest != INVALID and delta == 1)
        if delta == 1:  # the usual case
            self.highest += 1
        elif delta < MAX_DROPOUT:
            self.highest += delta
        elif delta <= SEQUENCE_CYCLE - MAX_MISORDER:
            return self._jump(sequence)
        else:
            self.received += 1
            return self.highest + delta - SEQUENCE_CYCLE
        self.received += 1
        return self.highest

    def _probe(self, sequence: int, *, in_order: bool) -> int:
        if not in_order:
            self._probation = MIN_SEQUENTIAL if self.highest != INVALID else self._probation
            self._begin(sequence)
        else:
            self.highest += 1
        self._probation -= 1
        if self._probation > 0:
            return INVALID
        self._base = self.highest
        self.received = 1
        return self.highest

    def _jump(self, sequence: int) -> int:
        if sequence != self._bad:
            self._bad = (sequence + 1) & 0xFFFF
            return INVALID
        self._begin(sequence)
        self.restarts += 1
        self.received = 1
        return self.highest

    def _begin(self, sequence: int) -> None:
        # One cycle up, so that packets from before the first one still have positive extended numbers.
        self.highest = self._base = SEQUENCE_CYCLE + sequence
        self._bad = INVALID
