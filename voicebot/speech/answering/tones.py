"""Single steady tones: the beep before a recording, fax machines, and the operator's three rising tones.

Each loud frame that keeps the level of the one before is measured by Goertzel's filter at every LINE_HZ,
all at once as one matrix product. A frame is tonal when one line holds nearly all of its power; a tone is a
run of tonal frames on one line. Speech and music move, DTMF and ringback share their power between two lines.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from voicebot.audio.frames import FRAME_MS, Samples, samples_per_frame

LOWEST_HZ, HIGHEST_HZ = 375.0, 2200.0
LINE_HZ = 12.5
"""Distance of the bank's lines: a tone between two of them loses 5 % at the most."""
SHARE = 0.72
"""Share of a frame's power in one line that makes it tonal; noise 10 dB below a tone takes 9 %."""
STEADY_HZ = 19.0
"""A tone stays within this of where it began."""
STEADY_DB = 2.5
"""From one frame to the next a tone's level changes less."""
FAINTEST_DB = -48.0
GAP_FRAMES = 1
"""Frames within a tone that noise or a lost packet may spoil."""
AFTER_FRAMES = 3
"""So many frames without it end a tone."""
AROUND_FRAMES = 5
"""Before a tone is known, its two first frames are heard; what is before them counts as before it."""
SHORTEST_MS = 100
_FULL_SCALE = 32768.0


@dataclass(frozen=True, slots=True)
class Tone:
    """A tone that has ended, or, if `sounding`, has become longer than asked for.

    began_ms, ended_ms: ends of the frames around it
    rise_db, fall_db:   how much quieter it was just before and just after; a vowel that is a single tone has
                        more of its word on one side
    """

    hz: float
    began_ms: int
    ended_ms: int
    level_db: float
    rise_db: float = 0.0
    fall_db: float = 0.0
    sounding: bool = False

    @property
    def ms(self) -> int:
        return self.ended_ms - self.began_ms


@cache
def _bank(sample_rate: int) -> npt.NDArray[np.float32]:
    """The cosines and sines of all lines, shape (2 * lines, samples_per_frame)."""
    lines = np.arange(LOWEST_HZ, HIGHEST_HZ + 1, LINE_HZ)
    turns = np.outer(lines, np.arange(samples_per_frame(sample_rate))) * (2 * np.pi / sample_rate)
    return np.concatenate([np.cos(turns), np.sin(turns)]).astype(np.float32)


class Tones:
    """One callee's tones.

    sounding:  whether the latest frame belongs to what may become a tone
    passed_ms: length of what has just turned out to be none; whoever reads it sets it to 0
    """

    def __init__(self, sample_rate: int) -> None:
        self._bank = _bank(sample_rate)
        self._lines = len(self._bank) // 2
        self._size = samples_per_frame(sample_rate)
        self._before = 0.0  # level of the frame before
        self._frames = 0  # tonal ones of the run
        self._hz = 0.0
        self._level = 0.0
        self._began = self._last = 0
        self._missed = 0
        self._long = False
        self._levels: deque[float] = deque([-96.0] * AROUND_FRAMES, AROUND_FRAMES)
        self._before_db = self._after_db = 0.0
        self.sounding = False
        self.passed_ms = 0

    def hear(self, samples: Samples, level_db: float, at_ms: int, tell_after_ms: int) -> Tone | None:
        """Take the next frame; return a tone that ended, or that has just become longer than
        `tell_after_ms`.
        """
        before, self._before = self._before, level_db
        running = self._frames > 0
        hz = 0.0
        if level_db >= FAINTEST_DB and (running or -STEADY_DB < level_db - before < STEADY_DB):
            hz = self._measure(samples, level_db)
        if not running:
            self._levels.append(level_db)
            if hz:
                self._begin(hz, level_db, at_ms, 2)
                self._before_db = max(self._levels[0], self._levels[1])
            return None
        if hz and abs(hz - self._hz) <= STEADY_HZ and abs(level_db - self._level) <= 2 * STEADY_DB:
            self._frames += 1
            self._last = at_ms
            self._missed = 0
            self.sounding = True
            if not self._long and at_ms - self._began >= tell_after_ms:
                self._long = True
                return Tone(self._hz, self._began, at_ms, self._level, sounding=True)
            return None
        self._missed += 1
        # The first frame after it may hold its end.
        self._after_db = level_db if self._missed == 2 else max(self._after_db, level_db)
        self.sounding = self._missed <= GAP_FRAMES
        if hz and self._missed > GAP_FRAMES:  # another tone follows at once
            ended = self._ended()
            self._begin(hz, level_db, at_ms, 1)
            return ended
        if self._missed >= AFTER_FRAMES:
            return self._ended()
        return None

    def _begin(self, hz: float, level_db: float, at_ms: int, frames: int) -> None:
        self._hz, self._level, self._frames, self._missed = hz, level_db, frames, 0
        self._began, self._last, self._long = at_ms - frames * FRAME_MS, at_ms, False
        self._before_db = self._after_db = level_db
        self.sounding = True

    @property
    def running(self) -> bool:
        """Whether there is a tone whose end is not known yet."""
        return self._frames > 0

    def _ended(self) -> Tone | None:
        frames, self._frames = self._frames, 0
        self.sounding = False
        length = self._last - self._began
        self._levels.extend([self._after_db] * AROUND_FRAMES)
        self.passed_ms = length
        if length < SHORTEST_MS or frames * FRAME_MS < 0.7 * length:
            return None
        self.passed_ms = 0
        return Tone(
            self._hz,
            self._began,
            self._last,
            self._level,
            rise_db=self._level - self._before_db,
            fall_db=self._level - self._after_db,
        )

    def _measure(self, samples: Samples, level_db: float) -> float:
        """Return the line that holds nearly all of the frame's power, in Hz; 0: none does."""
        parts = self._bank @ samples.astype(np.float32)
        parts *= parts
        power = parts[: self._lines] + parts[self._lines :]
        line = int(power.argmax())
        whole = 10 ** (level_db / 10) * (self._size * _FULL_SCALE) ** 2 / 2
        return LOWEST_HZ + LINE_HZ * line if float(power[line]) >= SHARE * whole else 0.0
