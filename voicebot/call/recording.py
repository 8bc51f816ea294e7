"""The optional stereo recording of a call: caller left, bot right. Disk work happens in a thread."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from voicebot.audio.wav import StereoWriter
from voicebot.call.privacy import Privacy

log = structlog.get_logger(__name__)

FLUSH_FRAMES = 50  # one second of 20 ms frames goes to the disk at once
CLOSE_LIMIT_S = 5.0


class Recording:
    """Takes both directions frame by frame; silence while `privacy` asks for it, and while it is `paused`.

    failed:    the disk took no more, and nothing that follows;  on_failed: is told so, once
    """

    def __init__(
        self,
        path: Path,
        sample_rate: int,
        *,
        privacy: Privacy,
        reserve_bytes: int,
        on_fault: Callable[[str], None],
    ) -> None:
        self.path = path
        self.paused = False
        self.failed = False
        self.on_failed: Callable[[], None] = lambda: None
        self._skipped_ms = 0
        self._privacy = privacy
        self._rate = sample_rate
        self._reserve = reserve_bytes
        self._on_fault = on_fault
        self._frames: list[tuple[bytes, bytes]] = []
        self._writer: StereoWriter | None = None
        self._pending: asyncio.Task[None] | None = None

    def take(self, caller: bytes, bot: bytes) -> None:
        """Take one frame of 16-bit PCM of each side from the media tick; never blocks."""
        if self.failed:
            return
        if self._privacy.secret or self.paused:
            caller = bot = bytes(len(caller))
        self._frames.append((caller, bot))
        if len(self._frames) >= FLUSH_FRAMES and (self._pending is None or self._pending.done()):
            frames, self._frames = self._frames, []
            self._pending = asyncio.create_task(self._flush(frames), name="recording")

    def skip(self, ms: int) -> None:
        """Begin with so much silence, which takes no time and hardly any place; before the first frame."""
        self._skipped_ms = ms

    async def close(self) -> Path | None:
        """Write what is left. Returns the file's path, or None when nothing usable was recorded."""
        if self._pending is not None:
            await asyncio.wait([self._pending], timeout=CLOSE_LIMIT_S)
        await self._flush(self._frames)
        self._frames = []
        if self._writer is None:
            return None
        try:
            await asyncio.to_thread(self._writer.close)
        except OSError as error:
            self._fail(error)
        return self.path

    async def _flush(self, frames: list[tuple[bytes, bytes]]) -> None:
        if self.failed or not frames:
            return
        try:
            await asyncio.to_thread(self._write, frames)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Stop; what is on the disk stays there. Told once."""
        if not self.failed:
            self.failed = True
            log.error("recording stopped", error=str(error))
            self._on_fault(f"recording stopped: {error.strerror or error}")
            self.on_failed()

    def _write(self, frames: list[tuple[bytes, bytes]]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.path.parent).free < self._reserve:
            raise OSError("free disk space is below limits.reserve_mb")
        if self._writer is None:
            self._writer = StereoWriter(self.path, self._rate, skip_ms=self._skipped_ms)
        self._writer.add(b"".join(caller for caller, _ in frames), b"".join(bot for _, bot in frames))
