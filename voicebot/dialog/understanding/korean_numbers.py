"""Korean number words. No well-kept library reads them; the words themselves are the CLDR's (`korean.py`).

Sino-Korean numbers multiply (사천이백칠십: 4 x 1000 + 2 x 100 + 7 x 10), native ones add (스물다섯: 20 + 5).
Recognisers write them in one word or in several, with what is counted (세 명, 3명) and particles (이요, 에).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from voicebot.dialog.language.korean import KOREAN
from voicebot.dialog.language.lexicon import listed

_MYRIAD = 10_000
"""만: what precedes it is counted as a whole. By itself it is taken for the particle ("only")."""

_SCALES = {**KOREAN.scales, "억": _MYRIAD**2}
_POINT = "점"
_BEFORE_NOUN = {"한": "1", "두": "2", "세": "3", "석": "3", "네": "4", "넉": "4"}
"""Native digits before what is counted; by themselves they are other words ("네" is "yes")."""
_TWENTY_BEFORE_NOUN = {"스무": 20}
_ALTERNATIVES = ("이나", "나", "이랑", "랑", "하고")
"""Particles of "or" and "and"."""
_COUNTED = frozenset(
    listed(
        """
        명, 분, 개, 원, 살, 번, 장, 대, 병, 권, 층, 호, 박, 사람, 시간, 자리, 잔, 켤레, 마리, 군데,
        가지, 달러, 유로, 엔
        """
    )
)


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


def korean_value(text: str) -> int | None:
    """Return the number that all of `text` says, digit by digit too (이공이칠); None if it says none."""
    words = _whole(text.replace(" ", ""), _number_word())
    if not words:
        return None
    values: list[str] = []
    first = 0
    while first < len(words):
        value, first = _read(words, first)
        if value is None or "." in value:
            return None
        values.append(value)
    if len(values) > 1 and any(len(value) != 1 for value in values):
        return None
    return int("".join(values))


@lru_cache(maxsize=1024)
def _number_words(token: str) -> Sequence[str]:
    """Part a token into number words, what is counted, and a particle; others stay as they are."""
    for pattern in (_number_word(), _counting_word()):
        if words := _whole(token, pattern):
            return words
    for ending in _endings():
        if token.endswith(ending):
            rest = token[: -len(ending)]
            counted = ending in _COUNTED or ending[0] in _COUNTED or ending[:2] in _COUNTED
            if words := _whole(rest, _counting_word() if counted else _number_word()):
                return [*words, ending]
    return [token]


def _whole(token: str, pattern: re.Pattern[str]) -> list[str]:
    parts: list[str] = pattern.findall(token)
    return parts if parts and "".join(parts) == token else []


@lru_cache(maxsize=1)
def _endings() -> tuple[str, ...]:
    """Particles, what is counted, and both together: 이요, 명, 명이요."""
    particles = ("", *KOREAN.endings, *_ALTERNATIVES)
    endings = {noun + particle for noun in ("", *_COUNTED) for particle in particles} - {"", "이", "만"}
    return tuple(sorted(endings, key=len, reverse=True))


@lru_cache(maxsize=1)
def _number_word() -> re.Pattern[str]:
    words = (*KOREAN.digits, *KOREAN.tens, *_SCALES, _POINT)
    return re.compile("|".join((r"\d+(?:\.\d+)?", *sorted(words, key=len, reverse=True))))


@lru_cache(maxsize=1)
def _counting_word() -> re.Pattern[str]:
    words = (*KOREAN.digits, *KOREAN.tens, *_SCALES, *_BEFORE_NOUN, *_TWENTY_BEFORE_NOUN)
    return re.compile("|".join((r"\d+(?:\.\d+)?", *sorted(words, key=len, reverse=True))))


def _counts(words: Sequence[str], at: int) -> bool:
    """Whether something that is counted stands at `at`."""
    return at < len(words) and any(words[at].startswith(noun) for noun in _COUNTED)


def end_of_counted(tokens: Sequence[str], end: int) -> int:
    """Return the token after what is counted, where that stands at `end` in a word of its own."""
    return end + 1 if _counts(tokens, end) else end


def _read(words: Sequence[str], first: int) -> tuple[str | None, int]:
    """Read the number that begins at `first`; return its figures (None: there is none) and where it ends."""
    total = group = 0
    digit: int | None = None
    below, below_group = _MYRIAD, _MYRIAD**3  # scales descend, within a group and from group to group
    at = first
    while at < len(words):
        word = words[at]
        unit, scale = _unit(words, at), _SCALES.get(word)
        tens = KOREAN.tens.get(word) or (_TWENTY_BEFORE_NOUN.get(word) if _counts(words, at + 1) else None)
        if unit is not None:
            if digit is not None or (unit == 0 and at > first) or (unit > 9 and below < _MYRIAD):
                break
            digit = unit
        elif tens and digit is None and below > 10:
            group, below = group + tens, 10
        elif scale and scale >= _MYRIAD and scale < below_group and digit != 0:
            if not group + (digit or 0) and total:
                break
            total += (group + (digit or 0) or 1) * scale
            group, digit, below, below_group = 0, None, _MYRIAD, scale
        elif scale and scale < below and digit != 0 and (digit or 0) < 10:
            group, digit, below = group + (digit or 1) * scale, None, scale
        else:
            if scale and digit is not None and at - 1 > first:
                at, digit = at - 1, None  # it multiplies the next number: 이십 삼십 is 20, 30
            break
        at += 1
    lone = at == first + 1 and (_SCALES.get(words[first]) or 0) >= _MYRIAD
    if at == first or (lone and not _counts(words, at)):
        return None, first + 1
    figures, end = _fraction(words, at)
    return f"{total + group + (digit or 0)}{figures}", end


def _fraction(words: Sequence[str], at: int) -> tuple[str, int]:
    """Read "점 오" after a number: ".5"."""
    if at + 1 >= len(words) or words[at] != _POINT:
        return "", at
    figures, end = "", at + 1
    while end < len(words) and (digit := _digit(words[end])) is not None and digit < 10:
        figures, end = figures + str(digit), end + 1
    return (f".{figures}", end) if figures else ("", at)


def _unit(words: Sequence[str], at: int) -> int | None:
    """Return a digit, a figure of several digits that a scale follows (15만), or a digit before a noun."""
    word = words[at]
    if word in _BEFORE_NOUN:
        return int(_BEFORE_NOUN[word]) if _counts(words, at + 1) else _digit(word)
    digit = _digit(word)
    if digit is not None and digit > 9:
        follows = at + 1 < len(words) and (words[at + 1] in _SCALES or _counts(words, at + 1))
        return digit if follows and len(word) <= 12 else None
    return digit


def _digit(word: str) -> int | None:
    figure = KOREAN.digits.get(word, word)
    return int(figure) if figure.isascii() and figure.isdigit() and len(figure) <= 12 else None
