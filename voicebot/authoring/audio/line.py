"""A bad telephone line: what noise, echo, loss and jitter make of a caller's speech. Pure; chance is seeded.

The caller's 20 ms frames get the noise of the room and the echo of the bot, are coded as G.711, and become
RTP packets; some are lost, others come late. What comes out is what a socket would get, tick by tick.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import Samples
from voicebot.rtp.packet import RtpPacket

RATE = 8000
FRAME = 160
SPEECH_DB = -26.0
"""Active level of callers in dBFS: the nominal level of telephone speech (ITU-T P.56, -26 dBov)."""
LINE_NOISE_DB = -65.0
"""What the quietest line still hisses."""
ROOM_TILT = 0.95
"""Of the filter that gives noise the spectrum of a room: about -6 dB an octave (Hoth, ITU-T P.800)."""


@dataclass(frozen=True, slots=True)
class Impairment:
    """What a line does to a call.

    loss:        share of packets lost, 0 to 1; in bursts of `burst` packets on average (Gilbert's model)
    jitter_ms:   standard deviation of the packets' delay
    snr_db:      the caller's active speech above the noise of the room
    echo_db:     the bot's own words come back so much quieter (negative), None for not at all
    echo_ms:     after so long
    """

    loss: float = 0.0
    burst: float = 1.0
    jitter_ms: float = 0.0
    snr_db: float = 39.0
    echo_db: float | None = None
    echo_ms: int = 120


PRESETS = {
    "clean": Impairment(),
    "mobile": Impairment(loss=0.01, burst=2, jitter_ms=15, snr_db=20, echo_db=-45, echo_ms=180),
    "bad": Impairment(loss=0.05, burst=3, jitter_ms=40, snr_db=12, echo_db=-30, echo_ms=250),
}
"""`clean`: an office on a good line. `mobile`: a street with some traffic, fair reception, an echo canceller
that works. `bad`: a loud station, poor reception, and a canceller that does not keep up."""


class Line:
    """The caller's way to us. Give `send` what the caller says and the bot said in each tick, then `due` is
    what arrives before it.
    """

    def __init__(self, impairment: Impairment, seed: int = 0) -> None:
        self._way = impairment
        self._random = np.random.default_rng(seed)
        self._ssrc, self._sequence, self._timestamp = 0x5EED0000 + seed, 1000, 0
        self._tick = 0
        self._losing = False
        self._room = 0.0  # the filter's memory
        self._bot: deque[Samples] = deque([_silence()] * max(1, impairment.echo_ms // 20))
        self._underway: list[tuple[int, int, bytes]] = []  # tick, order, packet
        self._latest = 0
        self.sent = self.lost = 0
        noise_db = max(LINE_NOISE_DB, SPEECH_DB - impairment.snr_db)
        self._noise = 32768 * 10 ** (noise_db / 20)

    def tick(self, said: Samples | None, bot: Samples | None) -> list[bytes]:
        """Take 20 ms of the caller and of the bot (None for silence); return the packets that arrive."""
        self._send(self._mixed(said, bot))
        self._tick += 1
        due = []
        while self._underway and self._underway[0][0] <= self._tick:
            due.append(heapq.heappop(self._underway)[2])
        return due

    def _mixed(self, said: Samples | None, bot: Samples | None) -> Samples:
        frame = self._hiss()
        if said is not None:
            frame += said
        self._bot.append(_silence() if bot is None else bot)
        old = self._bot.popleft()
        if self._way.echo_db is not None:
            frame += old * 10 ** (self._way.echo_db / 20)
        mixed: Samples = np.clip(np.round(frame), -32768, 32767).astype(np.int16)
        return mixed

    def _hiss(self) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        white = self._random.standard_normal(FRAME)
        room = np.empty(FRAME)
        level, gain = self._room, float(np.sqrt(1 - ROOM_TILT**2))
        for at in range(FRAME):
            level = ROOM_TILT * level + gain * white[at]
            room[at] = level
        self._room = level
        return room * self._noise

    def _send(self, frame: Samples) -> None:
        packet = RtpPacket(
            0,
            self._sequence & 0xFFFF,
            self._timestamp & 0xFFFFFFFF,
            self._ssrc,
            g711.encode(frame, "ulaw").tobytes(),
            marker=self._tick == 0,
        )
        self._sequence += 1
        self._timestamp += FRAME
        self.sent += 1
        if self._is_lost():
            self.lost += 1
            return
        delay_ms = abs(self._random.normal(0, self._way.jitter_ms)) if self._way.jitter_ms else 0.0
        arrives = self._tick + 1 + int(delay_ms // 20)
        heapq.heappush(self._underway, (arrives, self.sent, packet.serialize()))

    def _is_lost(self) -> bool:
        way = self._way
        if not way.loss:
            return False
        leave = 1 / max(1.0, way.burst)
        enter = leave * way.loss / (1 - way.loss)
        self._losing = self._random.random() < ((1 - leave) if self._losing else enter)
        return self._losing


def _silence() -> Samples:
    return np.zeros(FRAME, np.int16)
