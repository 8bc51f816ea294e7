"""The audio line of one call: an RTP socket pair and what passed through it.

The phone's clock calls `tick()` every 20 ms; packets that come in are taken as soon as the loop sees them,
but stamped with the time at which the kernel received them: a busy event loop does not bend a measurement.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

from voicebot.rtp.packet import MalformedPacket, RtpPacket, parse, parse_event
from voicebot.softphone import hearing
from voicebot.softphone.mouth import Mouth
from voicebot.softphone.sdp import ULAW, Media

SO_TIMESTAMPNS = 35
"""Linux: have the kernel stamp datagrams (asm-generic/socket.h); the module `socket` does not name it."""
RECEIVE_BUFFER_BYTES = 1 << 20
MAX_DATAGRAM_BYTES = 2048
PORT_TRIES = 50


@dataclass(frozen=True, slots=True)
class ReceivedFrame:
    """One audio packet of the bot. `at` is monotonic seconds; `level_dbfs` its RMS; `payload` mu-law."""

    at: float
    sequence: int
    timestamp: int
    marker: bool
    level_dbfs: float
    payload: bytes

    @property
    def audible(self) -> bool:
        return self.level_dbfs > hearing.AUDIBLE_DBFS


@dataclass(frozen=True, slots=True)
class SentFrame:
    """One audio packet of ours. `late_ms` is how far behind the 20 ms grid it left."""

    at: float
    late_ms: float
    payload: bytes


class Line:
    """Sends what `mouth` says to `connect()`ed media, and keeps what comes back.

    `heard` is called for every audio packet, after it has been noted in `received` and `bot_speech`.
    """

    def __init__(self, host: str, heard: Callable[[], None]) -> None:
        self.received: list[ReceivedFrame] = []
        self.sent: list[SentFrame] = []
        self.keys_received = ""
        self.bot_speech = hearing.BotSpeech()
        self.mouth: Mouth | None = None
        self._heard = heard
        self._rtp, self._rtcp = _open_pair(host)
        self._rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.host, self.port = self._rtp.getsockname()
        self._remote: tuple[str, int] | None = None
        self._sequence = secrets.randbits(16)
        self._ssrc = secrets.randbits(32)
        self._event_payload_type: int | None = None
        self._last_event = -1
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._rtp, self._read)
        self._loop.add_reader(self._rtcp, self._drop_rtcp)

    def connect(self, media: Media) -> None:
        """Send to `media` from the next tick on; called again when the far side moves its audio."""
        self._remote = (media.host, media.port)
        self._event_payload_type = media.telephone_event
        if self.mouth is None:
            self.mouth = Mouth(secrets.randbits(32), media.telephone_event)
        else:
            self.mouth.telephone_event = media.telephone_event

    def tick(self, deadline: float) -> None:
        """Send this 20 ms. `deadline` is where the grid wanted it, in monotonic seconds."""
        if self.mouth is None or self._remote is None:
            return
        now = time.monotonic()
        for packet in self.mouth.tick(now):
            rtp = RtpPacket(
                packet.payload_type, self._sequence, packet.timestamp, self._ssrc, packet.data, packet.marker
            )
            self._sequence = (self._sequence + 1) & 0xFFFF
            try:
                self._rtp.sendto(rtp.serialize(), self._remote)
            except OSError:
                continue  # the far side's port is gone (ICMP) or the buffer is full: RTP goes on
            payload = packet.data if packet.payload_type == ULAW else b""
            self.sent.append(SentFrame(now, (now - deadline) * 1000, payload))

    def close(self) -> None:
        """Give the ports back. Idempotent."""
        for each in (self._rtp, self._rtcp):
            if each.fileno() >= 0:
                self._loop.remove_reader(each)
                each.close()

    def _read(self) -> None:
        while True:
            try:
                datagram, ancillary, _, _ = self._rtp.recvmsg(MAX_DATAGRAM_BYTES, 64)
            except BlockingIOError:
                return
            except OSError:
                return  # ICMP errors of our own packets surface here
            try:
                self._take(parse(datagram), _arrival(ancillary))
            except MalformedPacket:
                continue

    def _take(self, packet: RtpPacket, at: float) -> None:
        if packet.payload_type == ULAW:
            level = hearing.level_dbfs(packet.payload)
            self.received.append(
                ReceivedFrame(at, packet.sequence, packet.timestamp, packet.marker, level, packet.payload)
            )
            self.bot_speech.frame(at, level)
            self._heard()
        elif packet.payload_type == self._event_payload_type:
            event = parse_event(packet.payload)
            if event.end and packet.timestamp != self._last_event:  # the end comes three times
                self.keys_received += event.key
                self._last_event = packet.timestamp

    def _drop_rtcp(self) -> None:
        try:
            while True:
                self._rtcp.recv(MAX_DATAGRAM_BYTES)
        except OSError:
            return  # drained, or an ICMP error


def _arrival(ancillary: list[tuple[int, int, bytes]]) -> float:
    """Turn the kernel's stamp (wall clock) into monotonic seconds, which is what we measure in."""
    now = time.monotonic()
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= 16:
            seconds, nanoseconds = struct.unpack("qq", data[:16])
            age = time.time() - (int(seconds) + int(nanoseconds) / 1e9)
            return now - max(0.0, age)
    return now


def _open_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Bind an even port for RTP and the next one for RTCP (RFC 3550, section 11)."""
    for _ in range(PORT_TRIES):
        rtcp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            rtcp.bind((host, 0))
            port = rtcp.getsockname()[1]
            if port % 2:
                rtp.bind((host, port - 1))
                for each in (rtp, rtcp):
                    each.setblocking(False)
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
                return rtp, rtcp
        except OSError:
            pass  # the even neighbour is taken: try another pair
        rtp.close()
        rtcp.close()
    raise OSError(f"no free pair of UDP ports on {host}")
