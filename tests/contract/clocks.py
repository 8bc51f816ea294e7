"""Where it is day, or night, at this moment: rules know the real time, so callees live where it suits."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

PLACES = (
    ("+120255501", "Pacific/Guam"),
    ("+120255501", "America/New_York"),
    ("+120255501", "Pacific/Honolulu"),
    ("+493023125", "Europe/Berlin"),
)
"""Beginnings of numbers, without their last two digits, each with a time zone of its country."""
DAY = range(9, 20)
NIGHT = (22, 23, 0, 1, 2, 3, 4, 5, 6)


def where(hours: range | tuple[int, ...]) -> tuple[str, str]:
    """Return a place whose clock shows one of the hours: DAY or NIGHT. There always is one."""
    now = datetime.now(UTC)
    return next(place for place in PLACES if now.astimezone(ZoneInfo(place[1])).hour in hours)
