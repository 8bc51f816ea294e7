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

HEADER_WORD = np.dtype(">u4")
"""A header is three of these: V, P, X, CC, M, PT and sequence number; timestamp; SSRC."""

NEXT_HEADER = np.array([1, TIMESTAMP_STEP, 0], dtype=np.uint32)
"""From one header of a stream to the next. Where the sequence number wraps it carries into the payload
type.
"""

SEQUENCE_CYCLE = 1 << 16
_MARKER_WORD = MARKER << 16


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

    Packets are made in place, in one array; between two ticks only the headers' words are added to.
    """

    def __init__(self, streams: Sequence[OutgoingStream], payload_bytes: int) -> None:
        self._streams = tuple(streams)
        self._size = HEADER.size + payload_bytes
        self._packets = np.zeros((len(streams), self._size), dtype=np.uint8)
        self._headers = np.array([stream.header for stream in streams], dtype=np.uint32).reshape(-1, 3)
        self._header_places = self._packets[:, : HEADER.size].view(HEADER_WORD)
        self._payloads = self._packets[:, HEADER.size :]
        self._made = 0
        self._until_wrap = (
            1  # packets until some first word needs more than adding to; the marker goes after one
        )

    def packets(self, payloads: Payloads) -> list[bytes]:
        """Return each call's next packet."""
        self._header_places[:] = self._headers
        self._payloads[:] = payloads
        data = self._packets.tobytes()
        self._headers += NEXT_HEADER
        self._made += 1
        self._until_wrap -= 1
        if not self._until_wrap:
            self._wrap()
        size = self._size
        return [data[start : start + size] for start in range(0, len(data), size)]

    def _wrap(self) -> None:
        """Put right the first words: no marker, and no carry from the sequence number."""
        for row, stream in enumerate(self._streams):
            kind = stream.header[0] & ~_MARKER_WORD & 0xFFFF0000
            self._headers[row, 0] = kind | int(self._headers[row, 0]) & 0xFFFF
        sequences = [int(word) & 0xFFFF for word in self._headers[:, 0]]
        self._until_wrap = SEQUENCE_CYCLE - max(sequences, default=0)

    def skip(self, frames: int) -> None:
        """Let time pass without packets: timestamps go on, sequence numbers do not."""
        self._headers[:, 1] += np.uint32(frames * TIMESTAMP_STEP & 0xFFFFFFFF)

    def leave(self) -> None:
        """Tell the streams where they are."""
        for stream, header in zip(self._streams, self._headers.tolist(), strict=True):
            stream.header = (header[0], header[1], header[2])
            stream.packets += self._made
        self._made = 0
