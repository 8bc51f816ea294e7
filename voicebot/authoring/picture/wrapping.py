"""How wide words are, and where lines break: close enough for boxes that no text runs out of."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_NARROW = frozenset("iljtfrI.,:;'|!()[]/ ·")
_WIDE = frozenset("mwMW@%&—…")


@lru_cache(maxsize=4096)
def _em(character: str) -> float:
    if character in _NARROW:
        return 0.36
    if unicodedata.east_asian_width(character) in "WF":
        return 1.02
    if character in _WIDE:
        return 0.95
    return 0.72 if character.isupper() else 0.6


def width_of(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width in px of `text` in a sans-serif font of `size` px; rather too much than too little."""
    return sum(map(_em, text)) * size * (1.12 if bold else 1.0)


def broken(text: str, size: float, width: float, most: int) -> list[str]:
    """Break `text` into at most `most` lines of `width` px; what does not fit becomes an ellipsis."""
    lines: list[str] = []
    line = ""
    for word in _pieces(" ".join(text.split()), size, width):
        longer = f"{line} {word}" if line else word
        if width_of(longer, size) <= width:
            line = longer
            continue
        lines.append(line)
        line = word
    lines.append(line)
    if len(lines) > most:
        lines = lines[:most]
        while lines[-1] and width_of(lines[-1] + "…", size) > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] = lines[-1].rstrip(" ,.") + "…"
    return lines


def _pieces(text: str, size: float, width: float) -> list[str]:
    """Return the words of `text`; those that are wider than a line, in parts."""
    pieces = []
    for word in text.split(" "):
        part = ""
        for character in word:
            if part and width_of(part + character, size) > width:
                pieces.append(part)
                part = ""
            part += character
        pieces.append(part)
    return pieces
