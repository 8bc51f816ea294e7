"""English days and times: the patterns in which they are said. Names are the CLDR's (package `babel`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache

from babel.dates import get_month_names

from voicebot.dialog.language.dates import locale_of, weekday_names
from voicebot.dialog.understanding.line import Line
from voicebot.dialog.understanding.when_parts import Clock, Day, Delta, Meridiem, Part, Piece, Wrong
from voicebot.speech.spellout import ORDINAL, spell

_NUMBERS = {spell(n): n for n in range(100)} | {"a": 1, "an": 1, "a couple of": 2, "a couple": 2}
_ORDINALS = {spell(n, rules=ORDINAL): n for n in range(1, 100)}
_MONTHS = {
    name.lower().rstrip("."): number
    for width in ("wide", "abbreviated")
    for number, name in get_month_names(width, locale=locale_of("en")).items()
} | {"sept": 9}
_WEEKDAYS = {
    spoken: number for number, name in enumerate(weekday_names("en").values())
    for spoken in (name.lower(), f"{name.lower()}s")
} | {"tues": 1, "thurs": 3, "fri": 4}  # fmt: skip
_HOLIDAYS = {
    "christmas eve": (12, 24), "christmas day": (12, 25), "christmas": (12, 25), "boxing day": (12, 26),
    "new years eve": (12, 31), "new years day": (1, 1), "valentines day": (2, 14), "halloween": (10, 31),
}  # fmt: skip
_UNIT_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_UNIT_MONTHS = {"month": 1, "year": 12}
_NTHS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_NAMED = {
    "day after tomorrow": 2, "day before yesterday": -2, "tomorrow": 1, "today": 0, "yesterday": -1,
    "tonight": 0, "this morning": 0, "this afternoon": 0, "this evening": 0,
}  # fmt: skip
_PARTS: dict[str, Meridiem] = {"morning": "am", "afternoon": "pm", "evening": "pm", "night": "night"}
_FEWEST_MINUTES = 3
"""Who says "in a minute" names no time."""


def _any(words: Iterable[str]) -> str:
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


_UNIT = _any(spell(n) for n in range(1, 10))
_TENS = _any(spell(n) for n in range(20, 100, 10))
_TEENS = _any(spell(n) for n in range(10, 20))
_SMALL = rf"(?:{_TENS} {_UNIT}|{_TENS}|{_TEENS}|{_UNIT}|\d{{1,2}})"
_TWO = rf"(?:{_TENS} {_UNIT}|{_TENS}|{_TEENS}|\d\d|(?:oh|o|zero) (?:{_UNIT}|[1-9]))"
_ORD = rf"(?:{_any(_ORDINALS)}|\d{{1,2}}(?:st|nd|rd|th))"
_CENTURY = r"(?:eighteen|nineteen|twenty)"
_YEAR = (
    rf"(?:[12]\d{{3}}|two thousand(?: (?:and )?{_SMALL})?|{_CENTURY} {_TWO}|"
    rf"{_CENTURY} hundred(?: (?:and )?{_SMALL})?)"
)
_OLD = rf"(?:(?:thirty|forty|fifty|sixty|seventy|eighty|ninety)(?: {_UNIT})?|[3-9]\d)"
_OF_YEAR = rf"(?: (?:of |in )?(?P<y>{_YEAR}|{_OLD}|year \d\d))?"
_MONTH = _any(_MONTHS)
_WEEKDAY = _any(_WEEKDAYS)
_COUNT = rf"(?:{_SMALL}|an?(?: couple(?: of)?)?|one)"
_LATER = r"(?:day|week|month|year|fortnight)s?"
_SPAN = rf"(?P<count>{_COUNT}) (?P<unit>{_LATER})"
_SIMPLE = (
    rf"(?:(?P<named>tomorrow|today|now|yesterday)|(?:(?P<which>next|this|this coming) )?(?P<wd>{_WEEKDAY}))"
)
_HOUR = rf"(?:{_any(spell(n) for n in range(20, 25))}|{_TEENS}|{_UNIT}|\d{{1,2}})"
_MER = r"(?P<mer>am|pm)"
_PART = r"(?:in the (?P<part>morning|afternoon|evening)|at (?P<night>night))"
_TAIL = rf"(?: (?:{_MER}|{_PART}))?"


def _number(text: str) -> int:
    """Read a number below 100, or a year."""
    if text.isdigit():
        return int(text)
    if text in _NUMBERS:
        return _NUMBERS[text]
    return sum(_NUMBERS.get(word, int(word) if word.isdigit() else 0) for word in text.split())


def _ordinal(text: str) -> int:
    return _ORDINALS.get(text) or _number(text.rstrip("stndrh") if text[0].isdigit() else text)


def _year(text: str | None) -> int | None:
    if not text:
        return None
    text = text.removeprefix("year ")
    if text.isdigit():
        return int(text)
    words = text.replace(" and ", " ").split()
    if words[:2] == ["two", "thousand"]:
        return 2000 + _number(" ".join(words[2:]))
    if words[0] in ("eighteen", "nineteen", "twenty") and len(words) > 1 and words[0] + words[1] != "":
        rest = words[2:] if words[1] == "hundred" else words[1:]
        two = _number(" ".join(rest)) if rest else 0
        if words[1] == "hundred" or rest[0] in ("oh", "o", "zero") or two >= 10:
            return _NUMBERS[words[0]] * 100 + two
    return _number(text)


Build = Callable[[re.Match[str]], Piece | None]


def _by_number(m: re.Match[str]) -> Day:
    return Day(_year(m["y"]), _MONTHS[m["month"]], _ordinal(m["d"]))


def _iso(m: re.Match[str]) -> Day:
    return Day(int(m["y"]), int(m["m"]), int(m["d"]))


def _figures(m: re.Match[str], month_first: bool) -> Day | Wrong:
    first, second = _number(m["a"]), _number(m["b"])
    month, day = (first, second) if month_first else (second, first)
    if month > 12 >= day:
        month, day = day, month
    return Day(_year(m["y"]), month, day) if 1 <= month <= 12 else Wrong("day")


def _by_ordinals(m: re.Match[str]) -> Day | Wrong:
    day, month = _ordinal(m["a"]), _ordinal(m["b"])
    return Day(_year(m["y"]), month, day) if month <= 12 else Wrong("day")


def _nth(m: re.Match[str]) -> Day:
    ahead = None if m["month"] else 1 if m["rel"] == "next" else 0
    month = _MONTHS[m["month"]] if m["month"] else None
    return Day(month=month, weekday=_WEEKDAYS[m["wd"]], nth=_NTHS[m["n"]], months_ahead=ahead)


def _of_month(m: re.Match[str]) -> Day:
    last, ahead = m["edge"] in ("end", "last day", "last"), None
    month = _MONTHS[m["month"]] if m["month"] else None
    if month is None:
        ahead = 1 if m["rel"] == "next" else 0
    return Day(month=month, day=None if last else 1, months_ahead=ahead, last=last)


def _ordinal_of_month(m: re.Match[str]) -> Day:
    return Day(day=_ordinal(m["d"]), months_ahead=1 if m["rel"] == "next" else 0)


def _week_of_day(m: re.Match[str]) -> Day:
    """Read "next week on Tuesday", "Tuesday this week"."""
    return Day(weekday=_WEEKDAYS[m["wd"]], week=1 if m["rel"] == "next" else 0)


def _weekday(m: re.Match[str]) -> Day:
    which = (m["which"] or "").split()[0] if m["which"] else ""
    if which == "next":
        return Day(weekday=_WEEKDAYS[m["wd"]], week=1)
    return Day(weekday=_WEEKDAYS[m["wd"]], which=which if which in ("this", "last") else "")


def _simple(m: re.Match[str]) -> Day:
    if m["named"]:
        return Day(days=_NAMED.get(m["named"], 0))
    return _weekday(m)


def _named(m: re.Match[str]) -> Day:
    part = "night" if m["named"] == "tonight" else m["named"].removeprefix("this ")
    return Day(days=_NAMED[m["named"]], part=_PARTS.get(part, "night" if part == "night" else ""))


def _plus(m: re.Match[str], base: Day, sign: int = 1) -> Day:
    unit, count = m["unit"].rstrip("s"), sign * _number(m["count"])
    days, months = _UNIT_DAYS.get(unit, 0), _UNIT_MONTHS.get(unit, 0)
    return replace(base, plus_days=days * count, plus_months=months * count)


def _from_now(m: re.Match[str]) -> Day:
    return _plus(m, Day(days=0))


def _day_beside(m: re.Match[str]) -> Day:
    base = Day(None, *_HOLIDAYS[m["holiday"]]) if m["holiday"] else _simple(m)
    return replace(base, plus_days=1 if m["way"] == "after" else -1)


def _weeks_on(m: re.Match[str]) -> Day:
    base = _simple(m)
    days = 14 if "fortnight" in m[0] else 7
    return Day(weekday=base.weekday, which=base.which, week=base.week, days=base.days, plus_days=days)


def _clock(m: re.Match[str]) -> Clock | Wrong | None:
    groups = m.groupdict()
    hour = _number(groups["h"])
    minute = _minute(groups.get("m"))
    meridiem = _meridiem(groups)
    if hour > 24 or minute > 59:
        return Wrong("clock") if "oclock" in m[0] else None
    early = (groups["h"].startswith("0") and len(groups["h"]) == 2) or m[0].startswith(("oh ", "o ", "zero "))
    return Clock(hour, minute, meridiem, exact=bool(early and not meridiem))


def _meridiem(groups: Mapping[str, str | None]) -> Meridiem:
    if groups.get("night"):
        return "night"
    if groups.get("mer"):
        return "am" if groups["mer"] == "am" else "pm"
    return _PARTS.get(groups.get("part") or "", "")


def _minute(text: str | None) -> int:
    if not text:
        return 0
    return _number(text.removeprefix("oh ").removeprefix("o ").removeprefix("zero "))


def _bare(m: re.Match[str]) -> Clock | None:
    hour = _number(m["h"])
    return Clock(hour, bare=True) if 1 <= hour <= 12 else None


def _hundred(m: re.Match[str]) -> Clock | None:
    hour = _number(m["h"])
    return Clock(hour, exact=True) if hour <= 24 else None


def _military(m: re.Match[str]) -> Clock:
    return Clock(int(m[1]), int(m[2]), exact=True)


def _to_or_past(m: re.Match[str]) -> Clock | None:
    groups = m.groupdict()
    before = groups["way"] in ("to", "of", "till", "til", "before")
    by = {"half": 30, "quarter": 15, "a quarter": 15}.get(groups["by"]) or _number(groups["by"])
    if groups["special"]:
        hour, exact = (0 if groups["special"] == "midnight" else 12), True
    else:
        hour, exact = _number(groups["h"]), False
    if not 1 <= by <= 59 or hour > 24:
        return None
    meridiem = _meridiem(groups)
    if not before:
        return Clock(hour, by, meridiem, exact)
    if exact:
        return Clock((hour - 1) % 24, 60 - by, "", True)
    if hour == 12 and meridiem:  # a quarter to twelve at night: before midnight
        return Clock(11, 60 - by, "pm" if meridiem in ("am", "night") else "am")
    return Clock(hour - 1 if hour > 1 else 12, 60 - by, meridiem)


def _part(m: re.Match[str]) -> Part:
    return Part(_PARTS[m["part"]])


def _half(m: re.Match[str]) -> Clock:
    return Clock(_number(m["h"]), 30, _meridiem(m.groupdict()))


def _delta(m: re.Match[str]) -> Delta | None:
    unit = 60 if m["unit"].startswith("hour") else 1
    if m["half"]:
        return Delta(30 if m["half"].startswith("half") else 45 if m["half"].startswith("three") else 15)
    if unit == 1 and _number(m["count"]) < _FEWEST_MINUTES:
        return None
    minutes = _number(m["count"]) * unit
    if m["more"]:
        minutes += 30 if m["more"].endswith("half") else 15
    return Delta(minutes)


_TO = r"(?P<way>to|of|till|til|before|past|after)"
_TARGET = rf"(?:(?P<special>noon|midday|midnight)|(?P<h>{_HOUR}))(?: oclock)?{_TAIL}"
_WHILE = (
    rf"(?:(?P<half>half an|half a|(?:a |three )?quarters? of an) |(?:about |around )?(?P<count>{_COUNT}) )"
    r"(?P<unit>hours?|minutes?|mins?)"
    r"(?P<more> and a half| and a quarter)?"
)
_ROUND = r"(?:twenty five|twenty|ten|five|25|20|10|5)"
_MINUTES = rf"(?:half|a quarter|quarter|{_ROUND}|{_SMALL}(?= min))"

_DAY_PATTERNS: tuple[tuple[str, Build], ...] = (
    (r"(?P<y>\d{4}) (?P<m>\d\d) (?P<d>\d\d)", _iso),
    (rf"(?P<month>{_MONTH}) (?:the )?(?P<d>{_ORD}|{_SMALL}){_OF_YEAR}", _by_number),
    (
        rf"(?:the )?(?P<d>{_ORD}|\d{{1,2}}|{_SMALL}(?= of ))(?: day)? (?:of )?(?P<month>{_MONTH})"
        rf"{_OF_YEAR}",
        _by_number,
    ),
    (
        rf"(?:the )?(?P<n>first|second|third|fourth|last) (?P<wd>{_WEEKDAY}) (?:in|of) "
        rf"(?:(?P<month>{_MONTH})|(?P<rel>next|this|the) month)",
        _nth,
    ),
    (
        rf"(?:the )?(?P<edge>end|last day|last|beginning|start|first day) of (?:the month of )?"
        rf"(?:(?P<month>{_MONTH})|(?P<rel>next|this|the) month)",
        _of_month,
    ),
    (rf"(?:the )?(?P<a>{_ORD}) of the (?P<b>{_ORD}){_OF_YEAR}", _by_ordinals),
    (rf"(?:the )?(?P<d>{_ORD}) of (?P<rel>next|this|the) month", _ordinal_of_month),
    (rf"(?:the )?(?P<wd>{_WEEKDAY}) after next", lambda m: Day(weekday=_WEEKDAYS[m["wd"]], week=2)),
    (rf"(?P<rel>next|this) week(?: on)? (?P<wd>{_WEEKDAY})", _week_of_day),
    (rf"(?P<wd>{_WEEKDAY})(?: of| in)? (?P<rel>next|this) week", _week_of_day),
    (
        rf"{_SPAN} (?:from|after|on|past)? ?(?:on )?{_SIMPLE}",
        lambda m: _plus(m, _simple(m)),
    ),
    (rf"{_SIMPLE} (?:week|fortnight)", _weeks_on),
    (rf"(?:in )?{_SPAN}(?: time)? (?:from now|from today|later|hence)", _from_now),
    (rf"in (?:about |around )?{_SPAN}(?: time)?", _from_now),
    (rf"{_SIMPLE} in {_SPAN}(?: time)?", lambda m: _plus(m, _simple(m))),
    (rf"(?:the )?day (?P<way>after|before) (?:(?P<holiday>{_any(_HOLIDAYS)})|{_SIMPLE})", _day_beside),
    (rf"{_SPAN} ago", lambda m: _plus(m, Day(days=0), -1)),
    (rf"(?:(?P<which>next|this coming|this|the coming|coming|last) )?(?P<wd>{_WEEKDAY})", _weekday),
    (rf"(?:the )?(?P<named>{_any(_NAMED)})", _named),
    (rf"(?P<holiday>{_any(_HOLIDAYS)})", lambda m: Day(None, *_HOLIDAYS[m["holiday"]])),
    (rf"(?:the )(?P<d>{_ORD})", lambda m: Day(day=_ordinal(m["d"]))),
    (rf"(?P<d>{_ORD})", lambda m: Day(day=_ordinal(m["d"]), bare=True)),
)  # fmt: skip

_CLOCK_PATTERNS: tuple[tuple[str, Build], ...] = (
    (rf"(?P<h>\d{{1,2}})[:.](?P<m>\d\d)(?:[:.]\d\d)?{_TAIL}", _clock),
    (rf"(?<!from )(?P<by>{_MINUTES})(?: min\w*)? {_TO} {_TARGET}", _to_or_past),
    (rf"(?:(?:oh|o|zero) )?(?P<h>{_HOUR}) (?P<m>{_TWO})(?: oclock)?{_TAIL}", _clock),
    (rf"(?:(?:oh|o|zero) )?(?P<h>{_SMALL}) hundred(?: hours?)?", _hundred),
    (rf"(?P<h>{_SMALL}) oclock{_TAIL}", _clock),
    (rf"(?P<h>{_HOUR}) (?:{_MER}|{_PART})", _clock),
    (r"([01]\d|2[0-3])([0-5]\d)(?: hours?)?", _military),
    (r"(?:(?:twelve|12) )?(?:noon|midday)", lambda m: Clock(12, exact=True)),
    (r"(?:(?:twelve|12) )?midnight", lambda m: Clock(0, exact=True)),
    (
        rf"in {_WHILE}(?: time)?",
        _delta,
    ),
    (
        rf"{_WHILE} from now",
        _delta,
    ),
    (r"(?<!good )(?:(?:in the|this|at) )?(?P<part>morning|afternoon|evening|night)", _part),
    (r"tonight", lambda m: Part("night")),
    (rf"(?P<h>{_HOUR})(?: ish)?", _bare),
)  # fmt: skip

_MONTH_FIRST_REGIONS = ("US", "PH", "FM", "PR", "GU")


def month_first(language: str) -> bool:
    """Whether 3/2 is the second of March."""
    region = language.replace("_", "-").partition("-")[2].upper()
    return not region or region in _MONTH_FIRST_REGIONS


@lru_cache(maxsize=16)
def _patterns(
    figures: bool, clocks: bool, days: bool, first_month: bool
) -> tuple[tuple[re.Pattern[str], Build], ...]:
    def by_figures(m: re.Match[str]) -> Piece:
        return _figures(m, first_month)

    number = rf"(?:(?:oh|o|zero) )?{_SMALL}"
    raw: list[tuple[str, Build]] = list(_DAY_PATTERNS) if days else []
    if days:
        raw.append(
            (rf"(?P<a>{number}) slash (?P<b>{number})(?: slash (?P<y>{_YEAR}|\d\d|{_SMALL}))?", by_figures)
        )
        raw.append((rf"(?P<a>{number}) (?P<b>{number}) (?P<y>{_YEAR}|[3-9]\d)", by_figures))
    if figures:
        raw.append((r"(?P<a>\d{1,2}) (?P<b>\d{1,2})(?P<y>(?!))?", by_figures))
    raw += _CLOCK_PATTERNS if clocks else ()
    if clocks:
        raw.append((rf"half (?P<h>{_HOUR})(?: {_MER})?", _half))
    return tuple((re.compile(rf"(?<!\S)(?:{pattern})(?!\S)"), build) for pattern, build in raw)


def english_pieces(line: Line, language: str, kind: str) -> Iterator[tuple[int, int, Piece]]:
    """Find all that may be a day or a time: (first token, token after, piece), overlapping ones as well."""
    for pattern, build in _patterns(kind == "date", True, kind != "time", month_first(language)):
        for match in pattern.finditer(line.text):
            piece = build(match)
            if piece is not None:
                yield *line.span(match), piece
