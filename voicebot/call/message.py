"""Records a message of the caller to a wav file, from the first word to the end of the last.

It ends by silence (the end-pointer's), by a key, at its longest, or with the call. Frames come from the media
tick; the disk is written in a thread. A message that was not finished is no message: the file gets its name
only when it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import structlog

from voicebot.audio.frames import BYTES_PER_SAMPLE, duration_ms
from voicebot.dialog.turns import MessageRecorded, RecordMessage
from voicebot.media.port import HeardFrame
from voicebot.speech.endpointer import Endpointer, SpeechEnded, SpeechStarted

log = structlog.get_logger(__name__)

TAIL_MS = 200
"""Kept of the silence that ended a message."""
FLUSH_MS = 1000
FLUSH_LIMIT_S = 5.0

EndedBy = Literal["silence", "key", "longest", "hangup", "error", "supervisor"]


class MessageRecorder:
    """One message. `take` every frame from the moment the caller may speak, then `await finish(...)`.

    `ended(by)` is called from the media tick, once, when the message has ended by itself.
    """

    def __init__(
        self,
        path: Path,
        work: RecordMessage,
        sample_rate: int,
        endpointer: Endpointer,
        *,
        reserve_bytes: int,
        ended: Callable[[EndedBy], None],
        on_fault: Callable[[str], None],
    ) -> None:
        self._path = path
        self._part = path.with_suffix(".wav.part")
        self._work = work
        self._rate = sample_rate
        self._endpointer = endpointer
        endpointer.configure(pause_ms=work.silence_ms, longest_ms=work.longest_ms)
        self._reserve = reserve_bytes
        self._tell = ended
        self._on_fault = on_fault
        self._audio = bytearray()  # not yet given to the disk
        self._begun = False
        self._over = False
        self._waited_ms = 0
        self._preroll_bytes = 0
        self._written = 0  # bytes given to the disk
        self._kept_back = self._bytes(work.silence_ms + FLUSH_MS)  # may turn out to be the silence at the end
        self._file: wave.Wave_write | None = None
        self._pending: asyncio.Task[None] | None = None
        self._failed = False

    def take(self, frame: HeardFrame) -> None:
        """Take the next 20 ms of the caller; never blocks."""
        if self._over:
            return
        if self._begun:
            self._audio += frame.pcm
        else:
            self._waited_ms += duration_ms(len(frame.pcm), self._rate)
        for event in self._endpointer.push(frame.speech, frame.level_db, frame.pcm):
            if isinstance(event, SpeechStarted) and not self._begun:
                self._begun = True
                self._audio = bytearray(event.preroll)
                self._preroll_bytes = max(0, len(event.preroll) - self._bytes(event.age_ms))
            elif isinstance(event, SpeechEnded):
                if not event.cut and (surplus := self._bytes(event.age_ms - TAIL_MS)) > 0:
                    del self._audio[-surplus:]
                self._end("longest" if event.cut else "silence")
                return
        if not self._begun and self._waited_ms >= self._work.noinput_ms:
            self._end("silence")
        elif len(self._audio) >= self._kept_back + self._bytes(FLUSH_MS):
            self._flush_soon()

    def press(self, key: str) -> None:
        """Take a key of the caller's; one that ends no message is ignored."""
        if not self._over and key in self._work.keys:
            self._end("key")

    async def finish(self, by: EndedBy) -> MessageRecorded:
        """Bring the message to its file and say what it is; without words, or too short, it is none."""
        self._over = True
        if self._pending is not None:
            await asyncio.wait([self._pending], timeout=FLUSH_LIMIT_S)
        length_ms = duration_ms(self._written + len(self._audio), self._rate)
        spoken_ms = length_ms - duration_ms(self._preroll_bytes, self._rate)
        if not self._failed and self._begun and spoken_ms >= self._work.shortest_ms:
            await self._on_disk(self._write_last, bytes(self._audio))
            if not self._failed:
                return MessageRecorded(str(self._path), length_ms, by)
        await asyncio.to_thread(self._throw_away)
        return MessageRecorded("", 0, "error" if self._failed else by)

    def _end(self, by: EndedBy) -> None:
        self._over = True
        self._tell(by)

    def _bytes(self, ms: int) -> int:
        return ms * self._rate // 1000 * BYTES_PER_SAMPLE

    def _flush_soon(self) -> None:
        if self._failed or (self._pending is not None and not self._pending.done()):
            return
        size = len(self._audio) - self._kept_back
        piece = bytes(self._audio[:size])
        del self._audio[:size]
        self._written += size
        self._pending = asyncio.create_task(self._on_disk(self._write, piece), name="message")

    # --- the disk ---------------------------------------------------------------------------------------

    async def _on_disk(self, write: Callable[[bytes], None], pcm: bytes) -> None:
        try:
            await asyncio.to_thread(write, pcm)
        except OSError as error:
            log.error("message lost", error=str(error))
            self._on_fault(f"message lost: {error.strerror or error}")
            self._failed = True
            if not self._over:
                self._end("error")

    def _write(self, pcm: bytes) -> None:
        if self._file is None:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._file = wave.open(str(self._part), "wb")  # noqa: SIM115 - closed by the last write
            self._file.setnchannels(1)
            self._file.setsampwidth(BYTES_PER_SAMPLE)
            self._file.setframerate(self._rate)
        if shutil.disk_usage(self._part.parent).free < self._reserve:
            raise OSError("free disk space is below limits.reserve_mb")
        self._file.writeframes(pcm)

    def _write_last(self, pcm: bytes) -> None:
        self._write(pcm)
        assert self._file is not None
        self._file.close()
        self._part.rename(self._path)

    def _throw_away(self) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        with contextlib.suppress(OSError):
            self._part.unlink(missing_ok=True)
