"""A connection to Asterisk that is opened again and again: how it stands, and when the next try is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

LONGEST_RETRY_S = 10.0


class Link(StrEnum):
    """State of the connection."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    LOST = "lost"
    FAILED = "failed"
    CLOSED = "closed"


def retry_delays(first_s: float, chance: Callable[[], float]) -> Iterator[float]:
    """Yield seconds to wait before each try: doubling from `first_s`, capped, each shortened by up to half.

    chance: a number from 0 to 1 for each
    """
    delay = first_s
    while True:
        yield delay * (1 - chance() / 2)
        delay = min(delay * 2, LONGEST_RETRY_S)
