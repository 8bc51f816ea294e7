"""Category: unit. In which time zones somebody may be, by number, state, ZIP code and what the row says."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumber
from phonenumbers.timezone import time_zones_for_geographical_number
from phonenumbers.tzdata import TIMEZONE_DATA

from voicebot.campaign.usa import STATE_NAMES, STATES, ZIPS, ZONES_OF_STATES
from voicebot.campaign.zones import WrongZone, address_zones, candidate_zones, named_zone, state_of, zones_of

pytestmark = pytest.mark.unit

EAST, CENTRAL, MOUNTAIN, WEST = "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"


def test_zones_come_from_the_longest_known_prefix() -> None:
    assert zones_of("+12125550142") == (EAST,)
    assert zones_of("+442079460018") == ("Europe/London",)
    assert zones_of("+4915112345678") == ("Europe/Berlin",)


@pytest.mark.parametrize(("number", "some"), [("+18005550199", EAST), ("+80012345678", "Asia/Tokyo")])
def test_an_unknown_place_is_everywhere_in_its_country(number: str, some: str) -> None:
    zones = zones_of(number)
    assert some in zones and len(zones) > 40


@given(st.sampled_from(sorted(TIMEZONE_DATA)), st.integers(0, 9999))
def test_zones_are_those_of_the_library(prefix: str, rest: int) -> None:
    digits = f"{prefix}{rest:04}".ljust(11, "5")
    code = next(length for length in (1, 2, 3) if digits[:length] in TIMEZONE_DATA)
    number = PhoneNumber(country_code=int(digits[:code]), national_number=int(digits[code:]))
    if digits[code] != "0":
        assert zones_of(f"+{digits}") == time_zones_for_geographical_number(number)


def test_all_zones_exist() -> None:
    for zones in (*TIMEZONE_DATA.values(), *ZONES_OF_STATES.values()):
        assert all(ZoneInfo(zone) for zone in zones)


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("NY", "NY"),
        ("ny", "NY"),
        ("New York", "NY"),
        ("10001", "NY"),
        ("10001-1234", "NY"),
        ("2139", "MA"),  # a spreadsheet took the zero
        ("12 Elm Street, Springfield, IL 62704", "IL"),
        ("10115 Main St, El Paso, TX", "TX"),
        ("10115 Main St, El Paso, TX 79901", "TX"),
        ("1 Main Street, Portland, OR 97201, USA", "OR"),
        ("Charleston, West Virginia", "WV"),
        ("Washington, DC", "DC"),
        ("PR 00907", "PR"),
        ("09123", ""),  # military post: anywhere
        ("", ""),
        ("somewhere in", ""),
        ("?", ""),
    ],
)
def test_states_are_read_from_addresses(address: str, state: str) -> None:
    assert state_of(address) == state
    assert address_zones(address) == (ZONES_OF_STATES[state] if state else ())


@pytest.mark.parametrize(
    ("number", "zone", "zones"),
    [
        ("+12025550141", WEST, (WEST,)),
        ("+12025550141", "US/Pacific", ("US/Pacific",)),
        ("+12025550141", "Pacific/Auckland", ("Pacific/Auckland", EAST)),
        ("+12025550141", "Etc/GMT-14", ("Etc/GMT-14", EAST)),
        ("+12025550141", "UTC", ("UTC", EAST)),
        ("+442079460018", EAST, (EAST, "Europe/London")),
        ("+442079460018", "Europe/Jersey", ("Europe/Jersey",)),
    ],
)
def test_a_rows_zone_beats_the_number_only_within_its_country(
    number: str, zone: str, zones: tuple[str, ...]
) -> None:
    assert candidate_zones(number, zone=zone) == zones


def test_addresses_narrow_down_what_a_prefix_leaves_open() -> None:
    assert candidate_zones("+18005550199", address="CO") == (MOUNTAIN,) or set(
        candidate_zones("+18005550199", address="CO")
    ) <= {MOUNTAIN, "America/Boise", "America/Edmonton"}
    assert candidate_zones("+18005550199", address="99501")[0] in ("America/Adak", "America/Anchorage")
    assert candidate_zones("+12125550142", address="?") == (EAST,)
    assert candidate_zones("+12125550142", address="Miami, FL") == (EAST,)


def test_an_address_that_contradicts_the_number_adds_its_zones() -> None:
    assert candidate_zones("+12125550142", address="Austin, TX") == (CENTRAL, MOUNTAIN, EAST)


@pytest.mark.parametrize(
    ("text", "region", "zone"),
    [
        ("Europe/Berlin", "DE", "Europe/Berlin"),
        (" europe/berlin ", "DE", "Europe/Berlin"),
        ("America/New York", "US", EAST),
        ("EST", "US", EAST),
        ("Pacific Time", "US", WEST),
        ("utc", "DE", "UTC"),
    ],
)
def test_the_rows_zone_comes_first(text: str, region: str, zone: str) -> None:
    assert named_zone(text, region) == zone
    assert candidate_zones("+442079460018", zone=text, address="CA", region=region)[0] == zone


@pytest.mark.parametrize(
    ("text", "region"), [("CST", "CN"), ("Europe/Bonn", "DE"), ("+2", "DE"), ("../etc", "US")]
)
def test_zones_that_do_not_exist_are_told(text: str, region: str) -> None:
    with pytest.raises(WrongZone, match="no time zone"):
        named_zone(text, region)


def test_the_tables_of_the_united_states_are_whole() -> None:
    assert {state for _, _, state in ZIPS} <= STATES and set(STATE_NAMES.values()) <= STATES
    assert len(STATES) == 50 + 1 + 5
    assert all(first <= last for first, last, _ in ZIPS)
    assert all(one[1] < other[0] for one, other in pairwise(ZIPS))
    assert {state for _, _, state in ZIPS} >= STATES - {"AS", "MP"}
