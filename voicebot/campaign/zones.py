"""In which time zones somebody may be: by the number's prefix, narrowed down by what the row says.

Zones of prefixes come from `phonenumbers`. An American mobile number tells where it was bought, not where its
owner lives now: what the row tells beside it narrows the candidates down where the two agree, and joins them
where they do not. Calls must be legal in all candidates.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers.tzdata import TIMEZONE_DATA, TIMEZONE_LONGEST_PREFIX

from voicebot.campaign.usa import STATE_NAMES, STATES, ZIPS, ZONES_OF_STATES
from voicebot.errors import VoicebotError

_UNKNOWN = "Etc/Unknown"
_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
"""Zones whose clocks agree over this year and the next are taken for one when candidates are compared."""

_SHORT = {
    **dict.fromkeys(("et", "est", "edt", "eastern"), "America/New_York"),
    **dict.fromkeys(("ct", "cst", "cdt", "central"), "America/Chicago"),
    **dict.fromkeys(("mt", "mst", "mdt", "mountain"), "America/Denver"),
    **dict.fromkeys(("pt", "pst", "pdt", "pacific"), "America/Los_Angeles"),
}
"""What American files write for a zone. Only where the country is the US: CST is China's, too."""

_ZIP = re.compile(r"(?<![0-9])([0-9]{5})(?:-[0-9]{4})?$")
_COUNTRY = re.compile(r"[\s,]+(?:USA?|U\.S\.A\.|United States(?: of America)?)$", re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+")


class WrongZone(VoicebotError):
    """A row names a time zone that does not exist. The message says so in one sentence."""


def candidate_zones(number: str, *, zone: str = "", address: str = "", region: str = "US") -> tuple[str, ...]:
    """Return the zones that somebody may be in, sorted by how likely they are; never empty.

    number:  E.164
    zone:    of the row; beats everything else within the number's country. Elsewhere it joins the number's
             zones: whoever took a number abroad is called when it is day in both places, and a mistake in a
             column gets nobody called at night
    address: US state or ZIP code, or an address that ends in them; what cannot be read tells nothing
    region:  ISO 3166 country of the row: says what `EST` means

    Raises WrongZone where `zone` does not exist.
    """
    if zone and not zone.isspace():
        named = named_zone(zone, region)
        return (named,) if _in_country(number, named) else tuple(dict.fromkeys((named, *zones_of(number))))
    zones = zones_of(number)
    if address and number.startswith("+1"):
        return _narrowed(zones, address.strip())
    return zones


def zones_of(number: str) -> tuple[str, ...]:
    """Return the zones of a number in E.164: of its longest known prefix, in doubt all of its country."""
    digits = number[1:]
    for length in range(min(len(digits), TIMEZONE_LONGEST_PREFIX), 0, -1):
        found: tuple[str, ...] | None = TIMEZONE_DATA.get(digits[:length])
        if found is not None:
            return found if _UNKNOWN not in found else _everywhere()
    return _everywhere()


def _in_country(number: str, zone: str) -> bool:
    """Whether a zone's clock is one of the number's country's; of no number it is."""
    if not number:
        return True
    codes = (number[1 : 1 + length] for length in (1, 2, 3))
    code = next((code for code in codes if code in TIMEZONE_DATA), "")
    return not code or _is_of(code, zone)


@lru_cache(maxsize=4096)
def _is_of(code: str, zone: str) -> bool:
    zones: tuple[str, ...] = TIMEZONE_DATA[code]
    return _UNKNOWN in zones or _clock(zone) in map(_clock, zones)


def named_zone(text: str, region: str = "US") -> str:
    """Return the name of a time zone as it is written properly. Raises WrongZone."""
    name = "_".join(text.split()).lower()
    if region == "US" and name.removesuffix("_time") in _SHORT:
        return _SHORT[name.removesuffix("_time")]
    if name == "utc":
        return "UTC"
    if "/" not in name or (found := _names().get(name)) is None:
        raise WrongZone(f"there is no time zone `{text.strip()[:40]}`; they are written like Europe/Berlin")
    return found


@lru_cache(maxsize=65_536)
def address_zones(address: str) -> tuple[str, ...]:
    """Return the zones of a US state (NY, New York), a ZIP code, or an address with them; else ()."""
    state = state_of(address)
    return ZONES_OF_STATES[state] if state else ()


def state_of(address: str) -> str:
    """Return the US state of an address, such as `NY`; "" where it tells none."""
    text = _COUNTRY.sub("", address.strip())
    if (code := _ZIP.search(text)) and (state := _state_of_zip(code[1])):
        return state
    if re.fullmatch("[0-9]{3,4}", text) and (state := _state_of_zip(text.zfill(5))):
        return state  # a spreadsheet took New England's leading zero away
    words: list[str] = _WORD.findall(text)
    if words and words[-1].upper() in STATES and (len(words) == 1 or words[-1].isupper()):
        return words[-1].upper()
    for length in (3, 2, 1):
        if state := STATE_NAMES.get(" ".join(words[-length:]).lower(), ""):
            return state
    return ""


@lru_cache(maxsize=65_536)
def _narrowed(zones: tuple[str, ...], address: str) -> tuple[str, ...]:
    by_address = address_zones(address)
    if not by_address:
        return zones
    clocks = {_clock(zone) for zone in by_address}
    both = tuple(zone for zone in zones if _clock(zone) in clocks)
    if not both:
        return tuple(dict.fromkeys((*by_address, *zones)))
    found = {_clock(zone): zone for zone in reversed(both)}  # one zone for each clock is enough here
    return tuple(zone for zone in both if found[_clock(zone)] == zone)


def _state_of_zip(code: str) -> str:
    prefix = int(code[:3])
    for first, last, state in ZIPS:
        if first <= prefix <= last:
            return state
    return ""


@lru_cache(maxsize=1024)
def _clock(zone: str) -> tuple[timedelta | None, ...]:
    """Return what tells one zone's clock from another's: its offsets, half-weekly over two years."""
    where = ZoneInfo(zone)
    return tuple((_YEAR + timedelta(hours=84 * step)).astimezone(where).utcoffset() for step in range(210))


@lru_cache(maxsize=1)
def _everywhere() -> tuple[str, ...]:
    return tuple(sorted({zone for zones in TIMEZONE_DATA.values() for zone in zones if zone != _UNKNOWN}))


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    return {name.lower(): name for name in available_timezones()}
