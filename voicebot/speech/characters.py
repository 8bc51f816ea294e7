"""What no text of a conversation may hold: it would steer terminals, end C strings, or be no UTF-8."""

from __future__ import annotations

import re

LONGEST_NAME = 80
_NEVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")

_STEERS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def without_controls(text: str) -> str:
    """Return `text` with a blank for each control character and half of a pair; tabs and line feeds stay."""
    return text if text.isprintable() else _NEVER.sub(" ", text)


def name_of_stranger(text: str) -> str:
    """Return what somebody calls themselves on one line, without what turns the direction of writing: such a
    name would show the number beside it backwards. Longer ones are cut."""
    return " ".join(_STEERS.sub(" ", text[:LONGEST_NAME]).split())
