"""RTP of many calls at once, as long as nothing happens.

Nearly always the packet that a call gets in a tick is the very next one of its source, on time, and as many
packets wait in its jitter buffer as before, mostly none. What the header of that packet must be is then
known beforehand, all twelve bytes of it. So all calls' headers are compared in one go, and only those calls
that are out of step (a packet is missing, late, twice there, of another source, a key, a marker, ...)
trouble their session, until they are in step again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicebot.rtp.jitterbuffer import MAX_DELAY_FRAMES
from voicebot.rtp.packet import HEADER
from voicebot.rtp.sending import TIMESTAMP_STEP, Payloads
from voicebot.rtp.session import RtpSession

REVIEW_TICKS = 50
"""A call whose packets wait goes through its session so often, which may find that they need not."""

_NEXT_HEADER = HEADER.pack(0, 0, 1, TIMESTAMP_STEP, 0)
"""From one header to the next. Where a number wraps the header comes out wrong, and the session finds the
step
again."""

_KEPT = MAX_DELAY_FRAMES + 2
"""Ticks whose payloads are kept."""


class Lockstep:
    """The sessions of some calls, as rows.

    Each tick: `compare()`, then for every row out of step its session's `receive()` and `take()` between
    `leave()` and `join()`. A session's figures are only right after `leave()`.
    """

    def __init__(self, sessions: Sequence[RtpSession], payload_bytes: int) -> None:
        self._sessions = tuple(sessions)
        rows = len(self._sessions)
        self._packet_sizes = {HEADER.size + payload_bytes}
        self._blank = bytes(HEADER.size + payload_bytes)
        # All expected headers in one number: to add to all of them costs as little as to add to one.
        self._expected = 0
        self._step = int.from_bytes(_NEXT_HEADER * rows, "big")
        self._joined = [False] * rows  # rows whose next header is known
        self._others = set(range(rows))  # rows that had another one in this tick
        self._began = [0] * rows  # tick from which on the session of a joined row knows nothing
        self._delayed: dict[int, int] = {}  # rows whose packets wait, and how many do
        self._kept = np.zeros((_KEPT, rows, payload_bytes), dtype=np.uint8)  # payloads of the last ticks
        self._tick = self._tick_before = 0

    def compare(self, datagrams: Sequence[bytes], tick: int) -> tuple[Payloads, list[int]]:
        """Return all payloads to hear, and the rows out of step (whose payloads mean nothing).

        `datagrams` holds what came first for each row in this tick, b"" for nothing; `tick` is the number
        after that of the last call, or more if ticks were skipped: then there is no step to be in.
        """
        if set(map(len, datagrams)) != self._packet_sizes:
            size = len(self._blank)
            datagrams = [datagram if len(datagram) == size else self._blank for datagram in datagrams]
        packets = np.frombuffer(b"".join(datagrams), dtype=np.uint8).reshape(len(datagrams), -1)
        headers = packets[:, : HEADER.size].tobytes()
        payloads: Payloads = packets[:, HEADER.size :]
        others: list[int] = []
        if tick != self._tick + 1:
            others = list(range(len(datagrams)))
        elif int.from_bytes(headers, "big") != self._expected or not all(self._joined):
            others = self._find_others(headers)
        self._tick_before, self._tick = self._tick, tick
        self._expected += self._step
        if self._delayed:
            payloads = self._delay_payloads(payloads, others)
        self._others = set(others)
        return payloads, others

    def _find_others(self, headers: bytes) -> list[int]:
        size = HEADER.size
        expected = self._expected.to_bytes(len(headers) + 1, "big")[1:]
        return [
            row
            for row, joined in enumerate(self._joined)
            if not joined or headers[row * size : (row + 1) * size] != expected[row * size : (row + 1) * size]
        ]

    def _delay_payloads(self, payloads: Payloads, others: list[int]) -> Payloads:
        """Give every row in step the payload that came as many ticks ago as its packets wait."""
        tick = self._tick
        self._kept[tick % _KEPT] = payloads
        payloads = payloads.copy()
        for row, delay in self._delayed.items():
            if row in others:
                continue
            if tick - self._began[row] >= REVIEW_TICKS:
                others.append(row)
            else:
                payloads[row] = self._kept[(tick - delay) % _KEPT, row]
        return payloads

    def leave(self, row: int) -> None:
        """Tell a row's session what it missed; the row is out of step until `join()`."""
        if self._joined[row]:
            self._joined[row] = False
            delay = self._delayed.pop(row, 0)
            last = self._tick_before if row in self._others else self._tick
            if last >= self._began[row]:
                waiting = [
                    self._kept[tick % _KEPT, row].tobytes() for tick in range(last - delay + 1, last + 1)
                ]
                self._sessions[row].catch_up(last - self._began[row] + 1, last, waiting)

    def leave_all(self) -> None:
        for row in range(len(self._sessions)):
            self.leave(row)

    def join(self, row: int) -> None:
        """After a tick out of step: a row whose next header can be told is in step again."""
        header = self._sessions[row].next_header(self._tick)
        if header is not None:
            self._expect(row, header)
            self._joined[row] = True
            self._began[row] = self._tick + 1
            waiting = self._sessions[row].waiting()
            if waiting:
                self._delayed[row] = len(waiting)
                for tick, payload in enumerate(waiting, self._tick - len(waiting) + 1):
                    self._kept[tick % _KEPT, row] = np.frombuffer(payload, dtype=np.uint8)

    def _expect(self, row: int, header: bytes) -> None:
        shift = 8 * HEADER.size * (len(self._sessions) - 1 - row)
        row_mask = (1 << 8 * HEADER.size) - 1
        old = self._expected >> shift & row_mask
        self._expected += (int.from_bytes(header, "big") - old) << shift
