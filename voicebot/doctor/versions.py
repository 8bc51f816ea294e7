"""What each release of Asterisk can do, as far as the gateway cares. Pure."""

from __future__ import annotations

import re

OLDEST = {20: 15, 21: 10, 22: 5}
"""First release of each series with what we rely on; later series have it from their first."""
WEBSOCKET_MEDIA = {20: 18, 22: 8, 23: 2}
"""First release of each series whose `chan_websocket` is sound."""


def parse_version(text: str) -> tuple[int, int] | None:
    """Return (22, 10) of `22.10.1~dfsg`, (20, 7) of `certified/20.7-cert5`; None of anything else."""
    found = re.search(r"(?<![\d.])(\d{1,3})\.(\d{1,3})", text)
    return (int(found[1]), int(found[2])) if found else None


def has(first: dict[int, int], version: tuple[int, int]) -> bool:
    """Whether `version` is at least the first release of its series, or of a later series than all."""
    series, release = version
    return release >= first[series] if series in first else series > max(first)
