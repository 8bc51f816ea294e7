"""Digits and numbers as people say them: "four two seven one", "double two", "oh", "forty two", "4271"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from voicebot.dialog.lexicon import Lexicon

_NUMERAL = re.compile(r"\d+(?:[.:]\d+)*")
_MOST_MULTIPLIED = 3
_LARGEST = 10**12


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring number words: their digits, and the tokens [start, end) that they came from."""

    digits: str
    start: int
    end: int


def digit_runs(tokens: Sequence[str], lexicon: Lexicon, *, homophones: bool = False) -> list[Run]:
    """Find runs of digits. With `homophones`, "to" and "for" count where a digit stands beside them."""
    runs: list[Run] = []
    at = 0
    while at < len(tokens):
        found = _digits_at(tokens, at, lexicon)
        if found is None and homophones and (digit := lexicon.homophones.get(tokens[at])):
            before = bool(runs) and runs[-1].end == at
            after = at + 1 < len(tokens) and _digits_at(tokens, at + 1, lexicon) is not None
            found = (digit, at + 1) if before or after else None
        if found is None:
            at += 1
            continue
        digits, end = found
        if runs and runs[-1].end == at:
            runs[-1] = Run(runs[-1].digits + digits, runs[-1].start, end)
        else:
            runs.append(Run(digits, at, end))
        at = end
    return runs


def _digits_at(tokens: Sequence[str], at: int, lexicon: Lexicon) -> tuple[str, int] | None:
    """Read the digits that begin at `tokens[at]`; return them and where they end."""
    token = tokens[at]
    if times := lexicon.multipliers.get(token):
        if at + 1 < len(tokens):
            digit = _one_digit(tokens[at + 1], lexicon)
            if digit is not None:
                return digit * min(times, _MOST_MULTIPLIED), at + 2
        return None
    cardinal = cardinal_at(tokens, at, lexicon)
    if cardinal is not None and (cardinal[1] > at + 1 or _one_digit(token, lexicon) is None):
        return str(cardinal[0]), cardinal[1]
    if _NUMERAL.fullmatch(token):
        return re.sub(r"\D", "", token), at + 1
    if (digit := _one_digit(token, lexicon)) is not None:
        return digit, at + 1
    if len(token) > 1 and lexicon.language == "ko" and all(_is_syllable(c, lexicon) for c in token):
        return "".join(lexicon.digits[c] for c in token), at + 1
    return None


def _is_syllable(character: str, lexicon: Lexicon) -> bool:
    return character in lexicon.digits


def _one_digit(token: str, lexicon: Lexicon) -> str | None:
    if len(token) == 1 and token.isascii() and token.isdigit():
        return token
    return lexicon.digits.get(token)


def cardinal_at(tokens: Sequence[str], at: int, lexicon: Lexicon) -> tuple[int, int] | None:
    """Read a cardinal ("two hundred and five", "forty two", "17") at `at`; return its value and its end.

    A single digit word is a cardinal only before a scale word: digit strings are not sums.
    """
    total = group = 0
    end = at
    last = ""
    while end < len(tokens):
        token = tokens[end]
        if token in lexicon.tens and last in ("", "scale"):
            group, last = group + lexicon.tens[token], "tens"
        elif token in lexicon.units and last in ("", "scale"):
            group, last = group + lexicon.units[token], "unit"
        elif (digit := _small(token, lexicon)) is not None and digit and last in ("", "tens", "scale"):
            scaled = end + 1 < len(tokens) and tokens[end + 1] in lexicon.scales
            if last == "" and not scaled:
                break
            group, last = group + digit, "unit"
        elif token in lexicon.scales and (last or token in ("hundred", "thousand")):
            scale = lexicon.scales[token]
            if scale >= 1000:
                total, group = total + max(group, 1) * scale, 0
            else:
                group = max(group, 1) * scale
            last = "scale"
        elif token == "and" and last == "scale" and end + 1 < len(tokens):
            if cardinal_at(tokens, end + 1, lexicon) is None and _small(tokens[end + 1], lexicon) is None:
                break
        else:
            break
        end += 1
        if total > _LARGEST:
            return None
    return (total + group, end) if last else None


def _small(token: str, lexicon: Lexicon) -> int | None:
    digit = lexicon.digits.get(token) or (token if re.fullmatch(r"\d", token) else None)
    return int(digit) if digit is not None else None


def numbers_in(tokens: Sequence[str], lexicon: Lexicon) -> list[tuple[float, int, int]]:
    """Find whole numbers and decimals: (value, start, end) each."""
    found: list[tuple[float, int, int]] = []
    at = 0
    while at < len(tokens):
        cardinal = cardinal_at(tokens, at, lexicon)
        if cardinal is not None:
            found.append((cardinal[0], at, cardinal[1]))
        elif re.fullmatch(r"\d{1,12}(\.\d{1,6})?", tokens[at]):
            found.append((float(tokens[at]), at, at + 1))
        elif (small := _small(tokens[at], lexicon)) is not None and tokens[at] not in ("o", "oh"):
            found.append((small, at, at + 1))
        at = found[-1][2] if found and found[-1][1] == at else at + 1
    return found


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return bool(digits) and total % 10 == 0
