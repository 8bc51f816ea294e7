"""Category: unit. Legal hours against the wall clock itself, minute by minute, over years and zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.campaign.campaign import DAYS, Campaign, Window
from voicebot.campaign.rules.hours import (
    Calendar,
    is_legal,
    legal_until,
    next_in,
    next_legal,
    until_in,
    week_of,
)
from voicebot.campaign.rules.law import PROFILES

pytestmark = pytest.mark.unit

ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "America/Sao_Paulo",  # changed at midnight, until 2019
    "America/St_Johns",
    "Europe/London",
    "Europe/Berlin",
    "Asia/Kathmandu",  # 5 h 45 min
    "Asia/Beirut",  # changes at midnight
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Chatham",
    "Pacific/Honolulu",
    "Africa/Casablanca",  # leaves and takes up summer time around Ramadan
)
CHANGES = (
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Europe/London", date(2026, 3, 29)),
    ("Europe/London", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Sao_Paulo", date(2018, 11, 4)),
    ("America/Sao_Paulo", date(2018, 2, 17)),
    ("Asia/Beirut", date(2026, 3, 29)),
    ("Africa/Casablanca", date(2026, 2, 15)),
    ("Asia/Kathmandu", date(2026, 3, 8)),
)
MINUTE = timedelta(minutes=1)

clocks = st.times().map(lambda at: at.replace(second=0, microsecond=0))
windows = st.builds(
    lambda days, begin, end: Window.model_validate({"days": days, "from": begin, "to": end}),
    st.lists(st.sampled_from(DAYS), min_size=1, max_size=7, unique=True),
    clocks,
    clocks,
)
window_lists = st.lists(windows, min_size=1, max_size=3)
instants = st.datetimes(datetime(2015, 1, 1), datetime(2031, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
zone_sets = st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple)


def calendar(chosen: list[Window], not_on: frozenset[date] = frozenset()) -> Calendar:
    days = frozenset(day.toordinal() for day in not_on)
    return Calendar(week_of(tuple(chosen)), days, max(days, default=0))


def in_window(window: Window, wall: datetime) -> bool:
    """Say it as people would: by the wall clock, and nothing else."""
    clock, today, yesterday = wall.time(), DAYS[wall.weekday()], DAYS[wall.weekday() - 1]
    begin, end = window.begin, window.end
    if end == time(0):
        return today in window.days and clock >= begin
    if begin <= end:
        return today in window.days and begin <= clock < end
    return (today in window.days and clock >= begin) or (yesterday in window.days and clock < end)


def legal(chosen: list[Window], not_on: frozenset[date], zones: tuple[str, ...], at: datetime) -> bool:
    walls = [at.astimezone(ZoneInfo(zone)) for zone in zones]
    return all(
        wall.date() not in not_on and any(in_window(window, wall) for window in chosen) for wall in walls
    )


def minutes(begin: datetime, end: datetime) -> Iterator[datetime]:
    at = begin
    while at < end:
        yield at
        at += MINUTE


@settings(max_examples=150)
@given(
    st.lists(windows, min_size=1, max_size=3), zone_sets, instants, st.sets(st.integers(-2, 9), max_size=4)
)
def test_the_next_legal_moment_is_legal_and_the_first(
    chosen: list[Window], zones: tuple[str, ...], now: datetime, off: set[int]
) -> None:
    not_on = frozenset(now.date() + timedelta(days=day) for day in off)
    found = next_in(calendar(chosen, not_on), zones, now)
    if found is None:
        step = timedelta(minutes=30)  # most windows are wider; narrower ones are caught by the others
        assert not any(legal(chosen, not_on, zones, now + step * n) for n in range(48 * 21))
        return
    assert found >= now and found.tzinfo is UTC
    assert legal(chosen, not_on, zones, found)
    assert is_legal(calendar(chosen, not_on), zones, found)
    assert found == now or found.second == found.microsecond == 0
    first = now.replace(second=0, microsecond=0) + MINUTE
    near = max(first, found - timedelta(days=2))  # a day and more before it, and the beginning
    for at in (now, *minutes(first, min(found, first + timedelta(hours=12))), *minutes(near, found)):
        if at < found:
            assert not legal(chosen, not_on, zones, at), at


@settings(max_examples=60)
@given(st.sampled_from(CHANGES), windows, st.data())
def test_on_days_when_clocks_change_every_minute_is_judged_by_the_wall_clock(
    change: tuple[str, date], window: Window, data: st.DataObject
) -> None:
    zone, day = change
    other = data.draw(st.sampled_from(ZONES))
    begin = datetime.combine(day, time(), UTC) - timedelta(hours=14)
    ours = calendar([window])
    for at in minutes(begin, begin + timedelta(hours=40)):
        for zones in ((zone,), (zone, other)):
            assert is_legal(ours, zones, at) == legal([window], frozenset(), zones, at), (zones, at)


@settings(max_examples=80)
@given(st.lists(windows, min_size=1, max_size=2), zone_sets, instants)
def test_legal_until_is_the_first_moment_that_is_not(
    chosen: list[Window], zones: tuple[str, ...], now: datetime
) -> None:
    ours = calendar(chosen)
    end = until_in(ours, zones, now)
    assert (end is not None) == legal(chosen, frozenset(), zones, now)
    if end is None or end > now + timedelta(days=7):
        return
    assert end > now and not legal(chosen, frozenset(), zones, end)
    first = now.replace(second=0, microsecond=0) + MINUTE
    assert all(legal(chosen, frozenset(), zones, at) for at in minutes(first, end))


def test_a_time_that_clocks_leave_out_begins_where_they_go_on() -> None:
    early = Window.model_validate({"from": "02:30", "to": "04:00"})
    found = next_in(calendar([early]), ("America/New_York",), datetime(2026, 3, 8, 5, tzinfo=UTC))
    assert found == datetime(2026, 3, 8, 7, tzinfo=UTC)  # 03:00 EDT: 02:30 never comes


def test_a_time_that_comes_twice_is_legal_both_times() -> None:
    twice = calendar([Window.model_validate({"from": "01:15", "to": "01:45"})])
    new_york = ("America/New_York",)
    first = next_in(twice, new_york, datetime(2026, 11, 1, 4, tzinfo=UTC))
    assert first == datetime(2026, 11, 1, 5, 15, tzinfo=UTC)
    end = until_in(twice, new_york, first)
    assert end == datetime(2026, 11, 1, 5, 45, tzinfo=UTC)
    assert next_in(twice, new_york, end) == datetime(2026, 11, 1, 6, 15, tzinfo=UTC)


def campaign(**given: object) -> Campaign:
    whole = {
        "campaign": "autumn",
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Green Street Clinic"},
        "trunk": "main",
    }
    return Campaign.model_validate({**whole, **given})


def test_windows_are_cut_to_the_law_and_new_york_waits_for_los_angeles() -> None:
    early = campaign(windows=[{"from": "06:00", "to": "23:00"}])
    coasts = ("America/New_York", "America/Los_Angeles")
    night = datetime(2026, 7, 1, 6, tzinfo=UTC)
    begin = next_legal(early, coasts, night)
    assert begin == datetime(2026, 7, 1, 15, tzinfo=UTC)  # 08:00 in Los Angeles
    assert legal_until(early, coasts, begin) == datetime(2026, 7, 2, 1, tzinfo=UTC)  # 21:00 in New York


def test_what_never_comes_is_known() -> None:
    late = campaign(windows=[{"from": "21:00", "to": "23:00"}])
    assert next_legal(late, ("Europe/London",), datetime(2026, 7, 1, tzinfo=UTC)) is None
    mornings = campaign(windows=[{"from": "09:00", "to": "11:00"}])
    apart = ("America/New_York", "Asia/Kathmandu")
    assert next_legal(mornings, apart, datetime(2026, 7, 1, tzinfo=UTC)) is None
    assert next_legal(mornings, ("Atlantis/Capital",), datetime(2026, 7, 1, tzinfo=UTC)) is None


def test_days_without_calls_may_be_many() -> None:
    off = [date(2026, 7, 1) + timedelta(days=day) for day in range(500)]
    quiet = campaign(not_on=off)
    found = next_legal(quiet, ("America/New_York",), datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert found is not None and found.date() == off[-1] + timedelta(days=1)


@settings(max_examples=200)
@given(
    st.sampled_from(("us", "uk", "eu")),
    st.sampled_from(("informational", "telemarketing")),
    window_lists,
    zone_sets,
    instants,
)
def test_no_campaign_calls_outside_the_hours_of_its_profile(
    profile: str, purpose: str, chosen: list[Window], zones: tuple[str, ...], now: datetime
) -> None:
    wanted = [window.model_dump(by_alias=True) for window in chosen]
    ours = campaign(profile=profile, purpose=purpose, windows=wanted)
    found = next_legal(ours, zones, now)
    if found is None:
        return
    law = PROFILES[profile].hours(ours.purpose)
    for zone in zones:
        wall = found.astimezone(ZoneInfo(zone))
        second = wall.hour * 3600 + wall.minute * 60 + wall.second
        assert any(begin <= second < end for begin, end in law[wall.weekday()]), (zone, wall)
        assert time(8) <= wall.time() < time(21)
