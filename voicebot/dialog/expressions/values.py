"""Comparing and computing with the values of a dialog. Nothing here raises, and nothing grows without end.

What does not fit together has no order, is not equal, and computes to unknown (None).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal
from functools import lru_cache

Scalar = bool | int | float | Decimal | str | date | time | timedelta | None
"""`date` includes datetime."""
Result = Scalar | tuple[Scalar, ...]

MOST_ITEMS = 100
"""Members of a list; more are left out."""
LONGEST_RESULT = 1000
"""Characters of a computed text; more are cut."""
LONGEST_TEXT = 10_000
"""Characters of a given text; more are not looked at."""
LARGEST = 10**18
"""No number is larger; what would be is unknown."""

_PLACES = 10
"""Decimal places of a computed number: 0.1 + 0.2 is 0.3."""
_EXACT = Context(prec=40, traps=[])
_LEAST = Decimal(1).scaleb(-_PLACES)

KINDS: dict[type, str] = {
    bool: "yes_no",
    int: "number",
    float: "number",
    Decimal: "number",
    str: "text",
    date: "date",
    time: "time",
    datetime: "datetime",
    timedelta: "duration",
    tuple: "list",
    type(None): "unknown",
}
"""The type of a value, as authors call it."""
_AS_THEY_ARE = frozenset((bool, date, time, datetime, timedelta, type(None)))


def closed(value: object) -> Result:
    """Return any value as one of the language's own; what it cannot hold is its text."""
    if isinstance(value, list | tuple | set | frozenset):
        items = (closed(item) for _, item in zip(range(MOST_ITEMS), value, strict=False))
        return tuple(None if isinstance(item, tuple) else item for item in items)
    return _closed_scalar(value)


def _closed_scalar(value: object) -> Scalar:
    if type(value) in _AS_THEY_ARE:
        return value  # type: ignore[return-value]
    if isinstance(value, int):
        return bounded(int(value))
    if isinstance(value, float):
        return float(value) if math.isfinite(value) and abs(value) <= LARGEST else None
    if isinstance(value, Decimal):
        return bounded(Decimal(value))
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    return str(value)[:LONGEST_TEXT]


def bounded(value: float | Decimal) -> int | float | Decimal | None:
    """Return a number without what a computation adds behind the last place; unknown if it is too large."""
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else None
    if isinstance(value, float):
        return round(value, _PLACES) if math.isfinite(value) and abs(value) <= LARGEST else None
    if not value.is_finite() or (value and value.adjusted() > 17 and abs(value) > LARGEST):
        return None
    exponent = value.as_tuple().exponent
    if isinstance(exponent, int) and not -_PLACES <= exponent <= 0:
        return value.quantize(_LEAST if exponent < 0 else Decimal(1), context=_EXACT)
    return value


def exact(value: float | Decimal) -> Decimal:
    """Return a number as a decimal one, the float 0.1 as 0.1."""
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def is_number(value: Result) -> bool:
    return type(value) in (int, float, Decimal)


@lru_cache(maxsize=1024)
def moment_of(text: str) -> date | time | None:
    """Read a text in ISO 8601: a date, a time of day, or both (a datetime)."""
    text = text.strip()
    for kind in (date, datetime, time):
        try:
            moment = kind.fromisoformat(text)
        except ValueError:
            continue
        # "20270302" and "15" are digits, and not meant as moments.
        return moment if isinstance(moment, date | time) and not text.isdigit() else None
    return None


def compare(left: Result, right: Result) -> int | None:
    """Return less than 0, 0, or more than 0, as `left` comes before, with or after `right`; or no order.

    A date has no time of day, so a datetime is compared with it by its day; with a time of day it is
    compared by its time. A text beside a moment is read in ISO 8601. A moment without a zone is taken to be
    in the zone of the other.
    """
    if isinstance(left, str) and isinstance(right, date | time):
        left = moment_of(left)
    elif isinstance(right, str) and isinstance(left, date | time):
        right = moment_of(right)
    kinds = (KINDS[type(left)], KINDS[type(right)])
    if kinds == ("number", "number"):
        if isinstance(left, Decimal) or isinstance(right, Decimal):
            left, right = exact(left), exact(right)  # type: ignore[arg-type]
        return _sign(left, right)
    if kinds == ("datetime", "datetime"):
        return _sign(*_in_one_zone(left, right))  # type: ignore[arg-type]
    if kinds == ("datetime", "date"):
        left = left.date()  # type: ignore[union-attr]
    elif kinds == ("date", "datetime"):
        right = right.date()  # type: ignore[union-attr]
    elif kinds in (("datetime", "time"), ("time", "datetime"), ("time", "time")):
        left, right = _clock(left), _clock(right)
    elif kinds[0] != kinds[1] or kinds[0] in ("yes_no", "unknown", "list"):
        return None
    return _sign(left, right)


def same(left: Result, right: Result) -> bool:
    """Whether two values are equal; values of types that cannot be compared differ."""
    if left is None or right is None or isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, tuple) and isinstance(right, tuple):
        return len(left) == len(right) and all(map(same, left, right))
    return compare(left, right) == 0


def holds(item: Result, group: Result) -> bool:
    """Whether a list has a member, or a text a part."""
    if isinstance(group, tuple):
        return any(same(item, member) for member in group)
    return isinstance(group, str) and isinstance(item, str) and item in group


def compute(operator: str, left: Result, right: Result) -> Result:
    """Compute `+ - * / %`. In a sum unknown counts as 0, so that a count needs no start; texts join."""
    try:
        return _computed(operator, left, right)
    except OverflowError:  # a day before the year 1 or after 9999, a duration of many years
        return None


def _computed(operator: str, left: Result, right: Result) -> Result:
    if operator in "+-" and (left is None or right is None):
        left, right = (0 if left is None else left), (0 if right is None else right)
    if is_number(left) and is_number(right):
        return _reckon(operator, left, right)  # type: ignore[arg-type]
    if isinstance(left, str) and isinstance(right, str) and operator == "+":
        return (left + right)[:LONGEST_RESULT]
    if isinstance(left, tuple) and isinstance(right, tuple) and operator == "+":
        return (left + right)[:MOST_ITEMS]
    if isinstance(left, timedelta):
        return _from_duration(operator, left, right)
    if isinstance(right, timedelta):
        if operator == "*" and is_number(left):
            return right * float(left)  # type: ignore[arg-type, no-any-return]
        if isinstance(left, date | time) and operator in "+-":
            return later(left, right if operator == "+" else -right)
        return None
    if operator == "-" and isinstance(left, date | time) and isinstance(right, date | time):
        return _between(right, left)
    return None


_RECKONING: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _EXACT.add,
    "-": _EXACT.subtract,
    "*": _EXACT.multiply,
    "/": _EXACT.divide,
    "%": _EXACT.remainder,
}


def _reckon(operator: str, left: float | Decimal, right: float | Decimal) -> Scalar:
    if operator in "/%" and not right:
        return None
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        first, second = exact(left), exact(right)
        result = _RECKONING[operator](first, second)
        if operator == "%" and result and (result < 0) != (second < 0):
            result = _EXACT.add(result, second)  # as for other numbers: with the sign of the divisor
        return bounded(result)
    match operator:
        case "+":
            return bounded(left + right)
        case "-":
            return bounded(left - right)
        case "*":
            return bounded(left * right)
        case "%":
            return bounded(left % right)
    if isinstance(left, int) and isinstance(right, int) and left % right == 0:
        return left // right
    return bounded(left / right)


def _from_duration(operator: str, left: timedelta, right: Result) -> Result:
    if isinstance(right, timedelta):
        if operator == "+":
            return left + right
        if operator == "-":
            return left - right
        if operator == "/" and right:
            ratio = left / right
            return int(ratio) if ratio.is_integer() else bounded(ratio)
        return left % right if operator == "%" and right else None
    if isinstance(right, date | time):
        return later(right, left) if operator == "+" else None
    if is_number(right) and operator in "*/" and (right or operator == "*"):
        factor = float(right)  # type: ignore[arg-type]
        return left * factor if operator == "*" else left / factor
    return None


def later(moment: date | time, duration: timedelta) -> date | time:
    """Return a moment after a duration. Raises OverflowError outside the years 1 to 9999.

    Days go by the calendar, whatever the clocks do; hours and minutes go by. A date stays one as long as
    whole days are added. A time of day goes round the clock.
    """
    if isinstance(moment, time):
        return (datetime.combine(date(2000, 1, 1), moment) + timedelta(seconds=duration.seconds)).timetz()
    if not isinstance(moment, datetime):
        if not (duration.seconds or duration.microseconds):
            return moment + duration
        moment = datetime.combine(moment, time())
    moment += timedelta(days=duration.days)
    part = duration - timedelta(days=duration.days)
    if part and moment.tzinfo is not None:
        return (moment.astimezone(UTC) + part).astimezone(moment.tzinfo)
    return moment + part


def _between(start: date | time, end: date | time) -> Scalar:
    if isinstance(start, datetime) and isinstance(end, datetime):
        start, end = _in_one_zone(start, end)
        if start.tzinfo is not None and end.tzinfo is not None:  # hours that really go by
            start, end = start.astimezone(UTC), end.astimezone(UTC)
        return end - start
    if isinstance(start, time) or isinstance(end, time):
        first, second = _clock(start), _clock(end)
        if not (isinstance(first, time) and isinstance(second, time)):
            return None
        day = date(2000, 1, 1)
        return datetime.combine(day, second) - datetime.combine(day, first)
    start, end = (m.date() if isinstance(m, datetime) else m for m in (start, end))
    return end - start


def _clock(moment: Result) -> Result:
    if isinstance(moment, datetime):
        return moment.time()
    return moment.replace(tzinfo=None) if isinstance(moment, time) else None


def _in_one_zone(left: datetime, right: datetime) -> tuple[datetime, datetime]:
    if left.tzinfo is None:
        return left.replace(tzinfo=right.tzinfo), right
    return (left, right) if right.tzinfo is not None else (left, right.replace(tzinfo=left.tzinfo))


def _sign(left: object, right: object) -> int:
    return (left > right) - (left < right)  # type: ignore[operator, no-any-return]


def as_text(value: Result) -> str:
    """Return a value as a text in ISO 8601 and plain figures; True is "yes", unknown is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return iso_duration(value)
    if isinstance(value, tuple):
        return ", ".join(map(as_text, value))[:LONGEST_RESULT]
    return str(value)


def iso_duration(duration: timedelta) -> str:
    """Return a duration in ISO 8601: `P1DT2H5M`."""
    sign, duration = ("-", -duration) if duration < timedelta() else ("", duration)
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (seconds, "S"))
    clock = "".join(f"{count}{unit}" for count, unit in parts if count)
    days = f"{duration.days}D" if duration.days else ""
    return f"{sign}P{days}{'T' + clock if clock else ''}" if days or clock else "PT0S"
