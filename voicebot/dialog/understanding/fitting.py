"""Whether a value that was put together later fits its slot."""

from __future__ import annotations

from datetime import date, datetime, time

from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.when_bounds import bound, in_zone


def fits(slot: Slot, value: datetime, now: datetime) -> str:
    """Return "" where a day and time lie within the slot's `between`, else `range`."""
    if slot.between is None:
        return ""
    least, greatest = (_limit(str(slot.between[at]), now, last=bool(at)) for at in (0, 1))
    return "" if least <= in_zone(value, now) <= greatest else "range"


def _limit(text: str, now: datetime, *, last: bool) -> datetime:
    """Return a bound as a moment: of a day its first or its last one."""
    limit = bound(text, now)
    if isinstance(limit, datetime):
        return in_zone(limit, now)
    if isinstance(limit, date):
        return datetime.combine(limit, time.max if last else time.min, now.tzinfo)
    return datetime.combine(now.date(), limit, now.tzinfo)
