"""Values as people say them: by a filter, by their declared type, or by what they are.

Nothing here raises: what a filter cannot read is said as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from babel import Locale
from babel.lists import format_list
from babel.units import format_unit

from voicebot.dialog.expressions.values import as_text, bounded
from voicebot.dialog.language.dates import (
    ISO_WEEKDAYS,
    locale_of,
    say_date,
    say_datetime,
    say_day,
    say_time,
    weekday_names,
)
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.speaking.spoken_numbers import (
    say_count,
    say_email,
    say_money,
    say_number,
    say_ordinal,
    say_phone,
)
from voicebot.speech.spellout import NATIVE_KOREAN_BEFORE_NOUN, SINO_KOREAN, spell

TypeHint = str
"""The declared type of a value, if need be with more: `datetime`, `money:USD`, `phone:GB`."""

LONGEST_VALUE = 1000
"""Characters of a value that are said; more are cut."""
_MOST_LISTED = 100
_LONGEST_PHONE = 40
_FAR = timedelta(days=300)

_DURATION = re.compile(r"P(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6})S)?)?", re.ASCII)

Filter = Callable[..., str]


def moment_of(value: object) -> datetime | None:
    """Read a date or a datetime, also in ISO 8601; a date is its midnight."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _date(value: object, language: str, argument: str = "", now: object = None) -> str:
    """With its year in place of its weekday where that is asked for, or far from `now`."""
    moment = moment_of(value)
    if moment is None:
        return _text(value, language)
    today = moment_of(now)
    far = today is not None and abs(moment.date() - today.date()) > _FAR
    return say_date(moment, language, year=argument == "year" or far)


def _time(value: object, language: str, argument: str = "", now: object = None) -> str:
    moment: datetime | time | None = value if isinstance(value, time) else moment_of(value)
    if moment is None:
        try:
            moment = time.fromisoformat(str(value).strip())
        except ValueError:
            return _text(value, language)
    return say_time(moment, language)


def _datetime(value: object, language: str, argument: str = "", now: object = None) -> str:
    moment = moment_of(value)
    return say_datetime(moment, language) if moment else _text(value, language)


def _day(value: object, language: str, argument: str = "", now: object = None) -> str:
    """As seen from `now`: "tomorrow", "on Tuesday"; without it, the date."""
    moment, today = moment_of(value), moment_of(now)
    if moment is None:
        return _text(value, language)
    if today is None:
        return say_date(moment, language)
    if today.tzinfo is not None and moment.tzinfo is not None:
        try:
            today = today.astimezone(moment.tzinfo)
        except OverflowError:  # the first or the last day of all
            return say_date(moment, language)
    return say_day(moment.date(), today.date(), language)


def _weekday(value: object, language: str, argument: str = "", now: object = None) -> str:
    """Say the value of a `weekday` slot, or the day of a date, as the language does."""
    name = str(value)
    if name not in ISO_WEEKDAYS:
        moment = moment_of(value)
        if moment is None:
            return _text(value, language)
        name = ISO_WEEKDAYS[moment.weekday()]
    return weekday_names(language)[name]


def _duration(value: object, language: str, argument: str = "", now: object = None) -> str:
    """Say "2 hours and 5 minutes", "두 시간 오 분"; seconds only below an hour."""
    duration = value if isinstance(value, timedelta) else _read_duration(str(value))
    if duration is None:
        return _text(value, language)
    duration = abs(duration) if duration > timedelta.min else duration
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    counts = {"day": duration.days, "hour": hours, "minute": minutes, "second": seconds}
    if duration >= timedelta(hours=1):
        del counts["second"]
    said = {unit: count for unit, count in counts.items() if count} or {"minute": 0}
    locale = locale_of(language)
    if locale.language == "ko":
        return " ".join(_korean_unit(count, unit) for unit, count in said.items())
    return format_list([_unit(count, unit, locale) for unit, count in said.items()], locale=locale)


def _unit(count: int, unit: str, locale: Locale) -> str:
    """In full where the language has a pattern for that; some have only short ones."""
    said = str(format_unit(count, f"duration-{unit}", "long", locale=locale))
    if "duration-" in said:
        said = str(format_unit(count, f"duration-{unit}", "short", locale=locale))
    return said


_KOREAN_UNITS = {"day": "일", "hour": "시간", "minute": "분", "second": "초"}
_KOREAN_DAYS = {1: "하루", 2: "이틀"}


def _korean_unit(count: int, unit: str) -> str:
    """Hours are counted in native numbers, all else in those from Chinese."""
    if unit == "day" and count in _KOREAN_DAYS:
        return _KOREAN_DAYS[count]
    rules = NATIVE_KOREAN_BEFORE_NOUN if unit == "hour" else SINO_KOREAN
    return f"{spell(count, 'ko', rules)} {_KOREAN_UNITS[unit]}"


def _read_duration(text: str) -> timedelta | None:
    found = _DURATION.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    days, hours, minutes, seconds = (int(count or 0) for count in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _number(value: object, language: str, argument: str = "", now: object = None) -> str:
    return say_number(value, language)[:LONGEST_VALUE]


def _count(value: object, language: str, argument: str = "", now: object = None) -> str:
    return say_count(value, language)[:LONGEST_VALUE]


def _ordinal(value: object, language: str, argument: str = "", now: object = None) -> str:
    return say_ordinal(value, language)[:LONGEST_VALUE]


def _money(value: object, language: str, argument: str = "", now: object = None) -> str:
    return say_money(value, language, argument)[:LONGEST_VALUE]


def _phone(value: object, language: str, argument: str = "", now: object = None) -> str:
    text = str(value)
    return say_phone(text, language, argument) if len(text) <= _LONGEST_PHONE else _digits(text, language)


def _digits(value: object, language: str, argument: str = "", now: object = None) -> str:
    """One by one, so that 4271 is not said as a sum; a leading + is left out."""
    return ", ".join(character for character in str(value)[:LONGEST_VALUE] if character.isalnum())


def _spell(value: object, language: str, argument: str = "", now: object = None) -> str:
    return ", ".join(character.upper() for character in str(value)[:LONGEST_VALUE] if character.isalnum())


def _email(value: object, language: str, argument: str = "", now: object = None) -> str:
    return say_email(str(value)[:LONGEST_VALUE], language)


def _list(value: object, language: str, argument: str = "", now: object = None) -> str:
    """Say "a, b and c", or with the argument `or` "a, b or c"."""
    if not isinstance(value, list | tuple | set | frozenset):
        return _text(value, language)
    items = [_text(item, language) for _, item in zip(range(_MOST_LISTED), value, strict=False)]
    items = [item for item in items if item]
    locale = locale_of(language)
    if locale.language == "ko" and argument != "or" and len(items) > 1:  # the CLDR's word is one of writing
        return f"{', '.join(items[:-1])}, 그리고 {items[-1]}"
    return format_list(items, "or" if argument == "or" else "standard", locale=locale)


def _text(value: object, language: str, argument: str = "", now: object = None) -> str:
    """Say a value by what it is."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:LONGEST_VALUE]
    if isinstance(value, bool):
        lexicon = lexicon_of(language)
        return (lexicon.yes if value else lexicon.no)[0]
    if isinstance(value, datetime):
        return say_datetime(value, language)
    if isinstance(value, date):
        return say_date(value, language)
    if isinstance(value, time):
        return say_time(value, language)
    if isinstance(value, timedelta):
        return _duration(value, language)
    if isinstance(value, int | float | Decimal):
        return as_text(bounded(value))
    if isinstance(value, list | tuple | set | frozenset):
        return _list([item for item in value if isinstance(item, _SCALARS)], language)
    return str(value)[:LONGEST_VALUE]


_SCALARS = (str, bool, int, float, Decimal, date, time, timedelta)


def _yes_no(value: object, language: str, argument: str = "", now: object = None) -> str:
    known = {"yes": True, "true": True, "no": False, "false": False}
    return _text(known.get(str(value).lower(), value), language)


FILTERS: dict[str, Filter] = {
    "date": _date,
    "time": _time,
    "datetime": _datetime,
    "day": _day,
    "weekday": _weekday,
    "duration": _duration,
    "number": _number,
    "count": _count,
    "ordinal": _ordinal,
    "money": _money,
    "digits": _digits,
    "spell": _spell,
    "phone": _phone,
    "email": _email,
    "list": _list,
}
"""Filters of `{name|filter}`: value, language, argument ("" for none), and what time it is -> words."""

ARGUMENTS: dict[str, tuple[re.Pattern[str], str]] = {
    "date": (re.compile("year"), "`date:year`"),
    "money": (re.compile("[A-Z]{3}"), "a currency: `money:USD`"),
    "phone": (re.compile("[A-Z]{2}"), "a country: `phone:GB`"),
    "list": (re.compile("or|and"), "`list:or`"),
}
"""Arguments of `{name|filter:argument}`: what they look like, and an example."""

_BY_TYPE: dict[str, Filter] = {
    **{name: FILTERS[name] for name in ("date", "time", "datetime", "weekday", "duration", "number")},
    **{name: FILTERS[name] for name in ("money", "digits", "phone", "email", "list")},
    "spelled": _spell,
    "yes_no": _yes_no,
}


def say_value(
    value: object, filter_: str, language: str, *, argument: str = "", hint: TypeHint = "", now: object = None
) -> str:
    """Say one value through `filter_`; without one by its declared type `hint`; without that as it is.

    `argument` is that of the filter. Where a filter has none, the type's counts: `hint` "money:USD" makes
    `{price|money}` dollars.
    """
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        value = bounded(value)  # beyond all bounds it is as good as unknown
    if value is None:
        return ""
    if not (filter_ or hint):
        return _text(value, language)
    kind, _, of_type = hint.partition(":")
    if not filter_:
        return _BY_TYPE.get(kind, _text)(value, language, of_type, now)
    return FILTERS[filter_](value, language, argument or (of_type if kind == filter_ else ""), now)


def warm_up(language: str) -> None:
    """Read the tables that values of `language` are said by, some 30 ms, so that no call waits for them."""
    for value, filter_ in (("2000-01-01T09:05", "datetime"), ("+12025550100", "phone"), ("1.5", "money")):
        say_value(value, filter_, language)
    for filter_ in ("number", "ordinal", "count"):
        say_value(2, filter_, language)
    say_value(timedelta(hours=2, minutes=5), "duration", language)
