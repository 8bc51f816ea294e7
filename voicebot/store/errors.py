"""What a database can do to us."""

from __future__ import annotations

from datetime import datetime

from voicebot.errors import VoicebotError


class StoreUnavailable(VoicebotError):
    """The database is gone, locked, or full: nothing of what was asked was done. Wait, then ask again."""


class ClockSetBack(VoicebotError):
    """This machine's clock is behind what the database has seen; nothing may be claimed before it is right.

    seen: the latest time that any machine claimed at
    """

    def __init__(self, now: datetime, seen: datetime) -> None:
        self.now = now
        self.seen = seen
        super().__init__(
            f"the clock says {now.isoformat()}, but calls were claimed at {seen.isoformat()} already; "
            "nothing is dialled before the clock is right (`voicebot campaign clock`)"
        )
