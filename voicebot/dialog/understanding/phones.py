"""Phone numbers in the words of callers, by the numbering plans of the package `phonenumbers`."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from babel.core import get_global
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType, ValidationResult

from voicebot.dialog.understanding.line import Found, Line, Reading
from voicebot.dialog.understanding.numbers import Run, digit_runs

_UNUSED_COST = 0.06
_SHORTEST_NUMBER, _LONGEST_NUMBER = 3, 20
"""Digits. What is shorter is no number of a phone, what is longer is no number at all."""

_EXTENSION_DIGITS = 6
"""The longest extension."""

_GIVEN = re.compile(r"\+?[0-9 ()./-]{3,25}")

_PLUS = ("plus", "플러스", "국가번호")
_EXTENSION_WORDS = frozenset(("extension", "ext", "내선"))
_NOUGHTS = {"hundred": "00", "thousand": "000"}
_JOINTS = frozenset(
    ("and", "dash", "minus", "hyphen", "then", "area", "code", "에", "다시", "하이픈", "um", "uh")
)
"""What may stand between the digits of one number."""


def read_phone(line: Line, region: str, *, extension: bool = False) -> Found:
    """Find the phone number; its value is E.164 ("+12025550123"), or a short one as it is dialled.

    `region` is where a number without a country code belongs (ISO 3166). Invalid: "length", "form".
    """
    joined = [_joined(line, homophones) for homophones in (False, True)]
    readings = [
        reading for runs in joined for run in runs if (reading := _reading(line, run, region, extension))
    ]
    if not readings:
        return Found()
    best = min(readings, key=lambda r: (bool(r.invalid), r.start - r.end))
    return Found(best, tuple(r for r in readings if not r.invalid))


def phone_of_keys(digits: str, region: str, *, extension: bool = False) -> Reading | None:
    """Read a keyed number."""
    value, invalid = _number(digits, region, extension)
    return Reading(value, 1.0, invalid=invalid) if digits else None


def _joined(line: Line, homophones: bool) -> list[Run]:
    """Join the runs of digits that only small words part."""
    runs: list[Run] = []
    for run in digit_runs(_with_noughts(line), line.lexicon, homophones=homophones):
        if runs and all(token in _JOINTS for token in line.tokens[runs[-1].end : run.start]):
            runs[-1] = Run(runs[-1].digits + run.digits, runs[-1].start, run.end)
        else:
            runs.append(run)
    return runs


def _with_noughts(line: Line) -> list[str]:
    """Write "eight hundred five five five" so that it is 800 555, not 805 55."""
    tokens = list(line.tokens)
    for at, token in enumerate(tokens[1:], 1):
        noughts = _NOUGHTS.get(token)
        if noughts and tokens[at - 1] in line.lexicon.digits:
            tokens[at] = noughts
    return tokens


def _reading(line: Line, run: Run, region: str, extension: bool) -> Reading | None:
    if not _SHORTEST_NUMBER <= len(run.digits) <= _LONGEST_NUMBER:
        return None
    before = line.tokens[run.start - 1] if run.start else ""
    international = before in _PLUS
    value, invalid = _number(("+" if international else "") + run.digits, region, extension)
    start = run.start - 1 if international or before in _EXTENSION_WORDS else run.start
    score = max(0.0, 1.0 - _UNUSED_COST * line.unused([(start, run.end)]))
    return Reading(value, score, start, run.end, invalid)


def _number(digits: str, region: str, extension: bool) -> tuple[str, str]:
    """Return the number in E.164 with "", or what was said with the reason why it is none."""
    if extension and len(digits) <= _EXTENSION_DIGITS and digits.isdigit():
        return digits, ""
    try:
        number = phonenumbers.parse(digits, region)
    except NumberParseException:
        return digits, "form"
    reason = phonenumbers.is_possible_number_with_reason(number)
    if phonenumbers.is_valid_number(number):
        return phonenumbers.format_number(number, PhoneNumberFormat.E164), ""
    too_short = len(digits) < _fewest_digits(number.country_code or 0)
    return digits, "length" if reason != ValidationResult.IS_POSSIBLE or too_short else "form"


@lru_cache(maxsize=64)
def _fewest_digits(country_code: int) -> int:
    """Return how long numbers of homes and mobiles are at least, by the examples of the numbering plan."""
    region = phonenumbers.region_code_for_country_code(country_code)
    kinds = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    examples = [phonenumbers.example_number_for_type(region, kind) for kind in kinds]
    return min((len(str(example.national_number)) for example in examples if example), default=0)


def given_phone(text: str) -> str | None:
    """Return a number from outside, in E.164 where it names its country; None where it is no number."""
    if not _GIVEN.fullmatch(text):
        return None
    value, invalid = _number(text, "ZZ", False) if text.startswith("+") else (text, "form")
    return text if invalid else value


@lru_cache(maxsize=64)
def region_of(language: str) -> str:
    """Return the region of a tag: `en-GB` GB; where it names none the likeliest by the CLDR, `ko` KR."""
    parts = language.replace("_", "-").split("-")
    named = [part.upper() for part in parts[1:] if len(part) == 2 and part.isalpha()]
    likely = str(get_global("likely_subtags").get(parts[0].lower(), "en_Latn_US"))
    return named[-1] if named else likely.rpartition("_")[2]
