"""Rules about the moment: when a campaign runs, and when it is decent to call somebody where they are."""

from __future__ import annotations

from datetime import UTC, datetime

from voicebot.campaign.rules.case import Case, allowed, clock, deferred, halted, refused, shown
from voicebot.campaign.rules.hours import HORIZON_DAYS, Calendar, is_legal, next_in
from voicebot.campaign.verdict import Check

_ZONES_TOLD = 3


def due(case: Case) -> Check:
    """Nobody is called before the contact is due: a retry's delay, a call-back's time."""
    when = case.contact.due
    if case.now < when:
        return deferred("due", f"They are not to be called before {shown(when)}.", when)
    return allowed("due", f"Due since {shown(when)}.")


def starts(case: Case) -> Check:
    """The campaign's first moment. Without a zone it is meant on the callee's clock, in all their zones."""
    if case.campaign.starts is None:
        return allowed("starts", "The campaign has no first day.")
    begin = max(_moments(case.campaign.starts, case.zones))
    if case.now < begin:
        return deferred("starts", f"The campaign starts on {shown(begin)}.", begin)
    return allowed("starts", f"The campaign started on {shown(begin)}.")


def ends(case: Case) -> Check:
    """The campaign's last moment. Without a zone it is meant on the callee's clock, in all their zones."""
    if case.campaign.ends is None:
        return allowed("ends", "The campaign has no last day.")
    moments = _moments(case.campaign.ends, case.zones)
    if case.now >= max(moments):
        return halted("ends", f"The campaign ended on {shown(max(moments))}.")
    if case.now >= min(moments):
        return refused("ends", f"The campaign ended on {shown(min(moments))} in one of their zones.")
    return allowed("ends", f"The campaign ends on {shown(min(moments))}.")


def _moments(moment: datetime, zones: tuple[str, ...]) -> list[datetime]:
    if moment.tzinfo is not None or not zones:
        return [moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)]
    return [moment.replace(tzinfo=clock(zone)) for zone in zones]


def hours(case: Case) -> tuple[Check, Check, Check]:
    """The rules `quiet_hours` (the law's), `windows` (the campaign's) and `not_on` (days without calls).

    All three look at the callee's clock, in every zone they may be in. Each tells the next moment that all
    three allow; where there never is one, the call is refused.
    """
    if case.asked:
        why = f"They asked for a call at {shown(case.contact.asked or case.contact.due)}."
        return allowed("quiet_hours", why), allowed("windows", why), allowed("not_on", why)
    zones, now, calendars = case.zones, case.now, case.calendars
    if not zones:
        nowhere = refused("quiet_hours", "Nobody knows what time it is for them.")
        return nowhere, allowed("windows", "See quiet_hours."), allowed("not_on", "See quiet_hours.")
    if is_legal(calendars.both, zones, now):
        legal = allowed(
            "quiet_hours", f"It is {_told(zones, now)}, within the hours of profile {case.profile.name}."
        )
        return (
            legal,
            allowed("windows", "Within the campaign's windows."),
            allowed("not_on", "A day for calls."),
        )
    until = next_in(calendars.both, zones, now)
    law, windows = f"outside the hours of profile {case.profile.name}", "outside the campaign's windows"
    return (
        _hour(calendars.law, "quiet_hours", law, case, until),
        _hour(calendars.windows, "windows", windows, case, until),
        _day(case, until),
    )


def _hour(calendar: Calendar, rule: str, wrong: str, case: Case, until: datetime | None) -> Check:
    against = tuple(zone for zone in case.zones if not is_legal(calendar, (zone,), case.now))
    if not against:
        return allowed(rule, f"It is {_told(case.zones, case.now)}.")
    return _against(rule, f"It is {_told(against, case.now)}, {wrong}", until)


def _day(case: Case, until: datetime | None) -> Check:
    for zone in case.zones:
        day = case.now.astimezone(clock(zone)).date()
        if day in case.campaign.not_on:
            return _against("not_on", f"In {zone} it is {day}, a day without calls", until)
    return allowed("not_on", "A day for calls.")


def _against(rule: str, why: str, until: datetime | None) -> Check:
    if until is None:
        never = "law and windows leave no time that is allowed in all their zones"
        return refused(rule, f"{why}, and {never}, {HORIZON_DAYS} days ahead.")
    return deferred(rule, f"{why}; calls are allowed from {shown(until)}.", until)


def _told(zones: tuple[str, ...], now: datetime) -> str:
    first = [f"{now.astimezone(clock(zone)):%a %H:%M} in {zone}" for zone in zones[:_ZONES_TOLD]]
    more = f" and so on in {len(zones)} zones" if len(zones) > _ZONES_TOLD else ""
    return ", ".join(first) + more
