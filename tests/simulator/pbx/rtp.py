"""RTP inside the simulated PBX: a socket a channel, keys taken out, audio passed on."""

from __future__ import annotations

import asyncio
import secrets
import socket
import struct
from collections.abc import Callable

ULAW = 0
TELEPHONE_EVENT = 101
KEYS = "0123456789*#ABCD"


class RtpSocket:
    """One channel's RTP: audio goes to `heard(payload, timestamp, marker)`, keys to `keyed(digit, ms)`."""

    def __init__(
        self, host: str, heard: Callable[[bytes, int, bool], None], keyed: Callable[[str, int], None]
    ) -> None:
        self._heard, self._keyed = heard, keyed
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.setblocking(False)
        self.host, self.port = self._socket.getsockname()
        self.remote: tuple[str, int] | None = None
        self.received = 0
        self._sequence = secrets.randbits(16)
        self._ssrc = secrets.randbits(32)
        self._last_key = -1
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    def send(self, payload: bytes, timestamp: int, marker: bool) -> None:
        """Pass audio on as Asterisk does between two: own SSRC and sequence, no pacing."""
        if self.remote is None or self._socket.fileno() < 0:
            return
        header = struct.pack("!BBHII", 0x80, ULAW | marker << 7, self._sequence, timestamp, self._ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        try:
            self._socket.sendto(header + payload, self.remote)
        except OSError:
            return  # the far side's port is gone

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._socket.close()

    def _read(self) -> None:
        while self._socket.fileno() >= 0:
            try:
                datagram = self._socket.recv(2048)
            except OSError:
                return
            if len(datagram) < 12:
                continue
            second, timestamp = struct.unpack_from("!xB2xI", datagram)
            self.received += 1
            if second & 0x7F == TELEPHONE_EVENT:
                event, end, duration = struct.unpack_from("!BBH", datagram, 12)
                if end & 0x80 and timestamp != self._last_key:
                    self._last_key = timestamp
                    self._keyed(KEYS[event], duration // 8)
            else:
                self._heard(datagram[12:], timestamp, bool(second & 0x80))
