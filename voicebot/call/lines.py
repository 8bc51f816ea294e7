"""What happened to a call between its turns: the lines that a page shows there."""

from __future__ import annotations

from collections import deque
from typing import Any, Literal

LineKind = Literal["intervention", "fault", "language"]

MOST_LINES = 100
"""Lines of one call that are kept for those who come to look; the record has all that supervisors did."""


class Lines:
    """Of one call: the latest, each told by its index, so that nobody shows one twice."""

    def __init__(self) -> None:
        self._lines: deque[dict[str, Any]] = deque(maxlen=MOST_LINES)
        self._count = 0

    def add(self, kind: LineKind, at_ms: int, told: dict[str, Any]) -> dict[str, Any]:
        """Return the line for JSON: `index`, `kind`, `at_ms` (counted from the answer), and what is told."""
        line = {"index": self._count, "kind": kind, **told, "at_ms": at_ms}
        self._count += 1
        self._lines.append(line)
        return line

    @property
    def latest(self) -> tuple[dict[str, Any], ...]:
        """Those that are kept, the oldest first."""
        return tuple(self._lines)
