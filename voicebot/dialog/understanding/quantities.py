"""Numbers with what people say around them: minus five, two and a half, a dozen, half a million."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import is_content
from voicebot.dialog.understanding.korean_numbers import end_of_counted
from voicebot.dialog.understanding.numbers import decimals_in

Quantity = tuple[Decimal, int, int]
"""A number, and the tokens [start, end) that it was read from."""

_MINUS = frozenset(("minus", "negative", "마이너스", "영하"))
_BEFORE_PRONOUN = frozenset(
    (
        "no",
        "any",
        "every",
        "some",
        "another",
        "this",
        "that",
        "which",
        "each",
        "other",
        "had",
        "have",
        "first",
    )
)
_AFTER_PRONOUN = frozenset(("moment", "second", "sec", "more", "step", "day", "of", "thing"))
_ONCE = frozenset(("한번", "한번만", "한번더"))
_BEFORE_NUMBER = frozenset(("half", "a", "an", "the", "point"))
"""Words with which a number begins that is not found by itself."""
_FRACTIONS = {"half": Decimal("0.5"), "quarter": Decimal("0.25")}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000, "billion": 1_000_000_000}
_DOZEN = Decimal(12)
_LONGEST_NUMBER = 15
"""Figures of a number."""


def quantities_in(tokens: Sequence[str], lexicon: Lexicon) -> list[Quantity]:
    """Find the numbers in `tokens`, in their order."""
    found = decimals_in(tokens, lexicon)
    if lexicon.language == "en":
        found = [quantity for quantity in found if not is_pronoun(tokens, quantity[1], quantity[2])]
        found = _with_words(tokens, found)
    if lexicon.language == "ko":
        found = [quantity for quantity in found if not is_word(tokens, quantity[1], quantity[2], lexicon)]
    return [_signed(tokens, quantity) for quantity in found]


def is_pronoun(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether these tokens are "one" that counts nothing: no one, one moment, the other one."""
    if tuple(tokens[start:end]) != ("one",):
        return False
    before = tokens[start - 1] if start else ""
    after = tokens[end] if end < len(tokens) else ""
    return (
        before in _BEFORE_PRONOUN or after in _AFTER_PRONOUN or tuple(tokens[end : end + 2]) == ("or", "the")
    )


def is_word(tokens: Sequence[str], start: int, end: int, lexicon: Lexicon) -> bool:
    """Whether a Korean syllable that may be a digit is a word: 이 전화 "this call", 다시 한번 "once more"."""
    if end - start > 1 or end_of_counted(tokens, end) > end or tokens[start][0].isdigit():
        return False
    if tokens[start] in _ONCE:
        return True
    syllable = tokens[start] if len(tokens[start]) == 1 else tokens[start][:1]
    rest = tokens[start][1:]
    if syllable not in lexicon.digits or (rest and rest not in lexicon.endings):
        return False
    others = (*tokens[:start], *tokens[end:])
    return any(is_content(token, lexicon) and token not in _MINUS for token in others)


def _signed(tokens: Sequence[str], quantity: Quantity) -> Quantity:
    value, start, end = quantity
    if start and tokens[start - 1] in _MINUS:
        return -value, start - 1, end
    return quantity


def _with_words(tokens: Sequence[str], found: list[Quantity]) -> list[Quantity]:
    """Join numbers with the words beside them that change them."""
    by_start = {start: (value, end) for value, start, end in found}
    read: list[Quantity] = []
    at = 0
    while at < len(tokens):
        here = _at(tokens, at, by_start)
        if here is None:
            at += 1
            continue
        value, end = here
        read.append((value, at, end))
        at = end
    return read


def _at(
    tokens: Sequence[str], at: int, by_start: dict[int, tuple[Decimal, int]]
) -> tuple[Decimal, int] | None:
    word = tokens[at]
    if at in by_start:
        value, end = by_start[at]
        rest = tuple(tokens[end : end + 3])
        if rest[:1] == ("dozen",):
            return _and_a_half(tokens, value * _DOZEN, end + 1)
        if len(rest) == 3 and rest[:2] == ("and", "a") and rest[2] in _FRACTIONS and value == int(value):
            return _scaled(tokens, value + _FRACTIONS[rest[2]], end + 3)
        if rest == ("and", "three", "quarters"):
            return _scaled(tokens, value + Decimal("0.75"), end + 3)
        if rest[:2] in (("point", "oh"), ("point", "o")) and end + 2 in by_start:
            digit, stop = by_start[end + 2]
            if 0 <= digit < 10 and digit == int(digit):  # "one point oh five"
                return value + digit / 100, stop
        if rest[:1] == ("k",):
            return value * 1000, end + 1
        return _scaled(tokens, value, end) if value != int(value) else (value, end)
    if word not in _BEFORE_NUMBER and not word.endswith("k"):
        return None
    following = tuple(tokens[at + 1 : at + 4])
    if word == "half":
        if following[:2] == ("a", "dozen"):
            return _DOZEN / 2, at + 3
        if following[:1] in (("a",), ("an",)) and following[1:2] and following[1] in _SCALES:
            return Decimal(_SCALES[following[1]]) / 2, at + 3
    if word in ("a", "an", "the") and following[:1] == ("dozen",):
        return _and_a_half(tokens, _DOZEN, at + 2)
    if word == "a" and following[:1] == ("couple",):
        end = at + (3 if following[1:2] == ("of",) else 2)
        return _scaled(tokens, Decimal(2), end)
    if word == "point" and at + 1 in by_start:
        value, end = by_start[at + 1]
        if value == int(value) and end == at + 2 and 0 <= value < 100:
            return Decimal(f"0.{int(value)}"), end
    if word[:-1].isdigit() and word.endswith("k") and len(word) <= _LONGEST_NUMBER:
        return Decimal(word[:-1]) * 1000, at + 1
    return None


def _and_a_half(tokens: Sequence[str], dozens: Decimal, end: int) -> tuple[Decimal, int]:
    if tuple(tokens[end : end + 3]) == ("and", "a", "half"):
        return dozens + _DOZEN / 2, end + 3
    return dozens, end


def _scaled(tokens: Sequence[str], value: Decimal, end: int) -> tuple[Decimal, int]:
    if end < len(tokens) and tokens[end] in _SCALES:
        return value * _SCALES[tokens[end]], end + 1
    return value, end
