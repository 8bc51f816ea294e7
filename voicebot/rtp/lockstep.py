"""RTP of many calls at once, as long as nothing happens.

Nearly always the packet that a call gets in a tick is the very next one of its source, on time, with
nothing waiting before it. What its header must be is then known beforehand, all twelve bytes of it. So all
calls' headers are compared in one go, and only those calls that are out of step (a packet is missing, late,
twice there, of another source, a key, a marker, ...) trouble their session, until they are in step again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicebot.rtp.packet import HEADER
from voicebot.rtp.sending import TIMESTAMP_STEP, Payloads
from voicebot.rtp.session import RtpSession

_WORDS = HEADER.size // 4
_STEP = np.array([1, TIMESTAMP_STEP, 0], dtype=np.uint32)
"""From one header to the next, in words: sequence number, timestamp, SSRC. Where the sequence number wraps
the
payload type comes out wrong, and the session finds the step again."""


class Lockstep:
    """The sessions of some calls, as rows.

    Each tick: `compare()`, then for every row out of step its session's `receive()` and `take()` between
    `leave()` and `join()`. A session's figures are only right after `leave()`.
    """

    def __init__(self, sessions: Sequence[RtpSession], payload_bytes: int) -> None:
        self._sessions = tuple(sessions)
        self._packet_bytes = HEADER.size + payload_bytes
        self._blank = bytes(self._packet_bytes)
        self._expected = np.zeros((len(self._sessions), _WORDS), dtype=np.uint32)
        self._joined = np.zeros(len(self._sessions), dtype=np.bool_)  # rows whose next header can be told
        self._steps = np.zeros(
            len(self._sessions), dtype=np.int64
        )  # packets that the sessions do not know of
        self._in_step = np.zeros(len(self._sessions), dtype=np.bool_)
        self._tick = 0

    def compare(self, datagrams: Sequence[bytes], tick: int) -> tuple[Payloads, list[int]]:
        """Return all payloads, and the rows out of step (whose payloads mean nothing).

        `datagrams` holds what came first for each row in this tick, b"" for nothing.
        """
        size = self._packet_bytes
        if set(map(len, datagrams)) != {size}:
            datagrams = [datagram if len(datagram) == size else self._blank for datagram in datagrams]
        packets = np.frombuffer(b"".join(datagrams), dtype=np.uint8).reshape(-1, size)
        headers = packets[:, : HEADER.size].view(">u4")
        in_step = (headers == self._expected).all(axis=1) & self._joined
        self._steps += in_step
        self._in_step = in_step
        self._expected += _STEP
        self._tick = tick
        return packets[:, HEADER.size :], [] if in_step.all() else np.flatnonzero(~in_step).tolist()

    def undo(self) -> None:
        """Take the last comparison back: these packets are not one tick's, some ticks were skipped."""
        self._steps -= self._in_step
        self._tick -= 1

    def leave(self, row: int) -> None:
        """Tell a row's session what it missed; the row is out of step until `join()`."""
        steps = int(self._steps[row])
        if steps:
            self._steps[row] = 0
            self._sessions[row].catch_up(steps, self._tick)
        self._joined[row] = False

    def leave_all(self) -> None:
        for row in range(len(self._sessions)):
            self.leave(row)

    def join(self, row: int) -> None:
        """After a tick out of step: a row whose next header can be told is in step again."""
        header = self._sessions[row].next_header(self._tick)
        if header is not None:
            self._expected[row] = header
            self._joined[row] = True
