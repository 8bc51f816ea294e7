"""Counts and times as people read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from voicebot.cli.harmless import harmless


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 call`, `2 calls`, `1,000 people`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def amounts(counts: Mapping[Any, int]) -> str:
    """Return `3 no answer, 1 busy`, the most first; what is zero is left out."""
    shown = sorted(((str(what), n) for what, n in counts.items() if n), key=lambda pair: (-pair[1], pair[0]))
    return harmless(", ".join(f"{n:,} {what.replace('_', ' ')}" for what, n in shown))


def listed(words: list[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def moment_of(at: datetime) -> str:
    """Return a time on this machine's clock, which is named: 2027-03-04 15:00:07 CET."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
