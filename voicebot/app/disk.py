"""The disk with records and recordings, as it was when it was looked at last.

It is looked at in a thread: one that hangs, as those of a network may, must not hold up all calls.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable

from voicebot.config import Config
from voicebot.web.house import Part

MB = 1_000_000
LOOK_EVERY_S = 2.0
SLOW_S = 5.0
"""A disk that does not answer for so long is away."""


class Disk:
    """Of one installation. clock: monotonic seconds; look: waits for the disk."""

    def __init__(
        self,
        config: Config,
        clock: Callable[[], float] = time.monotonic,
        look: Callable[[Config], Part] | None = None,
    ) -> None:
        self._config, self._clock, self._look = config, clock, look or looked_at
        self._part = Part("disk", "ok")
        self._looking: threading.Thread | None = None
        self._since = float("-inf")  # of the last look

    def part(self) -> Part:
        """Return how it is. Never waits."""
        now = self._clock()
        if self._looking is not None and self._looking.is_alive():
            if now - self._since < SLOW_S:
                return self._part
            why = f"{self._config.var} has not answered for {now - self._since:.0f} s"
            return Part("disk", "down", why)
        if now - self._since >= LOOK_EVERY_S:
            self._since = now
            self._looking = threading.Thread(target=self._take_look, name="disk", daemon=True)
            self._looking.start()
        return self._part

    def _take_look(self) -> None:
        self._part = self._look(self._config)


def looked_at(config: Config) -> Part:
    """Look at the disk, however long it takes."""
    reserve = config.limits.reserve_mb
    try:
        free = shutil.disk_usage(config.var if config.var.exists() else config.base).free // MB
    except OSError as error:
        return Part("disk", "down", f"{config.var} cannot be looked at: {error.strerror}")
    if free < reserve:
        why = f"only {free} MB are free, less than limits.reserve_mb: recordings have stopped"
        return Part("disk", "degraded", why, {"free_mb": free})
    return Part("disk", "ok", "", {"free_mb": free})
