"""A media port for tests of the leg alone: one UDP socket that sends a tone and counts what comes."""

from __future__ import annotations

import asyncio
import struct

TONE = bytes([0x12, 0x0F, 0x12, 0x8F] * 40)
"""20 ms of loud mu-law."""
TICK_S = 0.02


class TonePort:
    """Sends TONE to its peer every 20 ms; counts the packets, and the audible ones, that come."""

    codec = "ulaw"

    def __init__(self) -> None:
        self.host, self.port = "", 0
        self.received = 0
        self.audible = 0
        self.closed = False
        self.peers: list[tuple[str, int]] = []
        self._arrived = asyncio.Event()

    async def open(self) -> TonePort:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Receiver(self), local_addr=("127.0.0.1", 0)
        )
        self.host, self.port = self._transport.get_extra_info("sockname")[:2]
        return self

    def connect(self, host: str, port: int) -> None:
        if not self.peers:
            self._sender = asyncio.create_task(self._send())
        self.peers.append((host, port))

    def close(self) -> None:
        self.closed = True
        self._transport.close()
        if self.peers:
            self._sender.cancel()

    async def hears_speech(self, timeout: float = 3.0) -> None:
        """Wait until something audible comes from now on."""
        before = self.audible
        async with asyncio.timeout(timeout):
            while self.audible == before:
                self._arrived.clear()
                await self._arrived.wait()

    def take(self, datagram: bytes) -> None:
        self.received += 1
        if set(datagram[12:]) - {0xFF, 0x7F, 0xFE, 0x7E, 0xFD, 0x7D}:
            self.audible += 1
            self._arrived.set()

    async def _send(self) -> None:
        sequence = 0
        while not self._transport.is_closing():
            packet = struct.pack("!BBHII", 0x80, 0, sequence & 0xFFFF, sequence * 160, id(self) & 0xFFFFFFFF)
            self._transport.sendto(packet + TONE, self.peers[-1])
            sequence += 1
            await asyncio.sleep(TICK_S)


class _Receiver(asyncio.DatagramProtocol):
    def __init__(self, port: TonePort) -> None:
        self._port = port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._port.take(data)
