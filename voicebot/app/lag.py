"""Is the event loop late for so long that new calls would suffer, and live ones with them?"""

from __future__ import annotations

LAG_LIMIT_S = 0.05
"""A loop that is this late ..."""
LAG_FOR_S = 2.0
"""... for this long is overloaded, until it is punctual again."""


class LagWatch:
    """Is told when it was due to run and when it ran. Times in seconds of one clock.

    latest_s: how late it was the last time
    """

    def __init__(self) -> None:
        self.overloaded = False
        self.latest_s = 0.0
        self._late_since: float | None = None

    def note(self, due: float, now: float) -> bool:
        """Take one measurement; return whether `overloaded` has changed."""
        self.latest_s = max(0.0, now - due)
        if now - due <= LAG_LIMIT_S:
            self._late_since = None
        elif self._late_since is None:
            self._late_since = due
        before = self.overloaded
        self.overloaded = self._late_since is not None and now - self._late_since >= LAG_FOR_S
        return self.overloaded is not before
