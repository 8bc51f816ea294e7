"""Audio that comes in bursts, by somebody else's clock, given out a frame a tick by ours.

A browser's samples arrive by TCP: some at once, then none. A few frames wait, so that bursts do not show. The
two clocks drift apart by up to a second in an hour: where more waits than bursts need, a quiet frame is left
out; where nothing waits, the caller is silent until some frames have gathered again.
"""

from __future__ import annotations

from collections import deque

from voicebot.audio.frames import FRAMES_PER_SECOND, to_samples
from voicebot.audio.levels import level_db

READY_FRAMES = 3
"""So many wait before the first one is given out (60 ms)."""
MOST_FRAMES = 25
"""More (500 ms) never wait: the oldest are dropped."""
SPARE_FRAMES = 10
"""If so many wait all the time, one is left out even where it is not quiet."""
REVIEW_TICKS = FRAMES_PER_SECOND
"""The frames that nobody needed are those which waited through all of so many ticks."""
QUIET_DB = -45.0


class Pacer:
    """`put()` what comes, `take()` a frame a tick.

    dropped:  frames that were left out
    dry:      how often nothing was there
    """

    def __init__(self, frame_bytes: int) -> None:
        self.dropped = 0
        self.dry = 0
        self._size = frame_bytes
        self._rest = b""  # not yet a frame
        self._frames: deque[bytes] = deque()
        self._gathering = True
        self._least = MOST_FRAMES  # that waited, in this review
        self._ticks = 0

    @property
    def waiting(self) -> int:
        """Frames that wait."""
        return len(self._frames)

    def put(self, pcm: bytes) -> None:
        """Take 16-bit PCM of any length; of too much only the latest is kept, of half a sample nothing."""
        pcm = pcm[: len(pcm) // 2 * 2]
        whole = self._rest + pcm[-(MOST_FRAMES + 1) * self._size :]
        end = len(whole) - len(whole) % self._size
        self._frames.extend(whole[at : at + self._size] for at in range(0, end, self._size))
        self._rest = whole[end:]
        while len(self._frames) > MOST_FRAMES:
            self._frames.popleft()
            self.dropped += 1

    def take(self) -> bytes | None:
        """Return the next frame, None where there is none for this tick."""
        if self._gathering and len(self._frames) < READY_FRAMES:
            return None
        self._gathering = False
        if not self._frames:
            self._gathering = True
            self.dry += 1
            self._review(0)
            return None
        frame = self._frames.popleft()
        self._review(len(self._frames))
        return frame

    def _review(self, left: int) -> None:
        """Leave quiet frames out, where more than enough have waited for a while."""
        self._least = min(self._least, left)
        self._ticks += 1
        if self._ticks < REVIEW_TICKS:
            return
        spare = self._least - READY_FRAMES
        if spare > 0 and not self._is_quiet() and spare < SPARE_FRAMES:
            return  # the next quiet frame will do
        for number in range(spare):
            if number and not self._is_quiet():
                break
            self._frames.popleft()
            self.dropped += 1
        self._least, self._ticks = MOST_FRAMES, 0

    def _is_quiet(self) -> bool:
        return level_db(to_samples(self._frames[0])) < QUIET_DB
