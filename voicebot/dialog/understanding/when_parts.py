"""What callers say of a day and of a time, and the day and the time that it is."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from voicebot.dialog.understanding.when_bounds import later_by_months, sensible

Meridiem = Literal["", "am", "pm", "night"]

FIRST_HOUR, LAST_HOUR = 7, 18
"""The hours that a bare "at three" may mean where nothing bounds it: those that a business keeps."""

_NEARBY_MONTHS = 2
"""How far a weekday and a day of the month that disagree are looked for together."""


class Impossible(Exception):
    """Such a day or time does not exist."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day, as far as it was said; what is None was not said.

    weekday:       0 is Monday
    which:         of that weekday: "" the coming one, "this" today or the coming one, "last" the one before
    week:          it is meant in this week (0), the next (1), ...
    nth:           the n-th such weekday of `month` (-1: the last)
    days:          from today
    months_ahead:  0: of this month, 1: of the next one
    last:          the last day of the month
    plus_days, plus_months: to be added to the day that the rest means
    bare:          an ordinal alone that might be something else
    part:          the part of the day that was said with it: "this evening"
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    which: str = ""
    week: int | None = None
    nth: int | None = None
    days: int | None = None
    months_ahead: int | None = None
    last: bool = False
    plus_days: int = 0
    plus_months: int = 0
    bare: bool = False
    part: Meridiem = ""


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day. Without `meridiem` and not `exact`, hours up to 12 may be in either half of the day.

    bare: a number alone that might be something else
    """

    hour: int
    minute: int = 0
    meridiem: Meridiem = ""
    exact: bool = False
    bare: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day by itself: it says which half an hour lies in."""

    meridiem: Meridiem


@dataclass(frozen=True, slots=True)
class Delta:
    """So many minutes from now."""

    minutes: int


@dataclass(frozen=True, slots=True)
class Wrong:
    """The form of a day or a time that does not exist: "twenty five o'clock"."""

    of: Literal["day", "clock"]


Piece = Day | Clock | Part | Delta | Wrong


def merged(said: Day, more: Day) -> Day | None:
    """Join "Tuesday" and "the second of March"; None where they are two days."""
    by_name, by_number = (said, more) if said.weekday is not None else (more, said)
    if by_name.weekday is None or by_name.nth is not None or by_name.day is not None:
        return None
    if by_number.weekday is not None or by_number.day is None:
        return None
    return Day(by_number.year, by_number.month, by_number.day, by_name.weekday)


def corrected(said: Day, again: Day) -> Day:
    """Take the month from before where only a day is said anew: "March second, no, third"."""
    alone = again.day is not None and again.month is None and again.months_ahead is None
    if alone and again.weekday is None and said.month is not None and said.day is not None:
        return Day(said.year, said.month, again.day)
    return again


def day_of(said: Day, now: datetime, low: date | None, high: date | None) -> date:
    """Return the day that `said` means at `now`: the next one, unless the bounds allow only others.

    Raises Impossible.
    """
    try:
        day = _day_of(said, now.date(), low, high)
        if said.plus_months:
            day = later_by_months(day, said.plus_months)
        day += timedelta(days=said.plus_days)
    except (ValueError, OverflowError):
        raise Impossible from None
    if not sensible(day):
        raise Impossible
    return day


def _day_of(said: Day, today: date, low: date | None, high: date | None) -> date:
    if said.days is not None:
        return today + timedelta(days=said.days)
    if said.nth is not None:
        return _nth_weekday(said, today)
    if said.day is None and not said.last:
        return _weekday(said, today)
    if said.months_ahead is not None:
        first = later_by_months(today.replace(day=1), said.months_ahead)
        return _in_month(first.year, first.month, said)
    if said.month is None:
        return _day_of_month(said, today, low, high)
    if said.year is not None:
        chosen = _in_month(_full_year(said, today, low, high), said.month, said)
    else:
        years = [today.year + n for n in range(9 if (said.month, said.day) == (2, 29) else 2)]
        if high is not None and high <= today:  # a day in the past, such as that of a birth
            years = list(range(high.year, high.year - 9, -1))
        days = [day for year in years if (day := _maybe(year, said.month, said)) is not None]
        if not days:
            raise Impossible
        coming = days if high is not None and high <= today else [day for day in days if day >= today]
        chosen = next(
            (d for d in coming if (low is None or d >= low) and (high is None or d <= high)), coming[0]
        )
    if said.weekday is not None and chosen.weekday() != said.weekday:
        raise Impossible
    return chosen


def _full_year(said: Day, today: date, low: date | None, high: date | None) -> int:
    year = said.year or 0
    if year >= 100:
        return year
    years = [century * 100 + year for century in (today.year // 100, today.year // 100 - 1)]
    for full in years:
        day = _maybe(full, said.month or 1, said)
        if day and (low or high) and (low is None or day >= low) and (high is None or day <= high):
            return full
    return years[0] if years[0] <= today.year + 20 else years[1]


def _in_month(year: int, month: int, said: Day) -> date:
    length = monthrange(year, month)[1]
    return date(year, month, length if said.last else said.day or 0)


def _maybe(year: int, month: int, said: Day) -> date | None:
    try:
        return _in_month(year, month, said)
    except ValueError:
        return None


def _weekday(said: Day, today: date) -> date:
    if said.weekday is None:
        raise Impossible
    if said.week is not None:
        return today + timedelta(days=said.weekday - today.weekday() + 7 * said.week)
    ahead = (said.weekday - today.weekday()) % 7
    if said.which == "last":
        return today - timedelta(days=(7 - ahead) % 7 or 7)
    return today + timedelta(days=ahead or (0 if said.which == "this" else 7))


def _nth_weekday(said: Day, today: date) -> date:
    first = later_by_months(today.replace(day=1), said.months_ahead or 0)
    if said.month is not None:
        first = date(said.year or today.year + (said.month < today.month), said.month, 1)
    length = monthrange(first.year, first.month)[1]
    days = [d for n in range(1, length + 1) if (d := first.replace(day=n)).weekday() == said.weekday]
    nth = said.nth or 1
    if nth > len(days):
        raise Impossible
    return days[nth if nth < 0 else nth - 1]


def _day_of_month(said: Day, today: date, low: date | None, high: date | None) -> date:
    if not 1 <= (said.day or 0) <= 31:
        raise Impossible
    back = high is not None and high < today
    firsts = [later_by_months(today.replace(day=1), -n if back else n) for n in range(13)]
    days = [day for first in firsts if (day := _maybe(first.year, first.month, said)) is not None]
    days = [day for day in days if (day <= today if back else day >= today)]
    if said.weekday is not None:
        days = [day for day in days[: _NEARBY_MONTHS + 1] if day.weekday() == said.weekday]
    if not days:
        raise Impossible
    return next((d for d in days if (low is None or d >= low) and (high is None or d <= high)), days[0])


def other_half(said: Clock, part: Meridiem, at: time) -> time | None:
    """Return `at` in the other half of the day; None where the words say which half is meant."""
    if said.exact or said.meridiem or part or said.hour > 12 or said.hour == 0:
        return None
    return time((at.hour + 12) % 24, at.minute)


def time_of(said: Clock, part: Meridiem, low: time | None, high: time | None) -> time:
    """Return the time of day; of the two that a bare hour may mean the one within bounds or opening hours.

    Raises Impossible.
    """
    if not (0 <= said.hour <= 24 and 0 <= said.minute <= 59) or (said.hour == 24 and said.minute):
        raise Impossible
    hour, meridiem = said.hour % 24, said.meridiem or part
    if said.exact or hour > 12 or (hour == 0 and said.hour != 12):
        return time(hour, said.minute)
    if meridiem == "night":
        meridiem = "am" if hour == 12 or hour < 5 else "pm"
    if meridiem:
        return time(hour % 12 + (12 if meridiem == "pm" else 0), said.minute)
    halves = [time(hour % 12, said.minute), time(hour % 12 + 12, said.minute)]
    allowed = [t for t in halves if (low is None or t >= low) and (high is None or t <= high)]
    usual = halves[0] if FIRST_HOUR <= halves[0].hour <= LAST_HOUR else halves[1]
    if (low is None and high is None) or usual in allowed or not allowed:
        return usual
    return allowed[0]
