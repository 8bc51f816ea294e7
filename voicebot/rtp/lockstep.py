"""RTP of many calls at once, as long as nothing happens.

Nearly always the packet that a call gets in a tick is the very next one of its source, on time, and as many packets
wait in its jitter buffer as before, mostly none. What the header of that packet must be is then known beforehand, all
twelve bytes of it. So all calls' headers are compared in one go, and only those calls that are out of step (a packet
is missing, late, twice there, of another source, a key, a marker, ...) trouble their session, until they are in step
again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voicebot.rtp.jitterbuffer import MAX_DELAY_FRAMES
from voicebot.rtp.packet import HEADER
from voicebot.rtp.sending import TIMESTAMP_STEP, Payloads
from voicebot.rtp.session import RtpSession

REVIEW_TICKS = 50
"""A call whose packets wait goes through its session so often, which may find that they need not."""

_WORDS = HEADER.size // 4
_STEP = np.array([1, TIMESTAMP_STEP, 0], dtype=np.uint32)
"""From one header to the next, in words: sequence number, timestamp, SSRC. Where the sequence number wraps the
payload type comes out wrong, and the session finds the step again."""

_KEPT = MAX_DELAY_FRAMES + 2
"""Ticks whose payloads are kept."""


class Lockstep:
    """The sessions of some calls, as rows.

    Each tick: `compare()`, then for every row out of step its session's `receive()` and `take()` between `leave()`
    and `join()`. A session's figures are only right after `leave()`.
    """

    def __init__(self, sessions: Sequence[RtpSession], payload_bytes: int) -> None:
        self._sessions = tuple(sessions)
        rows = len(self._sessions)
        self._packet_bytes = HEADER.size + payload_bytes
        self._blank = bytes(self._packet_bytes)
        self._expected = np.zeros((rows, _WORDS), dtype=np.uint32)
        self._joined = np.zeros(rows, dtype=np.bool_)  # rows whose next header is known
        self._in_step = np.zeros(rows, dtype=np.bool_)  # rows that had it in this tick
        self._steps = np.zeros(rows, dtype=np.int64)  # packets that the sessions do not know of
        self._delayed: dict[int, int] = {}  # rows whose packets wait, and how many do
        self._kept = np.zeros((_KEPT, rows, payload_bytes), dtype=np.uint8)  # payloads of the last ticks
        self._tick = 0

    def compare(self, datagrams: Sequence[bytes], tick: int) -> tuple[Payloads, list[int]]:
        """Return all payloads to hear, and the rows out of step (whose payloads mean nothing).

        `datagrams` holds what came first for each row in this tick, b"" for nothing; `tick` is the number after
        that of the last call, or more if ticks were skipped: then there is no step to be in.
        """
        size = self._packet_bytes
        if set(map(len, datagrams)) != {size}:
            datagrams = [datagram if len(datagram) == size else self._blank for datagram in datagrams]
        packets = np.frombuffer(b"".join(datagrams), dtype=np.uint8).reshape(-1, size)
        headers = packets[:, : HEADER.size].view(">u4")
        in_step = self._joined & (headers == self._expected).all(axis=1)
        if tick != self._tick + 1:
            in_step[:] = False
        self._tick = tick
        self._in_step = in_step
        self._expected += _STEP
        payloads: npt.NDArray[np.uint8] = packets[:, HEADER.size :]
        if self._delayed:
            payloads = self._delay_payloads(payloads)
        self._steps += in_step
        return payloads, [] if in_step.all() else np.flatnonzero(~in_step).tolist()

    def _delay_payloads(self, payloads: Payloads) -> Payloads:
        """Give every row in step the payload that came as many ticks ago as its packets wait."""
        tick = self._tick
        self._kept[tick % _KEPT] = payloads
        payloads = payloads.copy()
        for row, delay in self._delayed.items():
            if self._steps[row] >= REVIEW_TICKS:
                self._in_step[row] = False
            elif self._in_step[row]:
                payloads[row] = self._kept[(tick - delay) % _KEPT, row]
        return payloads

    def leave(self, row: int) -> None:
        """Tell a row's session what it missed; the row is out of step until `join()`."""
        if self._joined[row]:
            self._joined[row] = False
            delay = self._delayed.pop(row, 0)
            last = self._tick if self._in_step[row] else self._tick - 1
            if steps := int(self._steps[row]):
                waiting = [
                    self._kept[tick % _KEPT, row].tobytes() for tick in range(last - delay + 1, last + 1)
                ]
                self._sessions[row].catch_up(steps, last, waiting)
                self._steps[row] = 0

    def leave_all(self) -> None:
        for row in range(len(self._sessions)):
            self.leave(row)

    def join(self, row: int) -> None:
        """After a tick out of step: a row whose next header can be told is in step again."""
        header = self._sessions[row].next_header(self._tick)
        if header is not None:
            self._joined[row] = True
            self._expected[row] = header
            waiting = self._sessions[row].waiting()
            if waiting:
                self._delayed[row] = len(waiting)
                for tick, payload in enumerate(waiting, self._tick - len(waiting) + 1):
                    self._kept[tick % _KEPT, row] = np.frombuffer(payload, dtype=np.uint8)
