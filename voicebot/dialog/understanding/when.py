"""Days, times and both together in the words of callers.

Three steps: patterns of the language find the pieces (`when_english.py`, `when_korean.py`), corrections
settle which of them count, and the call's clock and the slot's bounds tell which day and time they mean.
Of the libraries that read dates, the best understands six in ten of tests/data/understanding, none reads
"half past three, no, four", and none knows bounds. The names of months and days are the CLDR's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from voicebot.dialog.understanding.corrections import settled
from voicebot.dialog.understanding.line import Found, Line, Reading, is_day
from voicebot.dialog.understanding.quantities import is_pronoun
from voicebot.dialog.understanding.when_bounds import bound, in_zone, moved
from voicebot.dialog.understanding.when_english import english_pieces
from voicebot.dialog.understanding.when_korean import korean_pieces
from voicebot.dialog.understanding.when_parts import (
    Clock,
    Day,
    Delta,
    Impossible,
    Meridiem,
    Part,
    Piece,
    Wrong,
    corrected,
    day_of,
    merged,
    other_half,
    time_of,
)

_UNUSED_COST = 0.06
"""For each telling word beside a day or a time that was said unmistakably."""

_UNUSED_COST_BARE = 0.21
"""The same beside a mere number."""

_BARE_COST = 0.05

Placed = tuple[int, int, Piece]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What lies between these is allowed. Each is a day, a time of day, a moment, or open."""

    low: date | time | datetime | None = None
    high: date | time | datetime | None = None

    @classmethod
    def of(cls, between: Sequence[object] | None, now: datetime) -> Bounds:
        """Read the bounds of a slot; raises ValueError where they are no days or times."""
        if between is None:
            return cls()
        return cls(bound(str(between[0]), now), bound(str(between[1]), now))

    @property
    def days(self) -> tuple[date | None, date | None]:
        low, high = self.low, self.high
        return _day_part(low), _day_part(high)

    @property
    def times(self) -> tuple[time | None, time | None]:
        return (
            self.low if isinstance(self.low, time) else None,
            self.high if isinstance(self.high, time) else None,
        )

    def fault(self, value: date | time | datetime, now: datetime) -> str:
        """Return "", "past" or "range"."""
        too_early = self.low is not None and _less(value, self.low)
        too_late = self.high is not None and _less(self.high, value)
        if (
            too_early
            and not isinstance(value, time)
            and _less(value, now if not is_day(value) else now.date())
        ):
            return "past"
        return "range" if too_early or too_late else ""


def _day_part(value: date | time | datetime | None) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else None


def _less(one: date | time | datetime, other: date | time | datetime) -> bool:
    """Compare what both tell: a day with the day of a moment, a time of day with its time."""
    if isinstance(one, datetime) and isinstance(other, datetime):
        if (one.tzinfo is None) != (other.tzinfo is None):
            one, other = one.replace(tzinfo=None), other.replace(tzinfo=None)
        return one < other
    if isinstance(one, time) or isinstance(other, time):
        times = [
            v if isinstance(v, time) else v.time() if isinstance(v, datetime) else None for v in (one, other)
        ]
        return times[0] is not None and times[1] is not None and times[0] < times[1]
    days = (_day_part(one), _day_part(other))
    return days[0] is not None and days[1] is not None and days[0] < days[1]


def read_when(line: Line, kind: str, bounds: Bounds, now: datetime, language: str) -> Found:
    """Read a `date`, `time` or `datetime` (`kind`) at `now`, an aware moment in the zone of the call."""
    pieces = _pieces(line, kind, language)
    days = [p for p in pieces if isinstance(p[2], Day) or (isinstance(p[2], Wrong) and p[2].of == "day")]
    clocks = [
        p
        for p in pieces
        if isinstance(p[2], Clock | Delta) or (isinstance(p[2], Wrong) and p[2].of == "clock")
    ]
    parts = [p for p in pieces if isinstance(p[2], Part)]
    reader = _Reader(line, kind, bounds, now, [(s, e) for s, e, _ in pieces])
    return Found(reader.agreed(days, clocks, parts), reader.each(days, clocks, parts))


def _pieces(line: Line, kind: str, language: str) -> list[Placed]:
    """Find the pieces that do not overlap: the longest first, of equally long ones the earlier."""
    if line.lexicon.language == "ko":
        return _korean(line)
    found = sorted(english_pieces(line, language, kind), key=lambda p: (p[0] - p[1], p[0]))
    taken: list[Placed] = []
    used: set[int] = set()
    for start, end, piece in found:
        if used.isdisjoint(range(start, end)):
            used.update(range(start, end))
            taken.append((start, end, piece))
    return [p for p in sorted(taken, key=lambda p: p[:2]) if _meant(p, line, kind)]


def _korean(line: Line) -> list[Placed]:
    found = sorted(korean_pieces(line), key=lambda p: (p[0] - p[1], p[0]))
    taken: list[tuple[int, int, int, int, Piece]] = []
    for one in found:
        if all(one[1] <= other[0] or one[0] >= other[1] for other in taken):
            taken.append(one)
    return [(start, end, piece) for _, _, start, end, piece in sorted(taken, key=lambda p: p[0])]


_NO_HOUR_AFTER = frozenset(("the", "this", "that", "another", "a", "an", "any", "which", "some", "first"))
_NO_ORDINAL_BEFORE = frozenset(
    ("one", "time", "thing", "option", "available", "appointment", "of", "slot", "please", "opening")
)
_MARKS_ORDINAL = frozenset(("", "on", "no", "sorry", "mean", "say", "it", "for", "by", "day"))
_MARKS_HOUR = frozenset(("at", "around", "about", "by", "say", "it"))


def _meant(placed: Placed, line: Line, kind: str) -> bool:
    """Whether a mere number or ordinal may be a time or a day where it stands."""
    start, end, piece = placed
    before = line.tokens[start - 1] if start else ""
    after = line.tokens[end] if end < len(line.tokens) else ""
    if isinstance(piece, Clock) and piece.bare:
        if before in _NO_HOUR_AFTER or after in ("of", "percent") or is_pronoun(line.tokens, start, end):
            return False
        follows = end in line.content or after.isdigit()
        return (
            not follows
            or (before in _MARKS_HOUR and not after.isdigit())
            or after in ("works", "sharp", "suits")
        )
    if (
        isinstance(piece, Day)
        and piece.day is not None
        and piece.month is None
        and piece.months_ahead is None
    ):
        if after in _NO_ORDINAL_BEFORE or line.tokens[max(0, start - 2) : start] == ("week", "of"):
            return False
        return not piece.bare or (before in _MARKS_ORDINAL and end not in line.content)
    return True


class _Reader:
    def __init__(
        self, line: Line, kind: str, bounds: Bounds, now: datetime, spans: list[tuple[int, int]]
    ) -> None:
        self.line, self.kind, self.bounds, self.now, self.spans = line, kind, bounds, now, spans

    def agreed(self, days: list[Placed], clocks: list[Placed], parts: list[Placed]) -> Reading | None:
        """Return what the utterance as a whole says, None where it says nothing or several things."""
        day = self._one_day(days) if self.kind != "time" else None
        clock = self._one_clock(clocks) if self.kind != "date" else None
        if (days and day is None and self.kind != "time") or (
            clocks and clock is None and self.kind != "date"
        ):
            return None
        return self._reading(day, clock, parts)

    def each(self, days: list[Placed], clocks: list[Placed], parts: list[Placed]) -> tuple[Reading, ...]:
        """Return every day, time, or day with the time that follows it."""
        pairs: list[tuple[Placed | None, Placed | None]] = []
        if self.kind == "date":
            pairs = [(day, None) for day in days]
        elif self.kind == "time":
            pairs = [(None, clock) for clock in clocks]
        elif len(days) > 1 and len(clocks) > 1:
            pairs = list(zip(days, clocks, strict=False))
        else:
            pairs = [(day, clock) for day in days or (None,) for clock in clocks or (None,)]
        readings = (self._reading(day, clock, parts, alone=True) for day, clock in pairs)
        return tuple(reading for reading in readings if reading is not None)

    def _one_day(self, days: list[Placed]) -> Placed | None:
        groups = settled(days, self.line, self._others(days))
        if not groups:
            return None
        said: Placed | None = None
        for group in groups:
            joined = self._joined(group)
            if joined is None:
                return None
            if said is not None and isinstance(said[2], Day) and isinstance(joined[2], Day):
                joined = (joined[0], joined[1], corrected(said[2], joined[2]))
            said = joined
        return said

    def _joined(self, group: list[Placed]) -> Placed | None:
        start, end, first = group[0]
        for more_start, more_end, more in group[1:]:
            if first == more:
                continue
            if not (isinstance(first, Day) and isinstance(more, Day)):
                return None
            both = merged(first, more) if more_start - end <= 2 else None
            if both is None:
                if self._value_of(first) != self._value_of(more):
                    return None
                continue
            start, end, first = start, more_end, both
        return start, end, first

    def _value_of(self, day: Day) -> date | None:
        try:
            return day_of(day, self.now, *self.bounds.days)
        except Impossible:
            return None

    def _one_clock(self, clocks: list[Placed]) -> Placed | None:
        groups = settled(clocks, self.line, self._others(clocks))
        if not groups:
            return None
        said: Piece | None = None
        for group in groups:
            if any(piece != group[0][2] for _, _, piece in group):
                return None
            again = group[-1][2]
            if (
                isinstance(said, Clock)
                and isinstance(again, Clock)
                and not again.meridiem
                and not again.exact
            ):
                again = replace(again, meridiem=said.meridiem)
            said = again
        return (*groups[-1][-1][:2], said) if said is not None else None

    def _others(self, pieces: Iterable[Placed]) -> list[tuple[int, int]]:
        own = {(start, end) for start, end, _ in pieces}
        return [span for span in self.spans if span not in own]

    def _reading(
        self, day: Placed | None, clock: Placed | None, parts: list[Placed], *, alone: bool = False
    ) -> Reading | None:
        used = [p for p in (day, clock) if p is not None]
        if not used:
            return None
        start, end = min(p[0] for p in used), max(p[1] for p in used)
        value, invalid, other = self._value(day, clock, parts)
        if value is None:
            return None
        score = 1.0
        bare = all(isinstance(p[2], Clock | Day) and p[2].bare for p in used)
        score -= _BARE_COST if bare else 0.0
        if not alone:
            score -= (_UNUSED_COST_BARE if bare else _UNUSED_COST) * self.line.unused(self.spans)
        spans = tuple(p[:2] for p in used) if len(used) > 1 else ()
        return Reading(value, max(0.0, score), start, end, invalid, other, spans)

    def _value(
        self, day: Placed | None, clock: Placed | None, parts: list[Placed]
    ) -> tuple[date | time | datetime | None, str, date | time | datetime | None]:
        """Return the value, why it is not possible, and what it is in the other half of the day."""
        if any(p is not None and isinstance(p[2], Wrong) for p in (day, clock)):
            return self._today(), "form", None
        other: time | None = None
        try:
            on = day_of(day[2], self.now, *self.bounds.days) if day and isinstance(day[2], Day) else None
            at = None
            if clock is not None and isinstance(clock[2], Clock):
                part = self._part(day, parts)
                at = time_of(clock[2], part, *self.bounds.times)
                other = other_half(clock[2], part, at)
        except Impossible:
            return self._today(), "form", None
        delta = moved(self.now, clock[2].minutes) if clock and isinstance(clock[2], Delta) else None
        value, fault = self._whole(on, at, delta)
        if other is None:
            return value, fault, None
        second, second_fault = self._whole(on, other, None)
        if second_fault not in ("", "incomplete"):
            return value, fault, None
        return (second, second_fault, None) if fault == "range" else (value, fault, second)

    def _today(self) -> date | time:
        """Return what stands for a value that does not exist."""
        return self.now.time().replace(microsecond=0) if self.kind == "time" else self.now.date()

    def _whole(
        self, on: date | None, at: time | None, delta: datetime | None
    ) -> tuple[date | time | datetime | None, str]:
        now, bounds = self.now, self.bounds
        if delta is not None:
            moment = delta.replace(second=0, microsecond=0)
            value: date | time | datetime = moment if self.kind == "datetime" else moment.time()
            return value, bounds.fault(value, now)
        if self.kind == "date":
            return on, bounds.fault(on, now) if on else ""
        if self.kind == "time":
            return at, bounds.fault(at, now) if at else ""
        if on is not None and at is not None:
            value = in_zone(datetime.combine(on, at), now)
            return value, bounds.fault(value, now)
        if on is not None:
            fault = bounds.fault(on, now)
            return on, fault or "incomplete"
        return at, "incomplete"

    @staticmethod
    def _part(day: Placed | None, parts: list[Placed]) -> Meridiem:
        if day is not None and isinstance(day[2], Day) and day[2].part:
            return day[2].part
        return parts[-1][2].meridiem if parts and isinstance(parts[-1][2], Part) else ""
