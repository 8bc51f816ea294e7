"""Read the value of a slot from words or keys: the one door to all readers.

`read_slot` reads an utterance for one slot, `readings` finds every candidate with its words (several slots
in one breath), `value_of_keys` reads what was keyed. All are pure: the call's clock is passed in.
"""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

from babel.numbers import get_currency_precision, get_territory_currencies

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.addresses import read_email
from voicebot.dialog.understanding.corrections import settled
from voicebot.dialog.understanding.korean_numbers import end_of_counted
from voicebot.dialog.understanding.line import Found, Line, Reading, best_first, words_of
from voicebot.dialog.understanding.money import read_money
from voicebot.dialog.understanding.phones import phone_of_keys, read_phone, region_of
from voicebot.dialog.understanding.quantities import quantities_in
from voicebot.dialog.understanding.spelling import read_spelled
from voicebot.dialog.understanding.values import digits_in, fits_digits, fits_number, plain_number, read_open
from voicebot.dialog.understanding.when import Bounds, read_when
from voicebot.dialog.understanding.when_bounds import bound, in_zone
from voicebot.dialog.understanding.when_english import month_first
from voicebot.dialog.understanding.when_parts import Clock, Day, Impossible, day_of, time_of

__all__ = ["Reading", "bound", "read_slot", "readings", "value_of_keys", "warm_up", "words_of"]

READ_TYPES = frozenset(
    ("digits", "number", "money", "date", "time", "datetime", "phone", "email", "spelled", "text", "name")
)
"""Types of slots that are read here; the others are lists of phrases."""

_UNUSED_COST = 0.12
"""For each telling word beside a number."""

_MOST_KEYS = 40


def read_slot(slot: Slot, text: str, lexicon: Lexicon, now: datetime, language: str = "") -> Reading | None:
    """Return the value that `text` gives to `slot`, or None: nothing, or several without a correction.

    `now` is the call's clock, aware, in the zone of the call. `language` is the tag, such as `en-GB`, where
    day and month, currency and region depend on it. Words beside the value lower the score.
    """
    if slot.open:
        opened = read_open(text, slot, lexicon)
        count = len(words_of(text, lexicon))
        return Reading(opened[0], opened[1], 0, count) if opened else None
    return _found(slot, words_of(text, lexicon), lexicon, now, language).agreed


def readings(
    slot: Slot, tokens: Tokens, lexicon: Lexicon, now: datetime, language: str = ""
) -> list[Reading]:
    """Return every candidate in `tokens` (of `words_of`), the most likely first, each with its tokens."""
    if slot.open:
        reading = read_slot(slot, " ".join(tokens), lexicon, now, language)
        return [reading] if reading else []
    return best_first(_found(slot, tokens, lexicon, now, language))


def warm_up(language: str) -> None:
    """Read the tables and compile the patterns of `language`, some 20 ms, so that no call waits for them."""
    lexicon, now = lexicon_of(language), datetime(2000, 1, 1)
    for kind in sorted(READ_TYPES):
        read_slot(Slot.model_validate({"type": kind}), "1", lexicon, now, language)


def _found(slot: Slot, tokens: Tokens, lexicon: Lexicon, now: datetime, language: str) -> Found:
    line = Line(tokens, lexicon)
    language = language or lexicon.language
    if slot.type in ("date", "time", "datetime"):
        return read_when(line, slot.type, Bounds.of(slot.between, now), now, language)
    if slot.type == "money":
        return read_money(line, currency_of(slot, language), slot.between)
    if slot.type == "number":
        return _number(line, slot)
    if slot.type == "digits":
        return _digits(line, slot)
    if slot.type == "phone":
        return read_phone(line, slot.region or region_of(language), extension=slot.extension)
    if slot.type == "spelled":
        return read_spelled(line, slot.digits_range)
    return read_email(line) if slot.type == "email" else Found()


def currency_of(slot: Slot, language: str) -> str:
    """Return the currency of a `money` slot: its own, or that of the language's region."""
    if slot.currency:
        return slot.currency
    current = get_territory_currencies(region_of(language))
    return current[0] if current else "USD"


def _number(line: Line, slot: Slot) -> Found:
    numbers = [(start, end, value) for value, start, end in quantities_in(line.tokens, line.lexicon)]
    if line.lexicon.language == "ko":
        numbers = [(start, end_of_counted(line.tokens, end), value) for start, end, value in numbers]
    each = tuple(_number_reading(value, start, end, slot) for start, end, value in numbers)
    groups = settled(numbers, line)
    if not groups or len({value for _, _, value in groups[-1]}) != 1:
        return Found(None, each)
    start, end, value = groups[-1][0]
    reading = _number_reading(value, start, end, slot)
    spans = [(s, e + (" ".join(line.tokens[e : e + 1]) in line.lexicon.counted)) for s, e, _ in numbers]
    score = max(0.0, 1.0 - _UNUSED_COST * line.unused(spans))
    return Found(Reading(reading.value, score, start, end, reading.invalid), each)


def _number_reading(value: Decimal, start: int, end: int, slot: Slot) -> Reading:
    return Reading(plain_number(value), 1.0, start, end, "" if fits_number(float(value), slot) else "range")


def _digits(line: Line, slot: Slot) -> Found:
    found = digits_in(line.tokens, slot, line.lexicon)
    if found is None:
        return Found()
    digits, score, start, end = found
    reading = Reading(digits, score, start, end, _digits_fault(digits, slot))
    return Found(reading, (reading,))


def _digits_fault(digits: str, slot: Slot) -> str:
    if fits_digits(digits, slot):
        return ""
    low, high = slot.digits_range
    return "check" if low <= len(digits) <= high else "length"


def value_of_keys(slot: Slot, digits: str, now: datetime, language: str = "en-US") -> Reading | None:
    """Read keyed `digits` (terminator removed), or None where they cannot mean a value of this type.

    A date is keyed as MMDD, MMDDYY or MMDDYYYY, in Britain and elsewhere DDMM..., in Korean YYYYMMDD, YYMMDD
    or MMDD; a time as HHMM or HH; a datetime as date and time; `*` is the decimal point.
    """
    if not digits or len(digits) > _MOST_KEYS or set(digits) - set("0123456789*"):
        return None
    if slot.type == "digits" and "*" not in digits:
        return Reading(digits, 1.0, invalid=_digits_fault(digits, slot))
    if slot.type in ("number", "money"):
        return _keyed_number(slot, digits, language)
    if slot.type == "phone":
        plus = digits.startswith("**")  # as on a handset, ** stands for +
        plain = digits[2:] if plus else digits
        region = slot.region or region_of(language)
        if "*" in plain:
            return None
        return phone_of_keys(("+" if plus else "") + plain, region, extension=slot.extension)
    if slot.type in ("date", "time", "datetime"):
        return _keyed_when(slot, digits.replace("*", ""), now, language)
    return Reading(digits, 1.0) if slot.type == "text" else None


def _keyed_number(slot: Slot, digits: str, language: str) -> Reading | None:
    if digits.count("*") > 1 or digits == "*" or len(digits) > 15:
        return None
    value = Decimal(digits.replace("*", ".").rstrip(".") or "0")
    if slot.type == "number":
        return _number_reading(value, 0, 0, slot)
    places = get_currency_precision(currency_of(slot, language))
    rounded = value.quantize(Decimal(1).scaleb(-places))
    invalid = "" if rounded == value else "form"
    if not invalid and not fits_number(float(value), slot):
        invalid = "range"
    return Reading(rounded if not invalid else value, 1.0, invalid=invalid)


def _keyed_when(slot: Slot, digits: str, now: datetime, language: str) -> Reading | None:
    bounds = Bounds.of(slot.between, now)
    day: Day | None = None
    clock: Clock | None = None
    if slot.type == "time":
        clock = _keyed_clock(digits)
    elif slot.type == "date" or len(digits) in (4, 6):
        day = _keyed_day(digits, language)
    else:
        day, clock = _keyed_day(digits[:-4], language), _keyed_clock(digits[-4:])
        if clock is None or day is None:
            return None
    if day is None and clock is None:
        return None
    try:
        on = day_of(day, now, *bounds.days) if day else None
        at = time_of(clock, "", *bounds.times) if clock else None
    except Impossible:
        return Reading(now.date() if slot.type != "time" else now.time(), 1.0, invalid="form")
    value: date | time | datetime
    if on is not None and at is not None:
        value = in_zone(datetime.combine(on, at), now)
    elif on is not None:
        value = on
    elif at is not None:
        value = at
    else:
        return None
    fault = bounds.fault(value, now)
    part = slot.type == "datetime" and not isinstance(value, datetime)
    return Reading(value, 1.0, invalid=fault or ("incomplete" if part else ""))


def _keyed_day(digits: str, language: str) -> Day | None:
    if len(digits) not in (4, 6, 8):
        return None
    if language.startswith("ko"):
        rest, month, day = digits[:-4], int(digits[-4:-2]), int(digits[-2:])
    else:
        first, second, rest = int(digits[:2]), int(digits[2:4]), digits[4:]
        month, day = (first, second) if month_first(language) else (second, first)
    return Day(int(rest) if rest else None, month, day)


def _keyed_clock(digits: str) -> Clock | None:
    """Read HHMM or HH; a leading zero, or an hour above twelve, says which half of the day."""
    if not 1 <= len(digits) <= 4:
        return None
    hour, minute = (int(digits), 0) if len(digits) < 3 else (int(digits[:-2]), int(digits[-2:]))
    return Clock(hour, minute, exact=digits[0] == "0" and len(digits) in (2, 4))
