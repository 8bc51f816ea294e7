"""A browser as the other end of a call's RTP: PCM in and out, real packets over loopback between.

So a browser call has the very media path that a telephone's has. The peer is driven by the call's own media
tick, once a tick: what the port has just sent is read, and the browser's next frame is sent for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections import deque
from collections.abc import Callable

import numpy as np

from voicebot.audio.frames import Samples, bytes_per_frame, silence, to_pcm, to_samples
from voicebot.audio.octave import Doubling, Halving
from voicebot.audio.pacing import Pacer
from voicebot.media.codecs import open_codec
from voicebot.media.doors import MAX_DATAGRAM_BYTES, MAX_PACKETS_A_TICK, RECEIVE_BUFFER_BYTES
from voicebot.rtp.sending import OutgoingStream, OutgoingStreams
from voicebot.rtp.session import RtpSession

BROWSER_RATE = 16000
"""Hz, of the PCM both ways."""
MOST_OUT = 50
"""Frames (1 s) that wait for a browser; older ones are dropped."""
WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class BrowserPeer:
    """host, port: where the call's port must send its RTP to.

    PCM is 16-bit little-endian mono at `BROWSER_RATE`. Raises OSError where no socket can be had.
    """

    def __init__(self, host: str, port: int, codec: str) -> None:
        host = WILDCARDS.get(host, host)
        coder = open_codec(codec)
        self.dropped = 0  # frames that the browser did not take
        self._coder = coder
        self._silence = to_samples(silence(coder.sample_rate))
        self._no_frame = silence(BROWSER_RATE)
        same = coder.sample_rate == BROWSER_RATE
        self._down: Callable[[Samples], Samples] = _same if same else Halving().push
        self._up: Callable[[Samples], Samples] = _same if same else Doubling().push
        self._pacer = Pacer(bytes_per_frame(BROWSER_RATE))
        self._session = RtpSession(coder.payload_type, coder.payload_bytes)
        stream = OutgoingStream(
            coder.payload_type,
            ssrc=secrets.randbits(32),
            sequence=secrets.randbits(16),
            timestamp=secrets.randbits(32),
        )
        self._outgoing = OutgoingStreams([stream], coder.payload_bytes)
        self._ticks = 0
        self._out: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._door.setblocking(False)
            self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
            self._door.bind((host, 0))
            self._door.connect((host, port))
        except OSError:
            self._door.close()
            raise
        self.host, self.port = self._door.getsockname()[:2]
        self.open = True

    @property
    def pacer(self) -> Pacer:
        """What waits of the browser's."""
        return self._pacer

    def feed(self, pcm: bytes) -> None:
        """Take what the microphone gave; any length, at any time."""
        if self.open:
            self._pacer.put(pcm)

    async def some(self) -> tuple[bytes, ...]:
        """Wait for frames of the bot, and return all that have come; none once it is closed."""
        await self._wake.wait()
        some = tuple(self._out)
        self._out.clear()
        if self.open:
            self._wake.clear()
        return some

    def tick(self) -> None:
        """20 ms have gone by. Called from the media tick; never raises, never waits."""
        if not self.open:
            return
        self._ticks += 1
        self._receive()
        frame = self._pacer.take()
        samples = self._silence if frame is None else self._down(to_samples(frame))
        packet = self._outgoing.packets(self._coder.encode(samples.reshape(1, -1)))[0]
        with contextlib.suppress(OSError):  # the port is gone, or full: it counts what is lost
            self._door.send(packet)

    def _receive(self) -> None:
        for _ in range(MAX_PACKETS_A_TICK):
            try:
                datagram = self._door.recv(MAX_DATAGRAM_BYTES)
            except OSError:  # nothing more
                break
            self._session.receive(datagram, self._ticks)
        payload = self._session.take()
        if payload is None:
            frame = self._no_frame
        else:
            heard = self._coder.decode(np.frombuffer(payload, dtype=np.uint8).reshape(1, -1))[0]
            frame = to_pcm(self._up(heard))
        if len(self._out) >= MOST_OUT:
            self._out.popleft()
            self.dropped += 1
        self._out.append(frame)
        self._wake.set()

    def close(self) -> None:
        """Idempotent."""
        if self.open:
            self.open = False
            self._door.close()
            self._wake.set()


def _same(samples: Samples) -> Samples:
    return samples
