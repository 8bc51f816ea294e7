"""Korean number words. No well-kept library reads them; the words themselves are the CLDR's (`korean.py`).

Sino-Korean numbers multiply (사천이백칠십: 4 x 1000 + 2 x 100 + 7 x 10), native ones add (스물다섯: 20 + 5).
Recognisers write them in one word or in several.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from voicebot.dialog.language.korean import KOREAN

_MYRIAD = 10_000
"""만: what precedes it is counted as a whole. By itself it is taken for the particle ("only")."""


def korean_numbers(tokens: Sequence[str]) -> list[tuple[str, int, int]]:
    """Find numbers, loose digits one each: their figures, and the tokens [start, end) they came from."""
    parts = [(part, at) for at, token in enumerate(tokens) for part in _number_words(token)]
    words = [part for part, _ in parts]
    found: list[tuple[str, int, int]] = []
    first = 0
    while first < len(words):
        value, end = _read(words, first)
        if value is not None:
            found.append((value, parts[first][1], parts[end - 1][1] + 1))
        first = end
    return found


def _number_words(token: str) -> Sequence[str]:
    """Part a token that consists of number words only; any other is returned as it is."""
    parts: list[str] = _number_word().findall(token)
    return parts if "".join(parts) == token else [token]


@lru_cache(maxsize=1)
def _number_word() -> re.Pattern[str]:
    words = (*KOREAN.digits, *KOREAN.tens, *KOREAN.scales)
    return re.compile("|".join(sorted(words, key=len, reverse=True)))


def _read(words: Sequence[str], first: int) -> tuple[str | None, int]:
    """Read the number that begins at `first`; return its figures (None: there is none) and where it ends."""
    total = group = 0
    digit: int | None = None
    below = _MYRIAD  # scales descend within a group
    at = first
    while at < len(words):
        word = words[at]
        unit, tens, scale = _digit(word), KOREAN.tens.get(word), KOREAN.scales.get(word)
        if unit is not None:
            if digit is not None or (unit == 0 and at > first):
                break
            digit = unit
        elif tens and digit is None and below > 10:
            group, below = group + tens, 10
        elif scale == _MYRIAD and not total and digit != 0:
            total, group, digit, below = (group + (digit or 0) or 1) * scale, 0, None, _MYRIAD
        elif scale and scale < below and digit != 0:
            group, digit, below = group + (digit or 1) * scale, None, scale
        else:
            if scale and digit is not None and at - 1 > first:
                at, digit = at - 1, None  # it multiplies the next number: 이십 삼십 is 20, 30
            break
        at += 1
    if at == first or (at == first + 1 and KOREAN.scales.get(words[first]) == _MYRIAD):
        return None, first + 1
    return str(total + group + (digit or 0)), at


def _digit(word: str) -> int | None:
    figure = KOREAN.digits.get(word, word)
    return int(figure) if len(figure) == 1 and figure.isascii() and figure.isdigit() else None
