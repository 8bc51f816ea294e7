"""How often one may try to sign in. Pure: time is passed in."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

PER_PAIR, PER_ADDRESS, PER_USER = 10, 30, 100
"""Failures of a user from one address, of an address, of a user from all addresses; then one waits. The last
is high: a stranger's guesses must not keep the user out."""
WINDOW_S = 900.0
MOST_KNOWN = 10_000
"""Users and addresses that are remembered; more, and the oldest are forgotten."""


@dataclass(slots=True)
class _Bucket:
    level: float
    at: float


class LoginRate:
    """Leaky buckets of failures: an attacker waits, whatever they vary."""

    def __init__(self) -> None:
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    @property
    def known(self) -> int:
        """How much is remembered."""
        return len(self._buckets)

    def wait_s(self, user: str, address: str, now: float) -> int:
        """Return how long to wait before the next try; 0: now."""
        waits = [self._wait(key, most, now) for key, most in _keys(user, address)]
        return math.ceil(max(waits))

    def failed(self, user: str, address: str, now: float) -> None:
        """A try is about to be made, and counts as failed unless `passed` follows."""
        for key, most in _keys(user, address):
            bucket = self._buckets.setdefault(key, _Bucket(0.0, now))
            bucket.level = self._level(key, most, now) + 1
            bucket.at = now
            self._buckets.move_to_end(key)
        while len(self._buckets) > MOST_KNOWN:
            self._buckets.popitem(last=False)

    def passed(self, user: str, address: str) -> None:
        """The try was right: user and address start anew together, and alone get this one back."""
        pair, *alone = _keys(user, address)
        self._buckets.pop(pair[0], None)
        for key, _ in alone:
            if (bucket := self._buckets.get(key)) is not None:
                bucket.level = max(0.0, bucket.level - 1)

    def _level(self, key: tuple[str, str], most: int, now: float) -> float:
        bucket = self._buckets.get(key)
        return 0.0 if bucket is None else max(0.0, bucket.level - (now - bucket.at) * most / WINDOW_S)

    def _wait(self, key: tuple[str, str], most: int, now: float) -> float:
        over = self._level(key, most, now) - (most - 1)
        return max(0.0, over * WINDOW_S / most)


def _keys(user: str, address: str) -> tuple[tuple[tuple[str, str], int], ...]:
    return ((user, address), PER_PAIR), (("", address), PER_ADDRESS), ((user, ""), PER_USER)
