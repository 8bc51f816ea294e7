"""When calls are legal: the hours of law and campaign on the clocks of all the callee's candidate zones.

Whether a moment is legal depends on the wall clock alone. Between two changes of a zone's offset the wall
clock runs evenly, so each zone's legal time is a list of exact spans, and what is legal in all zones is their
intersection. Where clocks go back, a wall time comes twice, and is judged the same both times; where they go
forward, the times left out never come.

Moments inside are whole seconds since 1970 (UTC).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, time
from functools import lru_cache
from itertools import zip_longest
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from voicebot.campaign.campaign import DAYS, Campaign, Window
from voicebot.campaign.rules.law import PROFILES, Spans, Week

DAY_S = 86_400
_PROBE_S = 6 * 3600
"""A zone changes its offset at most once in so many seconds."""

_EPOCH_ORDINAL = datetime(1970, 1, 1, tzinfo=UTC).toordinal()
_EPOCH_WEEKDAY = datetime(1970, 1, 1, tzinfo=UTC).weekday()

HORIZON_DAYS = 400
"""So far a legal moment is looked for, counted from the last day without calls: weeks repeat, and clocks
change in the same way each year, so what does not come by then never does."""


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Calendar:
    """Hours of the week, less some days. Compared by identity, so that it is quick to find in a cache.

    last: ordinal of the last day without calls; 0: there is none
    """

    week: Week
    not_on: frozenset[int] = frozenset()
    last: int = 0


@dataclass(frozen=True, slots=True)
class Calendars:
    """law: the profile's hours; windows: the campaign's; both: legal by law, windows and `not_on`."""

    law: Calendar
    windows: Calendar
    both: Calendar


def zone_of(name: str) -> ZoneInfo | None:
    """Return the time zone; None where there is none of this name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=4096)
def known(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the zones that there are, so that no bad name can raise where a call is judged."""
    return tuple(dict.fromkeys(name for name in zones if zone_of(name) is not None))


def calendars(campaign: Campaign) -> Calendars:
    """Return when the campaign may call, by its profile and by itself."""
    return _calendars(
        campaign.profile,
        campaign.purpose,
        campaign.windows,
        tuple(day.toordinal() for day in campaign.not_on),
    )


@lru_cache(maxsize=256)
def _calendars(profile: str, purpose: str, windows: tuple[Window, ...], not_on: tuple[int, ...]) -> Calendars:
    law = PROFILES[profile]
    week = law.telemarketing if purpose == "telemarketing" else law.informational
    wanted = week_of(windows)
    both = tuple(meet(ours, theirs) for ours, theirs in zip(week, wanted, strict=True))
    return Calendars(
        Calendar(week),
        Calendar(wanted),
        Calendar(both, frozenset(not_on), max(not_on, default=0)),  # type: ignore[arg-type]  # seven days
    )


def week_of(windows: tuple[Window, ...]) -> Week:
    """Return the windows as spans of each day. One that ends before it begins runs past midnight."""
    days: list[list[tuple[int, int]]] = [[] for _ in DAYS]
    for window in windows:
        begin = math.ceil(_seconds(window.begin))  # parts of a second are cut, never added
        end = int(_seconds(window.end)) or DAY_S  # up to 00:00 is up to midnight
        for name in window.days:
            day = DAYS.index(name)
            if begin < end:
                days[day].append((begin, end))
            elif begin > end:
                days[day].append((begin, DAY_S))
                days[(day + 1) % 7].append((0, end))
    return tuple(join(spans) for spans in days)  # type: ignore[return-value]  # seven days


def _seconds(clock: time) -> float:
    return clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6


def join(spans: list[tuple[int, int]]) -> Spans:
    """Return spans in order, those that touch or overlap as one."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif begin < end:
            joined.append((begin, end))
    return tuple(joined)


def meet(one: Spans, other: Spans) -> Spans:
    """Return what is in both, each in order."""
    found = []
    for begin, end in one:
        for first, last in other:
            if first < end and begin < last:
                found.append((max(begin, first), min(end, last)))
    return tuple(found)


def is_legal(calendar: Calendar, zones: tuple[str, ...], now: datetime) -> bool:
    """Whether `now` (aware) is within the calendar's hours in every one of the zones, which all exist."""
    at = now.timestamp()
    return any(begin <= at < end for begin, end in _spans(calendar, zones, int(at // DAY_S)))


def next_legal(campaign: Campaign, zones: tuple[str, ...], now: datetime) -> datetime | None:
    """Return the first moment from `now` (aware) on at which the campaign may call somebody in `zones`.

    Exact, in UTC: within law and windows, on no day of `not_on`, on the clock of every zone. `now` itself
    where it is one; None where there never is one. `starts` and `ends` are left aside. So are zones that do
    not exist; without any that does, the answer is None.
    """
    return next_in(calendars(campaign).both, known(zones), now)


def legal_until(campaign: Campaign, zones: tuple[str, ...], now: datetime) -> datetime | None:
    """Return the moment at which calling stops to be legal, if it is at `now` (aware); else None.

    What was handed over before must not be dialled after it.
    """
    return until_in(calendars(campaign).both, known(zones), now)


def next_in(calendar: Calendar, zones: tuple[str, ...], now: datetime) -> datetime | None:
    """See `next_legal`, for one calendar."""
    if not zones:
        return None
    at = now.timestamp()
    day = int(at // DAY_S)
    for begin, end in _spans(calendar, zones, day):
        if begin <= at < end:
            return now.astimezone(UTC)
        if at < begin:
            return datetime.fromtimestamp(begin, UTC)
    found = _first(calendar, zones, day + 1)
    return None if found is None else datetime.fromtimestamp(found, UTC)


def until_in(calendar: Calendar, zones: tuple[str, ...], now: datetime) -> datetime | None:
    """See `legal_until`, for one calendar."""
    if not zones:
        return None
    at = now.timestamp()
    day = int(at // DAY_S)
    for begin, end in _spans(calendar, zones, day):
        if begin <= at < end:
            for following in range(day + 1, day + HORIZON_DAYS):  # a span may go on past midnight UTC
                if end != following * DAY_S:
                    break
                further = _spans(calendar, zones, following)
                if not further or further[0][0] != end:
                    break
                end = further[0][1]
            return datetime.fromtimestamp(end, UTC)
    return None


@lru_cache(maxsize=4096)
def _first(calendar: Calendar, zones: tuple[str, ...], day: int) -> int | None:
    """Return the first legal second of a day (since 1970, UTC) or later."""
    end = max(day, calendar.last - _EPOCH_ORDINAL) + HORIZON_DAYS
    for following in range(day, end):
        if spans := _spans(calendar, zones, following):
            return spans[0][0]
    return None


@lru_cache(maxsize=32_768)
def _spans(calendar: Calendar, zones: tuple[str, ...], day: int) -> Spans:
    """Return what of one day (UTC) is legal in all zones."""
    spans: Spans = ((day * DAY_S, (day + 1) * DAY_S),)
    for zone in _far_apart(zones):
        spans = meet(spans, _spans_in(calendar, zone, day))
        if not spans:
            break
    return spans


@lru_cache(maxsize=4096)
def _far_apart(zones: tuple[str, ...]) -> tuple[str, ...]:
    """Return the zones, those in front whose clocks differ most: they soon leave nothing in common."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    order = sorted(zones, key=lambda zone: noon.astimezone(ZoneInfo(zone)).replace(tzinfo=None))
    half = (len(order) + 1) // 2
    return tuple(zone for pair in zip_longest(order[:half], order[: half - 1 : -1]) for zone in pair if zone)


@lru_cache(maxsize=32_768)
def _spans_in(calendar: Calendar, zone: str, day: int) -> Spans:
    """Return what of one day (UTC) is legal in one zone."""
    found: list[tuple[int, int]] = []
    for begin, end, offset in _steady(zone, day):
        for local in range((begin + offset) // DAY_S, (end + offset - 1) // DAY_S + 1):
            if local + _EPOCH_ORDINAL in calendar.not_on:
                continue
            midnight = local * DAY_S - offset
            for first, last in calendar.week[(local + _EPOCH_WEEKDAY) % 7]:
                found.append((max(begin, midnight + first), min(end, midnight + last)))
    return join([span for span in found if span[0] < span[1]])


@lru_cache(maxsize=8192)
def _steady(zone: str, day: int) -> tuple[tuple[int, int, int], ...]:
    """Return the parts of a day (UTC) in which the zone's offset stays the same: (from, to, offset)."""
    clock = ZoneInfo(zone)

    def offset(at: int) -> int:
        shift = datetime.fromtimestamp(at, clock).utcoffset()
        assert shift is not None
        return int(shift.total_seconds())

    begin, end = day * DAY_S, (day + 1) * DAY_S
    parts: list[tuple[int, int, int]] = []
    start, current = begin, offset(begin)
    for probe in range(begin + _PROBE_S, end + 1, _PROBE_S):
        after = offset(probe)
        if after != current:
            low, high = probe - _PROBE_S, probe  # the change is after low, at high or before it
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if offset(middle) == current else (low, middle)
            if high < end:
                parts.append((start, high, current))
                start, current = high, after
    parts.append((start, end, current))
    return tuple(parts)
