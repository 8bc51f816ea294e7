"""Keys in a conference: a star, then a digit."""

from __future__ import annotations

from typing import Literal

PAIR_S = 3.0
"""From the star to its digit; a digit that comes later means nothing."""

KeyCommand = Literal["hand", "mute", "lock", "mute_all", "end"]

COMMANDS: dict[str, KeyCommand] = {"5": "hand", "6": "mute", "7": "lock", "8": "mute_all", "9": "end"}
FOR_HOSTS = frozenset({"lock", "mute_all", "end"})


class KeyReader:
    """The keys of one participant, one after another."""

    def __init__(self) -> None:
        self._star_at: float | None = None

    def press(self, digit: str, now: float) -> KeyCommand | None:
        """Return the command that this key completes, None where it completes none."""
        star_at, self._star_at = self._star_at, None
        if digit == "*":
            self._star_at = now
            return None
        if star_at is None or now - star_at > PAIR_S:
            return None
        return COMMANDS.get(digit)
