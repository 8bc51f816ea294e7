"""Which route answers a called number: exact numbers first, then Asterisk patterns, the most specific one."""

from __future__ import annotations

import re
from collections.abc import Iterable

from voicebot.config import Route

_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*"}


def pattern_to_regex(pattern: str) -> re.Pattern[str]:
    """Turn an Asterisk extension pattern (`_6XX`, `_[2-9]X.`) into a regular expression.

    `X` is 0-9, `Z` 1-9, `N` 2-9, `[...]` a set, `.` one or more of anything,
    `!` zero or more; `-` is ignored.
    """
    parts = []
    for token in re.findall(r"\[[^\]]*\]|.", pattern.removeprefix("_")):
        if token.startswith("[") and len(token) > 2:
            parts.append("[" + re.sub(r"[^0-9A-Za-z*#+-]", "", token) + "]")
        elif token != "-":
            parts.append(_CLASSES.get(token.upper() if token.isalpha() else token, re.escape(token)))
    return re.compile("".join(parts))


def _vagueness(pattern: str) -> tuple[int, int, int]:
    """Sort key: patterns that accept fewer numbers come first."""
    open_ended = sum(sign in pattern for sign in ".!")
    sets = len(re.findall(r"\[[^\]]*\]|[XZNxzn]", pattern))
    literals = len(re.sub(r"\[[^\]]*\]|[XZNxzn.!_-]", "", pattern))
    return open_ended, -literals, sets


def find_route(routes: Iterable[Route], number: str) -> Route | None:
    """Return the route that answers `number`, None when there is none."""
    patterns = []
    for route in routes:
        if route.number == number:
            return route
        if route.number.startswith("_") and pattern_to_regex(route.number).fullmatch(number):
            patterns.append(route)
    return min(patterns, key=lambda route: _vagueness(route.number), default=None)
