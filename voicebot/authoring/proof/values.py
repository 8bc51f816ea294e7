"""Which values a caller, a service or a campaign might give: at and around what they are compared with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from voicebot.authoring.proof.facts import Compared, Facts
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.speaking.templates import say_value

MOST_VALUES = 24
"""Values of one slot that are tried at most; the author's choices are never more than tens."""

DAYS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 14, 15, 29, 30, 31, 61, -1, -30)
"""Days from today that are tried where days are compared; a week holds every weekday."""
BIRTHDAY = date(1980, 5, 4)
HOURS = (3, 9, 12, 15, 19)

_OPEN: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "en": {
        "text": ("my washing machine makes a strange noise", "something completely different"),
        "name": ("Sara Miller", "John Smith"),
        "email": ("sara dot miller at example dot com",),
        "spelled": ("a b c d e f g h",),
        "phone": ("202 555 0143", "1 202 555 0143", "020 7946 0018", "204"),
    },
    "ko": {
        "text": ("세탁기에서 이상한 소리가 나요",),
        "name": ("김민수",),
        "email": ("sara at example dot com",),
        "spelled": ("에이 비 씨 디",),
        "phone": ("010 1234 5678", "02 123 4567"),
    },
}
NOISE = {"en": "purple elephants juggle", "ko": "보라색 코끼리 저글링"}
"""Words that mean nothing to any dialog."""


def noise(language: str) -> str:
    return NOISE.get(language[:2], NOISE["en"])


def said_values(
    name: str, slot: Slot, facts: Facts, values: Mapping[str, object], language: str, today: date
) -> Iterator[str]:
    """Yield what a caller might say for a slot; some of it is not allowed there, on purpose.

    Of a type of which nothing is compared one answer stands for all.
    """
    compared = facts.compared.get(name, Compared())
    matters = name in facts.deciding or bool(slot.valid)
    lexicon = lexicon_of(language)
    match slot.type:
        case "yes_no":
            yield lexicon.yes[0]
            yield lexicon.no[0]
        case "choice":
            for value, choice in slot.choices.items():
                yield choice.hear[0] if choice.hear else value.replace("_", " ")
        case "weekday":
            spoken = [phrases[0] for phrases in lexicon.weekdays.values()]
            yield from spoken if matters else spoken[:1]
        case "number" | "money":
            for number in _numbers(slot, compared, values):
                unit = {"en": " dollars", "ko": "원"}.get(language[:2], "") if slot.type == "money" else ""
                yield f"{number:g}{unit}"
        case "digits":
            yield from _digits(slot, compared, values)
        case "date":
            yield from (_dated(day, language) for day in _days(slot, matters, compared, values, today))
        case "time":
            yield from (_timed(hour, language) for hour in _hours(matters, compared))
        case "datetime":
            for day, hour in _moments(slot, matters, compared, values, today):
                yield f"{_dated(day, language)} {_timed(hour, language)}"
        case _:
            yield from _OPEN.get(language[:2], _OPEN["en"]).get(slot.type, ())
            for literal in compared.literals:
                if isinstance(literal, str) and literal:
                    yield literal


def possible(
    kind: str, compared: Compared, matters: bool, values: Mapping[str, object], today: date
) -> list[object]:
    """Return values of a type that a service or a campaign might give, as JSON has them; usual ones first."""
    literals = [value for value in compared.literals if value is not None]
    match kind:
        case "yes_no":
            return [True, False] if matters else [True]
        case "number" | "money":
            return list(_numbers(None, compared, values))
        case "date":
            return [*(day.isoformat() for day in _days(None, matters, compared, values, today))]
        case "time":
            return [*(f"{hour:02d}:00" for hour in _hours(matters, compared))]
        case "datetime":
            return [
                f"{day.isoformat()}T{hour:02d}:00"
                for day, hour in _moments(None, matters, compared, values, today)
            ]
        case "weekday":
            return ["monday", "saturday"] if matters else ["monday"]
    texts = [str(value) for value in literals if isinstance(value, str) and value]
    usual = {
        "digits": "4271",
        "phone": "+12025550143",
        "email": "sara@example.com",
        "name": "Sara Miller",
        "spelled": "ABC",
    }
    beside = [str(values[name]) for name in compared.names if isinstance(values.get(name), str)]
    found: list[object] = [usual.get(kind, "something"), *texts, *beside]
    return list(dict.fromkeys(found))[:MOST_VALUES]


def _numbers(slot: Slot | None, compared: Compared, values: Mapping[str, object]) -> list[float]:
    found: list[float] = []
    bounds = slot.between if slot and slot.between else ()
    low, high = ([float(bound) for bound in bounds] or [1.0, 1000.0])[:2]
    found.append(min(max(5.0, low), high))
    numbers = _written_numbers(compared)
    numbers += [float(v) for v in map(values.get, compared.names) if isinstance(v, int | float | Decimal)]
    for number in numbers:
        found += [number - 1, number, number + 1]
    if bounds:
        found += [low, high, low - 1, high + 1]
    return list(dict.fromkeys(number for number in found if number >= 0))[:MOST_VALUES]


def _written_numbers(compared: Compared) -> list[float]:
    numbers = (
        v for v in compared.literals if isinstance(v, int | float | Decimal) and not isinstance(v, bool)
    )
    return sorted(float(number) for number in numbers)


def _digits(slot: Slot, compared: Compared, values: Mapping[str, object]) -> Iterator[str]:
    low, high = slot.digits_range
    others = [*compared.literals, *(values.get(name) for name in compared.names)]
    fitting = [str(v) for v in others if isinstance(v, str) and v.isdigit() and low <= len(v) <= high]
    if not slot.check:
        yield ("4271" * 10)[: min(max(4, low), high)]
        yield from dict.fromkeys(fitting)
        yield from dict.fromkeys(("1203" * 10)[:length] for length in (low, min(high, low + 12)))
    else:
        body = ("4539148803" * 4)[: max(low - 2, 0)]
        yield from (body + f"{tail:02d}" for tail in range(100))  # one of them has the right check digits
        return
    yield ("4271" * 11)[: high + 1]
    if low > 1:
        yield ("4271" * 10)[: low - 1]


def _days(
    slot: Slot | None, matters: bool, compared: Compared, values: Mapping[str, object], today: date
) -> list[date]:
    near = [today + timedelta(days=days) for days in DAYS]
    if not matters and not (slot and slot.between):
        return near[1:2]
    others: Iterable[object] = (*compared.literals, *(values.get(name) for name in compared.names))
    known = [each.date() if isinstance(each, datetime) else each for each in others if isinstance(each, date)]
    return list(dict.fromkeys([near[1], *known, BIRTHDAY, *near]))[:MOST_VALUES]


def _hours(matters: bool, compared: Compared) -> list[int]:
    if not matters:
        return [15]
    literal = [int(number) for number in _written_numbers(compared) if 0 <= number < 24]
    literal += [each.hour for each in compared.literals if isinstance(each, time)]
    around = [hour for each in literal for hour in (each - 1, each, each + 1) if 0 <= hour < 24]
    return list(dict.fromkeys([15, *around, *HOURS]))[:MOST_VALUES]


def _moments(
    slot: Slot | None, matters: bool, compared: Compared, values: Mapping[str, object], today: date
) -> list[tuple[date, int]]:
    days = _days(slot, matters, compared, values, today)
    hours = _hours(matters, compared)
    workday = next((day for day in days[1:] if day.weekday() < 5), days[0])
    return list(dict.fromkeys([*((workday, hour) for hour in hours), *((day, hours[0]) for day in days)]))[
        :MOST_VALUES
    ]


def _dated(day: date, language: str) -> str:
    if language[:2] == "ko":
        return f"{day.year}년 {day.month}월 {day.day}일"
    return say_value(day, "date", language) + f" {day.year}"


def _timed(hour: int, language: str) -> str:
    if language[:2] == "ko":
        return f"{'오전' if hour < 12 else '오후'} {hour % 12 or 12}시"
    return f"at {hour % 12 or 12} {'am' if hour < 12 else 'pm'}"
