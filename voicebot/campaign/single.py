"""Campaigns of one call, as `voicebot call` makes them: known by their names."""

from __future__ import annotations

import re
from datetime import datetime

_SINGLE = re.compile("call-[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


def single_name(at: datetime, chance: str) -> str:
    """Return a name: call-20270301-063000-1f90f7. at: aware, UTC; chance: six hex digits."""
    return f"call-{at:%Y%m%d-%H%M%S}-{chance}"


def is_single(name: str) -> bool:
    """Whether the campaign is one of a single call."""
    return _SINGLE.fullmatch(name) is not None
