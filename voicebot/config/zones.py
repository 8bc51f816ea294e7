"""Which clock a call goes by."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo

from babel.localtime import get_localzone

from voicebot.config.dialogs import Route
from voicebot.config.sections import Config


def zone_of(config: Config, route: Route) -> tzinfo:
    """Return the time zone of a route's calls: the route's own, that of all dialogs, or the machine's."""
    name = route.timezone or config.dialogs.timezone
    return ZoneInfo(name) if name else get_localzone()
