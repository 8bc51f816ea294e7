"""The media of a call over AGI: its prompts are files, its voice comes over EAGI or not at all.

It stands in the place of `media.port.MediaPort`, and `AgiMedia` in that of `media.loop.MediaLoop`: the call
does not know the difference.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voicebot.audio.frames import bytes_per_frame, to_samples
from voicebot.audio.levels import levels_db
from voicebot.fastagi.dialogs.playout import SAMPLE_RATE, FilePlayout
from voicebot.media.port import HeardFrame, MediaListener, MediaStatistics, Tap
from voicebot.speech.vad import Vad

QUIET_DB = -70.0
"""Below this no detector need be asked."""
FRAME_BYTES = bytes_per_frame(SAMPLE_RATE)


class AgiPort:
    """One call's. `changed` is set whenever the line has to look what to play."""

    host, port, codec = "", 0, "slin"
    sample_rate = SAMPLE_RATE

    def __init__(self, vad: Vad, listener: MediaListener) -> None:
        self.changed = asyncio.Event()
        self.playout = FilePlayout(self.changed.set, self._began, self._finished)
        self.taps: tuple[Tap, ...] = ()
        self.open = True
        self._vad = vad
        self._listener = listener
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._rest = b""
        self._frames = 0

    def connect(self, host: str, port: int) -> None:
        """There is no peer to send to."""

    def add_tap(self, tap: Tap) -> None:
        self.taps = (*self.taps, tap)

    def remove_tap(self, tap: Tap) -> None:
        self.taps = tuple(each for each in self.taps if each != tap)

    def statistics(self) -> MediaStatistics:
        return MediaStatistics(received=self._frames, underruns=self.playout.underruns)

    def close(self) -> None:
        self.open = False

    def feed(self, pcm: bytes) -> None:
        """Take what the caller says: 16-bit little-endian mono at 8 kHz, of any length."""
        data = self._rest + pcm
        whole = len(data) // FRAME_BYTES * FRAME_BYTES
        self._rest = data[whole:]
        for start in range(0, whole, FRAME_BYTES):
            if self.open:
                self._hear(data[start : start + FRAME_BYTES])

    def _hear(self, frame: bytes) -> None:
        self._frames += 1
        level = levels_db(to_samples(frame).reshape(1, -1))[0]
        speech = level > QUIET_DB and self._vad.is_speech(frame, SAMPLE_RATE)
        self._listener.heard(HeardFrame(frame, speech, level, False, self._clock()))
        if self.taps:
            said = self.playout.next_frame() or bytes(FRAME_BYTES)
            for tap in self.taps:
                tap(frame, said)

    def _began(self, prompt_id: int) -> None:
        self._listener.prompt_started(prompt_id, self._clock())

    def _finished(self, prompt_id: int) -> None:
        self._listener.prompt_finished(prompt_id, self._clock())


class AgiMedia:
    """Opens the one port of a session."""

    def __init__(self) -> None:
        self.port: AgiPort

    def open_port(self, call_id: str, codec: str, *, vad: Vad, listener: MediaListener) -> AgiPort:
        self.port = AgiPort(vad, listener)
        return self.port
