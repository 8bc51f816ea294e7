"""What a caller hears: levels of frames, and the bot's speech as segments of time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from voicebot.audio import g711, levels

AUDIBLE_DBFS = -45.0
"""A 20 ms frame above this level can be heard; line noise is far below, speech is above."""
SEGMENT_GAP_MS = 300
"""A pause longer than this parts two segments; pauses between words are shorter."""


def level_dbfs(ulaw: bytes) -> float:
    """Return the RMS level of mu-law samples against full scale, in dB; `levels.FLOOR_DB` for silence."""
    return levels.level_db(g711.decode(np.frombuffer(ulaw, np.uint8)))


@dataclass(slots=True)
class Segment:
    """The bot was audible: arrival times of the first and of the last audible packet, in seconds."""

    start: float
    end: float


@dataclass(slots=True)
class BotSpeech:
    """Follows whether the bot can be heard. `frame()` must be given every packet in order of arrival."""

    segments: list[Segment] = field(default_factory=list)

    def frame(self, at: float, level: float) -> None:
        """Take one packet that arrived `at` with `level` in dBFS."""
        if level <= AUDIBLE_DBFS:
            return
        if self.segments and at - self.segments[-1].end <= SEGMENT_GAP_MS / 1000:
            self.segments[-1].end = at
        else:
            self.segments.append(Segment(at, at))

    def first_audible(self, after: float) -> float | None:
        """Return when a segment first began after `after`; speech that was going on does not count."""
        return next((each.start for each in self.segments if each.start > after), None)

    def last_audible(self) -> float | None:
        return self.segments[-1].end if self.segments else None

    def quiet_ms(self, now: float) -> float:
        """Return for how long nothing was heard; infinite before the first word."""
        last = self.last_audible()
        return math.inf if last is None else (now - last) * 1000

    def speaking(self, now: float) -> bool:
        """Return whether a segment is going on (its pauses between words count as speech)."""
        return self.quiet_ms(now) <= SEGMENT_GAP_MS


def percentile(values: Iterable[float], share: float) -> float:
    """Return the `share` (0 to 1) percentile by linear interpolation. Raises ValueError without values."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("no values")
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
