"""Times as people write them on a command line or in a table."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from voicebot.errors import Problem, UserError

_AHEAD = re.compile(r"\+([0-9]+)([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_REMEDY = "write 07:30, 2027-03-01T07:30, or +10m"


def moment(text: str, zone: str, now: datetime) -> datetime:
    """Return the moment that `text` names, aware; without an offset it is in `zone`.

    A time of day is the next one that comes; `+10m` is from now (s, m, h, d). Raises UserError for anything
    else, for a time that the clocks of the zone skip, and for what is past.
    """
    text = text.strip()
    if found := _AHEAD.fullmatch(text):
        return now + timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    here = ZoneInfo(zone)
    if re.fullmatch(r"[0-9]{1,2}:[0-9]{2}", text):
        try:
            at = time.fromisoformat(text.zfill(5))
        except ValueError as error:
            raise UserError(Problem(f"`{text}` is no time of day", _REMEDY)) from error
        local = now.astimezone(here)
        for days in range(3):
            found_at = datetime.combine(local.date() + timedelta(days), at, here)
            if found_at > now and _exists(found_at):
                return found_at
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise UserError(Problem(f"`{text}` is no time", _REMEDY)) from error
    if when.tzinfo is None:
        when = when.replace(tzinfo=here)
        if not _exists(when):
            raise UserError(Problem(f"the clocks in {zone} skip {text}", "choose a time after it"))
    if when < now:
        raise UserError(Problem(f"{text} is past ({zone})", "choose a time to come"))
    return when


def _exists(local: datetime) -> bool:
    """Whether the clocks of its zone ever show it: in spring an hour is left out."""
    there = local.astimezone(ZoneInfo("UTC")).astimezone(local.tzinfo)
    return there.replace(tzinfo=None) == local.replace(tzinfo=None)
