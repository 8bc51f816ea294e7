"""A voice that is spoken now: pieces of PCM come as a network brings them, frames leave one a tick."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import numpy as np

from voicebot.audio.frames import FRAME_MS, bytes_per_frame, to_pcm, to_samples

BEGIN_MS = 60
"""So much must be there before it is heard, at first and after a gap: pieces come unevenly."""
MOST_MS = 240
"""More is never kept: the oldest is dropped, so that a burst does not become a lasting delay."""


class LiveVoice:
    """A small jitter queue. `dropped` and `gaps` count frames thrown away, and times when it ran dry."""

    def __init__(self, sample_rate: int) -> None:
        self._frame = bytes_per_frame(sample_rate)
        self._rest = bytearray()
        self._frames: deque[bytes] = deque()
        self._flows = False
        self.dropped = 0
        self.gaps = 0

    def feed(self, pcm: bytes) -> None:
        """Take 16-bit little-endian mono of any length."""
        self._rest += pcm
        while len(self._rest) >= self._frame:
            self._frames.append(bytes(self._rest[: self._frame]))
            del self._rest[: self._frame]
        while len(self._frames) > MOST_MS // FRAME_MS:
            self._frames.popleft()
            self.dropped += 1

    def next_frame(self) -> bytes | None:
        """Return the next 20 ms, None for silence."""
        if not self._flows and len(self._frames) < BEGIN_MS // FRAME_MS:
            return None
        self._flows = True
        if self._frames:
            return self._frames.popleft()
        self._flows = False
        self.gaps += 1
        return None


def mixed(frames: Sequence[bytes | None]) -> bytes | None:
    """Return several frames as one, None where all are silent. What gets too loud is clipped."""
    heard = [frame for frame in frames if frame is not None]
    if len(heard) < 2:
        return heard[0] if heard else None
    total = np.sum([to_samples(frame) for frame in heard], axis=0, dtype=np.int32)
    return to_pcm(np.clip(total, -32768, 32767).astype(np.int16))
