"""Text as it is written to words as they are said: "At 10.30, Dr. Baker" is "at ten thirty doctor baker".

Recognisers that were trained on written text (Whisper) write numbers, times and titles in figures and short
forms; a dialog's phrases are words. English only; other languages keep their figures.
"""

from __future__ import annotations

import re

_NAMES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_ONES = tuple(_NAMES.split())
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_IRREGULAR_ORDINALS = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
_SHORT = {"dr": "doctor", "mr": "mister", "mrs": "missus", "%": "percent", "&": "and", "ok": "okay"}
_YEAR = "january february march april may june july august september october november december"
_MONTHS = frozenset(_YEAR.split())
_TOKEN = re.compile(r"\d+[:.]\d\d(?!\d)|\d+(?:,\d{3})+|\d+(?:st|nd|rd|th)|\d+|[^\W\d_]+(?:'[^\W\d_]+)*|[%&]")
_MERIDIEM = re.compile(r"\b([ap])\.?\s?m\b\.?")


def spoken_words(text: str, language: str = "en-US") -> str:
    """Return `text` in lower case words without punctuation, numbers written out as they are said."""
    text = text.lower().replace("\u2019", "'")
    if not language.lower().startswith("en"):
        return " ".join(re.findall(r"\d+|[^\W\d_]+(?:'[^\W\d_]+)*", text))
    text = _MERIDIEM.sub(r"\1 m", re.sub(r"(?<=\d)(?=[ap]\.?m\b)", " ", text))
    words: list[str] = []
    for token in _TOKEN.findall(text):
        words += _said(token, words)
    return " ".join(words)


def _said(token: str, before: list[str]) -> list[str]:
    if not token[0].isdigit():
        return [_SHORT.get(token, token)]
    if token[-1].isalpha():
        return _ordinal(int(token[:-2]))
    if ":" in token or "." in token:
        hour, minute = re.split("[:.]", token)
        if len(hour) > 2:
            return [*_digits(hour), *_digits(minute)]
        return [*_cardinal(int(hour)), *_minutes(minute)]
    digits = token.replace(",", "")
    if len(digits) == 4 and "," not in token and _is_year(int(digits), before):
        return [*_cardinal(int(digits[:2])), *_cardinal(int(digits[2:]))]
    if (len(digits) > 2 and "," not in token and digits.rstrip("0") == digits) or digits[0] == "0":
        return _digits(digits)  # a code or a number dictated digit by digit
    return _cardinal(int(digits)) if len(digits) <= 6 else _digits(digits)


def _is_year(number: int, before: list[str]) -> bool:
    """1987 after a month or a day of one is a year; alone it may be any code."""
    return 1900 <= number < 2100 and number % 100 > 9 and bool(_MONTHS.intersection(before[-4:]))


def _minutes(minute: str) -> list[str]:
    if minute == "00":
        return ["o'clock"]
    return ["oh", *_cardinal(int(minute))] if minute[0] == "0" else _cardinal(int(minute))


def _digits(digits: str) -> list[str]:
    return [_ONES[int(digit)] for digit in digits]


def _cardinal(number: int) -> list[str]:
    if number < 20:
        return [_ONES[number]]
    if number < 100:
        return [_TENS[number // 10], *([_ONES[number % 10]] if number % 10 else [])]
    if number < 1000:
        return [_ONES[number // 100], "hundred", *(_cardinal(number % 100) if number % 100 else [])]
    return [*_cardinal(number // 1000), "thousand", *(_cardinal(number % 1000) if number % 1000 else [])]


def _ordinal(number: int) -> list[str]:
    words = _cardinal(number)
    last = words[-1]
    if last in _IRREGULAR_ORDINALS:
        words[-1] = _IRREGULAR_ORDINALS[last]
    else:
        words[-1] = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return words
