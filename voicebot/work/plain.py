"""Values from outside, made plain and small enough for a dialog: numbers, texts, times, lists, mappings."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

from voicebot.speech.characters import without_controls

LARGEST_DEPTH = 50
LARGEST_COUNT = 20_000
"""Values in all, at every depth."""
LARGEST_BITS = 1024
"""Of a whole number; no larger ones can be written down in reasonable time."""
LARGEST_TEXT = 65_536
"""Characters of one text."""


class NotPlain(ValueError):
    """The value is no JSON, too deep, or too large; the text says which."""


def parse_json(text: str) -> object:
    """Return what JSON text says. Raises NotPlain."""
    if deepest(text) > LARGEST_DEPTH:
        raise NotPlain(f"is nested deeper than {LARGEST_DEPTH}")
    try:
        return _readable(json.loads(text, parse_constant=_refuse, parse_float=_finite))
    except (ValueError, RecursionError) as error:
        raise NotPlain("is not valid JSON") from error


def _readable(value: object) -> object:
    """JSON may escape what no text may hold."""
    if isinstance(value, str):
        return without_controls(value)
    if isinstance(value, dict):
        return {without_controls(key): _readable(each) for key, each in value.items()}
    return [_readable(each) for each in value] if isinstance(value, list) else value


def deepest(text: str) -> int:
    """Return how deep the brackets of JSON text are nested, without reading it."""
    depth = most = 0
    in_text = escaped = False
    for sign in text:
        if in_text:
            if escaped:
                escaped = False
            elif sign == "\\":
                escaped = True
            elif sign == '"':
                in_text = False
        elif sign == '"':
            in_text = True
        elif sign in "[{":
            depth += 1
            most = max(most, depth)
        elif sign in "]}":
            depth -= 1
    return most


def plain(value: object) -> object:
    """Return a copy made of dicts with text keys, lists, and single values. Raises NotPlain."""
    return _plain(value, LARGEST_DEPTH, [LARGEST_COUNT])


def _plain(value: object, depth: int, left: list[int]) -> object:
    left[0] -= 1
    if left[0] < 0:
        raise NotPlain(f"has more than {LARGEST_COUNT} values")
    if isinstance(value, Mapping | list | tuple):
        if depth == 0:
            raise NotPlain(f"is nested deeper than {LARGEST_DEPTH}")
        if isinstance(value, Mapping):
            return {without_controls(str(key)): _plain(each, depth - 1, left) for key, each in value.items()}
        return [_plain(each, depth - 1, left) for each in value]
    if isinstance(value, str):
        if len(value) > LARGEST_TEXT:
            raise NotPlain(f"has a text of more than {LARGEST_TEXT} characters")
        return without_controls(value)
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        raise NotPlain("has a number that is none")
    if isinstance(value, int) and value.bit_length() > LARGEST_BITS:
        raise NotPlain("has a number that is too large")
    if value is None or isinstance(value, bool | int | float | Decimal | date | time | datetime):
        return value
    raise NotPlain(f"has a value of type {type(value).__name__}, which dialogs do not know")


def _refuse(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
