"""Listening to a call from outside, without its parties knowing: both sides, frame by frame.

with live.listen(call_id) as ear:
    async for caller, bot in ear: ...
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from voicebot.call.privacy import Privacy

MOST_FRAMES = 100
"""20 ms frames (two seconds) that wait for a listener; older ones are dropped."""

Frames = tuple[bytes, bytes]
"""20 ms of the caller and of the bot: 16-bit little-endian mono."""


class Ear:
    """One listener. Iterating ends when the call does, or by `close()`.

    sample_rate:  of both sides' PCM, in Hz
    dropped:      frames that were lost since nobody took them in time

    While anything sensitive is on the line both sides are silent. It costs the call one slice a frame; it
    never waits for whoever listens.
    """

    def __init__(self, sample_rate: int, privacy: Privacy, left: Callable[[Ear], None]) -> None:
        self.sample_rate = sample_rate
        self.dropped = 0
        self._privacy = privacy
        self._left = left
        self._frames: deque[Frames] = deque()
        self._wake = asyncio.Event()
        self._open = True

    @property
    def open(self) -> bool:
        return self._open

    def take(self, caller: bytes, bot: bytes) -> None:
        """Take one frame of each side from the media tick."""
        if self._privacy.secret:
            caller = bot = bytes(len(caller))
        if len(self._frames) >= MOST_FRAMES:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append((caller, bot))
        if not self._wake.is_set():
            self._wake.set()

    async def some(self) -> tuple[Frames, ...]:
        """Wait for frames, and return all that have come; none once it is closed."""
        await self._wake.wait()
        some = tuple(self._frames)
        self._frames.clear()
        if self._open:
            self._wake.clear()
        return some

    async def __aiter__(self) -> AsyncIterator[Frames]:
        while some := await self.some():
            for frames in some:
                yield frames

    def close(self) -> None:
        """Listen no more. Idempotent."""
        if self._open:
            self._open = False
            self._left(self)
            self._wake.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
