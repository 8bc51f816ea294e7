"""The closed list of functions. Each takes values and returns one; unknown for what it cannot use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal

from voicebot.dialog.expressions.values import (
    LONGEST_RESULT,
    Result,
    as_text,
    bounded,
    compare,
    exact,
    is_number,
    moment_of,
)
from voicebot.dialog.language.dates import ISO_WEEKDAYS

MOST_ARGUMENTS = 20
_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,10})?", re.ASCII)
_ROUNDING = Context(prec=40, rounding=ROUND_HALF_UP, traps=[])
_MOST_PLACES = 10


@dataclass(frozen=True, slots=True)
class Function:
    """A function as authors see it.

    form:         how it is written, `round(number, places)`
    result:       the type of what it returns, `any` if that depends
    takes:        the types that each argument may have; the last counts for all further ones
    fewest, most: arguments
    """

    form: str
    about: str
    call: Callable[..., Result]
    result: str
    takes: tuple[frozenset[str], ...]
    fewest: int = 1
    most: int = 1


def _length(x: Result) -> Result:
    return len(x) if isinstance(x, str | tuple) else None


def _lower(x: Result) -> Result:
    return x[:LONGEST_RESULT].lower()[:LONGEST_RESULT] if isinstance(x, str) else None


def _upper(x: Result) -> Result:
    return x[:LONGEST_RESULT].upper()[:LONGEST_RESULT] if isinstance(x, str) else None


def _text(x: Result) -> Result:
    return None if x is None else as_text(x)[:LONGEST_RESULT]


def _number(x: Result) -> Result:
    if isinstance(x, str):
        found = _NUMBER.fullmatch(x.strip())
        return None if found is None else Decimal(found[0]) if found[1] else bounded(int(found[0]))
    return x if is_number(x) else None


def _round(x: Result, places: Result = 0) -> Result:
    """Halves go up, as people round."""
    if not is_number(x) or not isinstance(places, int) or not 0 <= places <= _MOST_PLACES:
        return None
    assert isinstance(x, int | float | Decimal)
    rounded = exact(x).quantize(Decimal(1).scaleb(-places), context=_ROUNDING)
    if not places:
        return int(rounded)
    return rounded if isinstance(x, Decimal) else float(rounded)


def _best(sign: int, values: tuple[Result, ...]) -> Result:
    if len(values) == 1 and isinstance(values[0], tuple):
        values = values[0]
    best: Result = None
    for at, value in enumerate(values):
        order = 0 if not at else compare(value, best)
        if order is None:
            return None
        if not at or order * sign > 0:
            best = value
    return best


def _least(*values: Result) -> Result:
    return _best(-1, values)


def _greatest(*values: Result) -> Result:
    return _best(1, values)


def _moment(x: Result) -> date | time | None:
    return moment_of(x) if isinstance(x, str) else x if isinstance(x, date | time) else None


def _day(x: Result) -> date | None:
    moment = _moment(x)
    if isinstance(moment, datetime):
        return moment.date()
    return moment if isinstance(moment, date) else None


def _clock(x: Result) -> time | None:
    moment = _moment(x)
    if isinstance(moment, datetime):
        return moment.time()
    return moment.replace(tzinfo=None) if isinstance(moment, time) else None


def _datetime(x: Result, y: Result = None) -> Result:
    moment = _moment(x)
    clock = _moment(y)
    if isinstance(moment, date) and isinstance(clock, datetime | time):
        clock = clock.timetz() if isinstance(clock, datetime) else clock
        return datetime.combine(moment, clock)
    return moment if isinstance(moment, datetime) and y is None else None


def _weekday(x: Result) -> Result:
    day = _day(x)
    return None if day is None else ISO_WEEKDAYS[day.weekday()]


def _year(x: Result) -> Result:
    day = _day(x)
    return None if day is None else day.year


def _month(x: Result) -> Result:
    day = _day(x)
    return None if day is None else day.month


def _day_of_month(x: Result) -> Result:
    day = _day(x)
    return None if day is None else day.day


def _hour(x: Result) -> Result:
    clock = _clock(x)
    return None if clock is None else clock.hour


def _years_between(x: Result, y: Result) -> Result:
    """Whole years from one day to a later one: the age on a day."""
    start, end = _day(x), _day(y)
    if start is None or end is None:
        return None
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _days_between(x: Result, y: Result) -> Result:
    start, end = _day(x), _day(y)
    return None if start is None or end is None else (end - start) // timedelta(days=1)


def _folded(x: Result) -> str | None:
    return " ".join(x.casefold().split()) if isinstance(x, str) else None


def _contains(x: Result, y: Result) -> Result:
    whole, part = _folded(x), _folded(y)
    return whole is not None and bool(part) and part in whole  # type: ignore[operator]


def _starts_with(x: Result, y: Result) -> Result:
    whole, part = _folded(x), _folded(y)
    return whole is not None and bool(part) and whole.startswith(str(part))


def _ends_with(x: Result, y: Result) -> Result:
    whole, part = _folded(x), _folded(y)
    return whole is not None and bool(part) and whole.endswith(str(part))


def _first(x: Result, count: Result = None) -> Result:
    if count is None and isinstance(x, tuple):
        return x[0] if x else None
    if not isinstance(x, str | tuple) or type(count) is not int or count < 0:
        return None
    return x[:count]


def _last(x: Result, count: Result = None) -> Result:
    if count is None and isinstance(x, tuple):
        return x[-1] if x else None
    if not isinstance(x, str | tuple) or type(count) is not int or count < 0:
        return None
    return x[max(0, len(x) - count) :]


def _kinds(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


_TEXT = _kinds("text")
_NUMBER_KIND = _kinds("number")
_COUNT = _kinds("text", "number")
_SIZED = _kinds("text", "list")
_DAY = _kinds("date", "datetime", "text")
_CLOCK = _kinds("time", "datetime", "text")
_ANY = _kinds("any")
_ORDERED = _kinds("number", "text", "date", "time", "datetime", "duration", "list")

FUNCTIONS: dict[str, Function] = {
    function.form.partition("(")[0]: function
    for function in (
        Function("length(x)", "characters of a text, members of a list", _length, "number", (_SIZED,)),
        Function("lower(text)", "in small letters", _lower, "text", (_TEXT,)),
        Function("upper(text)", "in capitals", _upper, "text", (_TEXT,)),
        Function("contains(text, part)", "whether it holds these words; capitals do not matter",
                 _contains, "yes_no", (_TEXT, _TEXT), 2, 2),
        Function("starts_with(text, part)", "whether it begins so", _starts_with, "yes_no", (_TEXT,), 2, 2),
        Function("ends_with(text, part)", "whether it ends so", _ends_with, "yes_no", (_TEXT,), 2, 2),
        Function("first(x, count)", "the beginning of a text or a list; without `count`, the first member",
                 _first, "any", (_SIZED, _NUMBER_KIND), 1, 2),
        Function("last(x, count)", "the end of a text or a list; without `count`, the last member",
                 _last, "any", (_SIZED, _NUMBER_KIND), 1, 2),
        Function("number(x)", "a text of figures as a number", _number, "number", (_COUNT,)),
        Function("text(x)", "a value as a text", _text, "text", (_ANY,)),
        Function("round(number, places)", "rounded, halves up", _round, "number", (_NUMBER_KIND,), 1, 2),
        Function("min(x, y, ...)", "the least, also of a list", _least, "any", (_ORDERED,), 1,
                 MOST_ARGUMENTS),
        Function("max(x, y, ...)", "the greatest, also of a list", _greatest, "any", (_ORDERED,), 1,
                 MOST_ARGUMENTS),
        Function("date(x)", "the day of a datetime or a text", _day, "date", (_DAY,)),
        Function("time(x)", "the time of day of a datetime or a text", _clock, "time", (_CLOCK,)),
        Function("datetime(date, time)", "a day and a time of day in one, or a text read as both",
                 _datetime, "datetime", (_DAY, _CLOCK), 1, 2),
        Function("weekday(date)", "`monday` to `sunday`", _weekday, "text", (_DAY,)),
        Function("year(date)", "2027", _year, "number", (_DAY,)),
        Function("month(date)", "1 to 12", _month, "number", (_DAY,)),
        Function("day(date)", "the day of the month", _day_of_month, "number", (_DAY,)),
        Function("hour(time)", "0 to 23", _hour, "number", (_CLOCK,)),
        Function("years_between(date, date)", "whole years, an age for example",
                 _years_between, "number", (_DAY,), 2, 2),
        Function("days_between(date, date)", "days from the first to the second",
                 _days_between, "number", (_DAY,), 2, 2),
    )
}  # fmt: skip
"""Functions of the language by name."""
