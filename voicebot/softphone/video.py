"""A telephone's picture: RTP packets whose content nobody decodes, sent and counted.

Enough to prove that pictures pass: each packet holds the sender's mark, and the receiver counts marks.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections import Counter
from collections.abc import Sequence

from voicebot.rtp.packet import MalformedPacket, RtpPacket, parse
from voicebot.softphone.sdp import VP8, VideoStream

CLOCK = 90_000
"""RTP clock of video (RFC 7741)."""
TICKS_A_PICTURE = 2
"""Of 20 ms."""
HEADER = b"\x10\x00\x00\x9d\x01\x2a\x40\x00\x40\x00"
"""Begins a VP8 key frame of 64 by 64 (RFC 7741, 4.2; RFC 6386, 9.1)."""
MAX_DATAGRAM_BYTES = 2048


class Picture:
    """Sends `mark` over and over; `received` counts the marks of others. port: where packets are received."""

    def __init__(self, host: str, mark: bytes) -> None:
        self.mark = mark
        self.sent = 0
        self.received: Counter[bytes] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()
        self._remote: tuple[str, int] | None = None
        self._payload_type = VP8
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._ssrc = secrets.randbits(32)
        self._ticks = 0
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    def connect(self, streams: Sequence[VideoStream]) -> None:
        """Send to the first stream, which is our own; all others only come to us."""
        if streams and streams[0].port:
            self._remote = (streams[0].host, streams[0].port)
            self._payload_type = streams[0].payload_type

    def tick(self) -> None:
        """Send what this 20 ms has of pictures."""
        self._ticks += 1
        if self._remote is None or self._ticks % TICKS_A_PICTURE:
            return
        packet = RtpPacket(
            self._payload_type, self._sequence, self._timestamp, self._ssrc, HEADER + self.mark, True
        )
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._timestamp = (self._timestamp + CLOCK * TICKS_A_PICTURE // 50) & 0xFFFFFFFF
        try:
            self._socket.sendto(packet.serialize(), self._remote)
        except OSError:
            return  # the far side's port is gone
        self.sent += 1

    def close(self) -> None:
        """Give the port back. Idempotent."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                packet = parse(self._socket.recv(MAX_DATAGRAM_BYTES))
            except OSError:
                return  # drained, or an ICMP error
            except MalformedPacket:
                continue
            if packet.payload.startswith(HEADER):
                self.received[bytes(packet.payload[len(HEADER) :])] += 1
