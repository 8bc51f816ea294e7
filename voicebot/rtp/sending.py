"""Packets that leave: the numbers of one call's stream, and the packets of many calls made in one go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from voicebot.audio.frames import FRAME_MS
from voicebot.rtp.packet import HEADER, MARKER, PLAIN

CLOCK_HZ = 8000
"""RTP clock of every codec we speak, G.722 among them (RFC 3551, 4.5.2)."""

TIMESTAMP_STEP = CLOCK_HZ * FRAME_MS // 1000

Payloads = npt.NDArray[np.uint8]
"""One payload of each call, shape (n_calls, payload_bytes)."""

_WORDS = HEADER.size // 4
_SEQUENCE = np.uint32(0xFFFF)
_KIND_WITHOUT_MARKER = np.uint32(0xFFFF0000 & ~(MARKER << 16))


class OutgoingStream:
    """What numbers one call's packets: the header of the next one, in words, and how many there were.

    `ssrc`, `sequence` and `timestamp` of the first packet should be random (RFC 3550, 5.1); it has the
    marker set.
    """

    __slots__ = ("header", "packets")

    def __init__(self, payload_type: int, *, ssrc: int, sequence: int, timestamp: int) -> None:
        kind = PLAIN << 24 | (MARKER | payload_type) << 16
        self.header = (kind | sequence, timestamp, ssrc)
        self.packets = 0


class OutgoingStreams:
    """The streams of some calls, as rows. Each tick: `packets()`. Their numbers are only right after
    `leave()`.
    """

    def __init__(self, streams: Sequence[OutgoingStream], payload_bytes: int) -> None:
        self._streams = tuple(streams)
        headers = [stream.header for stream in streams]
        self._headers = np.array(headers, dtype=np.uint32).reshape(-1, _WORDS)
        self._packets = np.empty((len(headers), HEADER.size + payload_bytes), dtype=np.uint8)
        self._made = 0

    def packets(self, payloads: Payloads) -> list[bytes]:
        """Return each call's next packet."""
        packets, headers = self._packets, self._headers
        packets[:, : HEADER.size] = headers.astype(">u4").view(np.uint8)
        packets[:, HEADER.size :] = payloads
        first = headers[:, 0]
        headers[:, 0] = (first & _KIND_WITHOUT_MARKER) | ((first + np.uint32(1)) & _SEQUENCE)
        self.skip(1)
        self._made += 1
        data = packets.tobytes()
        size = packets.shape[1]
        return [data[start : start + size] for start in range(0, len(data), size)]

    def skip(self, frames: int) -> None:
        """Let time pass without packets: timestamps go on, sequence numbers do not."""
        self._headers[:, 1] += np.uint32(frames * TIMESTAMP_STEP & 0xFFFFFFFF)

    def leave(self) -> None:
        """Tell the streams where they are."""
        for stream, header in zip(self._streams, self._headers.tolist(), strict=True):
            stream.header = (header[0], header[1], header[2])
            stream.packets += self._made
        self._made = 0
