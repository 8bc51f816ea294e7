"""Where a campaign's file contradicts its profile: told when it is made, before anybody could be called."""

from __future__ import annotations

from datetime import time, timedelta
from math import ceil
from typing import NamedTuple

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import DAYS, Campaign
from voicebot.campaign.rules.hours import DAY_S, meet, week_of
from voicebot.campaign.rules.law import PROFILES, Profile, Week
from voicebot.errors import Problem


class Contradiction(NamedTuple):
    """Something that the campaign's profile does not allow.

    grave: the campaign must not start; else the stricter of the two holds, and it may
    """

    problem: Problem
    grave: bool


def profile_problems(campaign: Campaign) -> list[Contradiction]:
    """Return all in which a well-formed campaign contradicts its profile.

    What is not grave is cut by the rules: an operator may tighten, never loosen.
    """
    law = PROFILES[campaign.profile]
    return [
        *_region(campaign, law),
        *_windows(campaign, law),
        *_ring(campaign, law),
        *_pacing(campaign, law),
        *_retries(campaign, law),
        *_frequency(campaign, law),
        *_notice(campaign),
        *_lists(campaign),
        *_consent(campaign),
        *_answering(campaign),
    ]


def _grave(code: str, what: str, remedy: str) -> Contradiction:
    return Contradiction(Problem(what, remedy, code=f"profile.{code}"), True)


def _cut(code: str, what: str, remedy: str) -> Contradiction:
    return Contradiction(Problem(what, remedy, code=f"profile.{code}"), False)


def _region(campaign: Campaign, law: Profile) -> list[Contradiction]:
    if campaign.region in law.regions:
        return []
    what = f"profile `{law.name}` is not the law of {campaign.region}"
    remedy = "choose the profile of the country that is called; where it has none, tighten what differs"
    return [_cut("region", what, remedy)]


def _windows(campaign: Campaign, law: Profile) -> list[Contradiction]:
    legal = law.hours(campaign.purpose)
    told: list[Contradiction] = []
    some = False
    for window in campaign.windows:
        wanted = week_of((window,))
        both = [meet(ours, theirs) for ours, theirs in zip(wanted, legal, strict=True)]
        some = some or any(both)
        cut = [DAYS[day] for day in range(7) if tuple(both[day]) != wanted[day]]
        shown = f"the window {window.begin:%H:%M} to {window.end:%H:%M}"
        if cut:
            what = f"{shown} is cut on {', '.join(cut)}: profile `{law.name}` has other hours"
            remedy = f"{campaign.purpose} calls are legal {hours_told(legal)}"
            told.append(_cut("windows", what, remedy))
    if not some:
        what = f"profile `{law.name}` leaves nothing of the windows"
        remedy = f"{campaign.purpose} calls are legal {hours_told(legal)}"
        told.append(_grave("windows", what, remedy))
    return told


def hours_told(week: Week) -> str:
    """Return hours for people: `mon to fri 08:00-21:00, sat 09:00-21:00, sun never`."""
    told: list[str] = []
    first = 0
    for day in range(1, 8):
        if day < 7 and week[day] == week[first]:
            continue
        days = DAYS[first] if day - 1 == first else f"{DAYS[first]} to {DAYS[day - 1]}"
        spans = " and ".join(f"{_clock(begin)}-{_clock(end)}" for begin, end in week[first]) or "never"
        told.append(f"{days} {spans}")
        first = day
    return ", ".join(told)


def _clock(second: int) -> str:
    return "24:00" if second == DAY_S else f"{time(second // 3600, second // 60 % 60):%H:%M}"


def _ring(campaign: Campaign, law: Profile) -> list[Contradiction]:
    if campaign.ring_s >= law.ring_s:
        return []
    what = f"it rings {campaign.ring_s} s; profile `{law.name}` asks for {law.ring_s} s"
    return [_grave("ring_time", what, f"write ring_s: {law.ring_s}, or more")]


def _answering(campaign: Campaign) -> list[Contradiction]:
    if campaign.answering.detector not in ("asterisk", "both"):
        return []
    what = "AMD() keeps callees waiting for seconds, and who waits more than 2 s counts as abandoned"
    return [_cut("abandonment", what, "write `answering: {detector: voicebot}`: it listens while we speak")]


def _pacing(campaign: Campaign, law: Profile) -> list[Contradiction]:
    pacing, told = campaign.pacing, []
    if pacing.abandoned_stop > law.abandoned_stop:
        what = f"{pacing.abandoned_stop:.1%} of abandoned calls is above the limit of profile `{law.name}`"
        remedy = f"write {law.abandoned_stop:g}, or less"
        told.append(_grave("abandonment", what, remedy))
    if pacing.abandoned_brake > law.abandoned_brake:
        what = f"the brake is put on at {law.abandoned_brake:.1%} in profile `{law.name}`, not later"
        remedy = f"write {law.abandoned_brake:g}, or less"
        told.append(_cut("abandonment", what, remedy))
    return told


def _retries(campaign: Campaign, law: Profile) -> list[Contradiction]:
    told = []
    pauses = ((Disposition.ABANDONED, law.after_abandoned), (Disposition.MACHINE, law.after_machine))
    for disposition, pause in pauses:
        retry = campaign.retries.get(disposition)
        if pause is not None and retry is not None and retry.after < pause:
            hours = pause // timedelta(hours=1)
            what = f"profile `{law.name}` asks for {hours} h without a call after `{disposition}`"
            remedy = f"write retries: {{{disposition}: {{after: {hours}h}}}}, or later"
            told.append(_cut(f"after_{disposition}", what, remedy))
    return told


def _frequency(campaign: Campaign, law: Profile) -> list[Contradiction]:
    limits, exempt = campaign.limits, law.exempt
    if exempt is None or campaign.purpose != "informational":
        return []
    periods = max(1, ceil(exempt.days / limits.per_number_days))
    if limits.per_number * periods <= exempt.calls:
        return []
    what = f"profile `{law.name}` allows {exempt.calls} calls to a number in {exempt.days} days, not more"
    remedy = f"write per_number: {exempt.calls}, per_number_days: {exempt.days}, or less often"
    return [_cut("frequency", what, remedy)]


def _notice(campaign: Campaign) -> list[Contradiction]:
    if campaign.profile != "eu" or campaign.ai_notice:
        return []
    what = "in profile `eu` callees must be told that a machine talks (Regulation (EU) 2024/1689, art. 50)"
    remedy = "write the words that say so in the dialog's beginning: ai_notice: [automated assistant]"
    return [_grave("ai_notice", what, remedy)]


def _lists(campaign: Campaign) -> list[Contradiction]:
    if campaign.purpose != "telemarketing" or campaign.do_not_call:
        return []
    what = "the campaign sells, and names no do-not-call list"
    remedy = "import the national list, and name it: do_not_call: [national]"
    return [_cut("do_not_call", what, remedy)]


def _consent(campaign: Campaign) -> list[Contradiction]:
    if campaign.purpose != "telemarketing":
        return []
    if campaign.consent == "all":
        what = "calls that sell need each callee's own written consent, not one note for all"
        return [_grave("consent", what, "write consent: column, and name the columns")]
    columns = campaign.columns
    missing = [name for name in ("consent_scope", "consent_written") if not getattr(columns, name)]
    if not missing:
        return []
    what = f"calls that sell need consent in writing, and no column holds {' or '.join(missing)}"
    return [_grave("consent", what, "name them under `columns`: nobody could be called without")]
