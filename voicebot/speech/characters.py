"""What no text of a conversation may hold: it would steer terminals, end C strings, or be no UTF-8."""

from __future__ import annotations

import re

_NEVER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def without_controls(text: str) -> str:
    """Return `text` with a blank for each control character and half of a pair; tabs and line feeds stay."""
    return text if text.isprintable() else _NEVER.sub(" ", text)
