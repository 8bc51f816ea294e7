"""Digits and numbers as people say them: "four two seven one", "double two", "oh", "forty two", "4271".

English number words are read by `text2num`. Ours is what it leaves out: figures, "double", colloquial and
misheard words, and Korean (`korean_numbers.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from stdnum import damm, ean, luhn, verhoeff
from stdnum.iso7064 import mod_97_10
from text_to_num import find_numbers

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.understanding.korean_numbers import korean_numbers
from voicebot.speech.spellout import spell

_NUMERAL = re.compile(r"\d+(?:[.:]\d+)*")
_NUMBER = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_LONGEST_NUMERAL = 40
"""Characters of what is written in figures."""
_DIGITS = tuple(spell(digit) for digit in range(10))
_ZERO = _DIGITS[0]
_INTERJECTIONS = frozenset(("o", "oh"))
"""They are a nought within digits only."""


class Run(NamedTuple):
    """Neighbouring number words: their digits, and the tokens [start, end) that they came from."""

    digits: str
    start: int
    end: int


def digit_runs(tokens: Sequence[str], lexicon: Lexicon, *, homophones: bool = False) -> list[Run]:
    """Find runs of digits. With `homophones`, "to" and "for" count where a digit stands beside them."""
    if homophones:
        tokens = _without_homophones(tokens, lexicon)
    runs: list[Run] = []
    for text, start, end in _said(tokens, lexicon, digits=True):
        digits = text if text.isdecimal() else re.sub(r"\D", "", text)
        if runs and runs[-1].end >= start:
            runs[-1] = Run(runs[-1].digits + digits, runs[-1].start, end)
        else:
            runs.append(Run(digits, start, end))
    return runs


def decimals_in(tokens: Sequence[str], lexicon: Lexicon) -> list[tuple[Decimal, int, int]]:
    """Find whole numbers and decimals: (value, start, end) each."""
    said = _said(tokens, lexicon, digits=False)
    return [(Decimal(text), start, end) for text, start, end in said if _NUMBER.fullmatch(text)]


def _said(tokens: Sequence[str], lexicon: Lexicon, *, digits: bool) -> list[tuple[str, int, int]]:
    """Find what is said as one number: its figures, and the tokens [start, end) that they came from."""
    if lexicon.language == "ko":
        words = korean_numbers(tokens)
    else:
        words = _english_numbers(tokens, lexicon, digits=digits)
    figures = [
        (t, at, at + 1)
        for at, t in enumerate(tokens)
        if len(t) > 1 and t[0].isdecimal() and len(t) <= _LONGEST_NUMERAL and _NUMERAL.fullmatch(t)
    ]
    if not figures:
        return words
    used = {at for _, start, end in words for at in range(start, end)}
    return sorted((*words, *(f for f in figures if f[1] not in used)), key=lambda said: said[1])


@dataclass(slots=True)
class _Word:
    """A word as `text2num` wants it (its protocol `Token`), and the tokens that it came from.

    apart:  it must not be drawn together with the one before: "forty double two" is 4022, not 4222
    mute:   it says no number here
    """

    word: str
    start: int
    end: int
    apart: bool = False
    mute: bool = False

    def text(self) -> str:
        return self.word

    def nt_separated(self, previous: _Word) -> bool:
        return self.apart

    def not_a_number_part(self) -> bool:
        return self.mute


def _english_numbers(tokens: Sequence[str], lexicon: Lexicon, *, digits: bool) -> list[tuple[str, int, int]]:
    words: list[_Word] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        times = lexicon.multipliers.get(token, 0)
        doubled = _digit(tokens[at + 1], lexicon) if times and at + 1 < len(tokens) else None
        if doubled is not None:
            words += [_Word(_DIGITS[doubled], at, at + 2, apart=True)] * times
            at += 2
            continue
        mute = token in _INTERJECTIONS and not digits
        # Digits may begin with zeros, a number does not: "zero five" is two numbers, and so no answer.
        apart = not digits and token != "point" and bool(words) and words[-1].word == _ZERO
        digit = None if mute else _digit(token, lexicon)
        words.append(_Word(token if digit is None else _DIGITS[digit], at, at + 1, apart, mute))
        at += 1
    found = [o for o in find_numbers(words, "en", threshold=0) if not o.is_ordinal]
    return [(o.text, words[o.start].start, words[o.end - 1].end) for o in found]


def _digit(token: str, lexicon: Lexicon) -> int | None:
    digit = lexicon.digits.get(token) or (token if len(token) == 1 and token.isdecimal() else None)
    return int(digit) if digit is not None else None


def _without_homophones(tokens: Sequence[str], lexicon: Lexicon) -> list[str]:
    said = _said(tokens, lexicon, digits=True)
    covered = {at for _, start, end in said for at in range(start, end)}
    written = list(tokens)
    for at, token in enumerate(tokens):
        digit = lexicon.homophones.get(token)
        if digit and at not in covered and (at - 1 in covered or at + 1 in covered):
            covered.add(at)
            written[at] = digit
    return written


_CHECKS: dict[str, Callable[[str], bool]] = {
    "luhn": luhn.is_valid,  # ISO/IEC 7812-1, annex B
    "verhoeff": verhoeff.is_valid,
    "damm": damm.is_valid,
    "mod_97_10": mod_97_10.is_valid,  # ISO/IEC 7064
    "ean": ean.is_valid,
}


def checked(digits: str, check: str | None) -> bool:
    """Whether the check digit of kind `check` is right (package `python-stdnum`), or there is none."""
    return check is None or _CHECKS[check](digits)
