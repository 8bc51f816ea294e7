"""All rules on one call, at one moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.rules import amounts, number, person, timing
from voicebot.campaign.rules.case import Case, asked_at
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.hours import calendars, known, next_in, until_in
from voicebot.campaign.rules.law import PROFILES
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Check, Ruling, Verdict
from voicebot.campaign.zones import zones_of

RULES: tuple[Callable[[Case], Check], ...] = (
    person.opted_out,
    person.consent,
    person.do_not_call,
    number.invalid_number,
    number.premium,
    number.prefix_allowed,
    amounts.attempts,
    amounts.in_call,
    amounts.frequency,
    amounts.after_abandoned,
    amounts.after_machine,
    amounts.caps,
    amounts.ring_time,
    amounts.abandonment,
    timing.due,
    timing.starts,
    timing.ends,
)
"""Each named as its rule. `timing.hours` adds quiet_hours, windows and not_on."""

_SEVERITY = {Ruling.ALLOWED: 0, Ruling.DEFERRED: 1, Ruling.HALTED: 2, Ruling.REFUSED: 3}
"""What is refused for good stays so whatever is mended: so a refusal stands above a halt."""


def judge(campaign: Campaign, policy: Policy, contact: Contact, history: History, now: datetime) -> Verdict:
    """Return what all rules say to calling `history.number`, one of the contact's numbers, at `now` (aware).

    Deterministic; the strictest ruling decides, and every rule's word is in the verdict. A refusal stands
    above a halt, a halt above a deferral. `until` of a deferral is the first moment that all rules allow, as
    far as is known now, in UTC.
    """
    zones = known(contact.zones) or known(zones_of(history.number))
    asked = asked_at(contact, now)
    profile = PROFILES[campaign.profile]
    case = Case(campaign, policy, contact, history, now, profile, calendars(campaign), zones, asked)
    checks = (*(rule(case) for rule in RULES), *timing.hours(case))
    ruling = max((check.ruling for check in checks), key=_SEVERITY.__getitem__)
    if ruling is Ruling.ALLOWED and not asked:
        return Verdict(ruling, history.number, checks, None, until_in(case.calendars.both, zones, now))
    if ruling is not Ruling.DEFERRED:
        return Verdict(ruling, history.number, checks)
    until = max(check.until for check in checks if check.until is not None)
    if not asked_at(contact, until):
        later = next_in(case.calendars.both, zones, until)
        if later is None:  # hours that the others leave nothing of
            never = Check(
                "quiet_hours", Ruling.REFUSED, "Calls to them are never legal after what defers them."
            )
            return Verdict(Ruling.REFUSED, history.number, (*checks, never))
        until = later
    return Verdict(ruling, history.number, checks, until)
