"""Amounts of money in the words of callers: "a dollar and fifty cents", "twelve fifty", "만 오천 원"."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision

from voicebot.dialog.language.lexicon import listed
from voicebot.dialog.understanding.corrections import settled
from voicebot.dialog.understanding.line import Found, Line, Reading
from voicebot.dialog.understanding.quantities import Quantity, quantities_in

_UNUSED_COST = 0.06
_UNUSED_COST_BARE = 0.15
"""For each telling word beside an amount without its currency."""

_DOLLARS = frozenset(("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "TWD", "MXN"))
_PESOS = frozenset(("MXN", "PHP", "ARS", "CLP", "COP"))

_UNITS: dict[str, frozenset[str]] = {
    word: frozenset(currencies)
    for words, currencies in (
        ("dollar dollars buck bucks 달러 불", _DOLLARS),
        ("pound pounds quid sterling 파운드", ("GBP",)),
        ("euro euros 유로", ("EUR",)),
        ("won 원", ("KRW",)),
        ("yen 엔", ("JPY",)),
        ("yuan renminbi 위안", ("CNY",)),
        ("franc francs 프랑", ("CHF",)),
        ("rupee rupees 루피", ("INR", "PKR", "LKR")),
        ("peso pesos", _PESOS),
        ("krona kronor krone kroner crowns", ("SEK", "NOK", "DKK", "CZK", "ISK")),
    )
    for word in words.split()
}
"""Word -> the currencies that it may mean. The dollar means the slot's own dollar."""

_SUBUNITS: dict[str, frozenset[str]] = {
    word: frozenset(currencies)
    for words, currencies in (
        ("cent cents 센트", (*_DOLLARS, "EUR")),
        ("penny pennies pence p", ("GBP",)),
        ("penny pennies", ("GBP", "USD", "CAD")),
    )
    for word in words.split()
}

_KOREAN_UNITS = ("원", "달러", "유로", "엔")
_NOTES = {"fiver": 5, "tenner": 10}
_GRAND = frozenset(("grand",))
_JOINTS = frozenset(("and", "with"))
_FEWEST_WHOLE = 100
"""A smaller number without its unit is no amount of a currency without cents."""
_NOT_MONEY_AFTER = frozenset(
    listed(
        """
        percent, oclock, am, pm, minute, minutes, hour, hours, day, days, week, weeks, month, months, years,
        times, people, digits, 명, 시, 분, 일, 월, 개
        """
    )
)


@lru_cache(maxsize=64)
def _precision(currency: str) -> int:
    return get_currency_precision(currency)


def read_money(line: Line, currency: str, between: Sequence[object] | None) -> Found:
    """Find an amount in `currency` (ISO 4217); its value is a Decimal with the currency's own places.

    Invalid: "form" for another currency or too many places, "range" outside of `between`.
    """
    amounts = _amounts(line, currency)
    if not amounts:
        return Found()
    readings = tuple(_reading(amount, start, end, between) for start, end, amount in amounts)
    groups = settled(amounts, line)
    if not groups or len({(amount.value, amount.foreign) for _, _, amount in groups[-1]}) != 1:
        return Found(None, readings)
    start, end, amount = groups[-1][0]
    agreed = _reading(amount, start, end, between)
    cost = _UNUSED_COST if any(a.named for _, _, a in amounts) else _UNUSED_COST_BARE
    spans = [(s, e) for s, e, _ in amounts]
    score = max(0.0, 1.0 - cost * line.unused(spans))
    return Found(Reading(agreed.value, score, start, end, agreed.invalid), readings)


class _Amount:
    __slots__ = ("foreign", "named", "places", "value")

    def __init__(self, value: Decimal, named: bool, foreign: bool, places: int) -> None:
        self.value, self.named, self.foreign, self.places = value, named, foreign, places


def _reading(amount: _Amount, start: int, end: int, between: Sequence[object] | None) -> Reading:
    smallest = Decimal(1).scaleb(-amount.places)
    whole = amount.value == amount.value.quantize(smallest)
    value = amount.value.quantize(smallest) if whole else amount.value
    invalid = "form" if amount.foreign or not whole else ""
    if not invalid and between is not None:
        low, high = (Decimal(str(limit)) for limit in between)
        invalid = "" if low <= value <= high else "range"
    return Reading(value, 1.0, start, end, invalid)


def _amounts(line: Line, currency: str) -> list[tuple[int, int, _Amount]]:
    tokens = line.tokens
    numbers = {start: (value, end) for value, start, end in _numbers(line)}
    places = _precision(currency)
    found: list[tuple[int, int, _Amount]] = []
    at = 0
    while at < len(tokens):
        amount, end = _amount(tokens, at, numbers, currency, places)
        if amount is not None and (end >= len(tokens) or tokens[end] not in _NOT_MONEY_AFTER):
            found.append((at, end, amount))
        at = max(end, at + 1)
    if any(amount.named for _, _, amount in found) and found[-1][2].named:
        # "ten or twenty dollars": the currency holds for both
        found = [(s, e, _Amount(a.value, True, a.foreign, a.places)) for s, e, a in found]
    return found


def _numbers(line: Line) -> list[Quantity]:
    """Find the numbers; an article before a currency is one, and so are a fiver and a tenner."""
    tokens, numbers = line.tokens, quantities_in(line.tokens, line.lexicon)
    taken = {at for _, start, end in numbers for at in range(start, end)}
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if token in ("a", "an", "one") and at not in taken:
            if following in _UNITS or following in _GRAND or following in _SUBUNITS:
                numbers.append((Decimal(1), at, at + 1))
        elif token in _NOTES and at not in taken:
            numbers.append((Decimal(_NOTES[token]), at, at + 1))
    return numbers


def _amount(
    tokens: Sequence[str], at: int, numbers: dict[int, tuple[Decimal, int]], currency: str, places: int
) -> tuple[_Amount | None, int]:
    if at not in numbers:
        return None, at
    value, end = numbers[at]
    inside = _word(tokens, end - 1, inside=True)
    if inside in _UNITS:  # 삼천원 is one word
        return _Amount(value, True, currency not in _UNITS[inside], places), end
    if end < len(tokens) and tokens[end] in _GRAND:
        value, end = value * 1000, end + 1
    unit = _word(tokens, end)
    if unit in _SUBUNITS:
        foreign = currency not in _SUBUNITS[unit] or not places
        return _Amount(value.scaleb(-places), True, foreign, places), end + 1
    named = unit in _UNITS or tokens[at] in _NOTES
    foreign = unit in _UNITS and currency not in _UNITS[unit]
    end += unit in _UNITS
    if not named and not places and value < _FEWEST_WHOLE:
        return None, end
    if places and value == int(value):
        value, end = _with_cents(tokens, end, value, numbers, named, places)
    return _Amount(value, named, foreign, places), end


def _with_cents(
    tokens: Sequence[str],
    end: int,
    value: Decimal,
    numbers: dict[int, tuple[Decimal, int]],
    named: bool,
    places: int,
) -> tuple[Decimal, int]:
    """Read "and fifty cents", "fifty" or "oh five" after the whole units."""
    after = end + 1 if _word(tokens, end) in _JOINTS else end
    oh = _word(tokens, after) in ("oh", "o", "zero") and after + 1 in numbers
    if oh:
        cents, stop = numbers[after + 1]
        if cents < 10 and after == end:
            return value + cents.scaleb(-places), stop
    if after not in numbers:
        return value, end
    cents, stop = numbers[after]
    if cents != int(cents) or not 0 <= cents < 10**places:
        return value, end
    if _word(tokens, stop) in _SUBUNITS:
        return value + cents.scaleb(-places), stop + 1
    if after == end and cents >= 10 and (named or value < 100) and _word(tokens, stop) not in _UNITS:
        return value + cents.scaleb(-places), stop
    return value, end


def _word(tokens: Sequence[str], at: int, *, inside: bool = False) -> str:
    """Return the word at `at`, without a Korean particle where it is a currency, or the currency in it."""
    if at >= len(tokens):
        return ""
    token = tokens[at]
    for unit in _KOREAN_UNITS:
        if token.startswith(unit) or (inside and unit in token):
            return unit
    return "" if inside else token
