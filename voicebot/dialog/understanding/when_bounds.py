"""Days and times as authors bound them: today, +30 days, -18 years, 2027-01-01, 09:00, now, +2 hours."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta

_OFFSET = re.compile(r"([+-])\s*(\d{1,4})\s*(minute|hour|day|week|month|year)s?")
_NAMED = {"yesterday": -1, "today": 0, "tomorrow": 1}
_EARLIEST, _LATEST = date(1800, 1, 1), date(2999, 12, 31)
"""What is outside of these is no day that a caller means."""


def bound(text: str, now: datetime) -> date | time | datetime:
    """Return the day, time of day or moment that `text` means at `now`.

    Forms: `today`, `tomorrow`, `yesterday`, `now`; `+30 days`, `-18 years` (also weeks and months: a day;
    hours and minutes: a moment); an ISO 8601 date, time or datetime (naive: in the zone of `now`).
    Raises ValueError where it is none of them.
    """
    text = " ".join(text.strip().lower().split())
    if text == "now":
        return now
    if text in _NAMED:
        return now.date() + timedelta(days=_NAMED[text])
    if offset := _OFFSET.fullmatch(text):
        count = int(offset[2]) * (1 if offset[1] == "+" else -1)
        return _moved(now, count, offset[3])
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text)
        if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", text):
            return time.fromisoformat(text.zfill(5 if text.count(":") == 1 else 8))
        if re.match(r"\d{4}-\d\d-\d\d[t ]", text):
            return in_zone(datetime.fromisoformat(text), now)
    except ValueError as error:
        raise ValueError(f"`{text}` is no day or time: {error}") from None
    raise ValueError(
        f"`{text}` is no day or time; write today, now, +30 days, -18 years, 2027-01-31, 09:00 or the like"
    )


def _moved(now: datetime, count: int, unit: str) -> date | datetime:
    try:
        if unit in ("minute", "hour"):
            return moved(now, count * (60 if unit == "hour" else 1))
        if unit in ("day", "week"):
            return now.date() + timedelta(days=count * (7 if unit == "week" else 1))
        return later_by_months(now.date(), count * (12 if unit == "year" else 1))
    except (OverflowError, ValueError):
        raise ValueError(f"{count} {unit}s lead out of the calendar") from None


def moved(now: datetime, minutes: int) -> datetime:
    """Return the moment that is so many minutes of real time later, whatever the clocks do meanwhile."""
    if now.tzinfo is None:
        return now + timedelta(minutes=minutes)
    return (now.astimezone(UTC) + timedelta(minutes=minutes)).astimezone(now.tzinfo)


def later_by_months(day: date, months: int) -> date:
    """Return the same day of a later month, or its last day where the month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def in_zone(moment: datetime, now: datetime) -> datetime:
    """Return `moment` in the zone of `now`; a naive one is taken to be in it.

    A time that the clock skips in spring is moved on by what is skipped (02:30 is 03:30); of one that comes
    twice in autumn it is the first.
    """
    if now.tzinfo is None:
        return moment.replace(tzinfo=None)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    return moment.astimezone(UTC).astimezone(now.tzinfo)


def sensible(day: date) -> bool:
    return _EARLIEST <= day <= _LATEST
