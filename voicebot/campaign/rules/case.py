"""What a rule is given, and how it answers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.hours import Calendars
from voicebot.campaign.rules.law import Profile
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Check, Ruling

ASKED_FOR = timedelta(minutes=30)
"""A call that the callee asked for at a time is the one they asked for so long after that time, not later."""


@dataclass(frozen=True, slots=True)
class Case:
    """One call to be judged.

    zones: the contact's candidate zones, as far as they exist; of the number where none does
    asked: the callee asked for a call at this very time, or at one yet to come
    """

    campaign: Campaign
    policy: Policy
    contact: Contact
    history: History
    now: datetime
    profile: Profile
    calendars: Calendars
    zones: tuple[str, ...]
    asked: bool


def asked_at(contact: Contact, now: datetime) -> bool:
    """Whether `now` is the time for which the callee asked for a call, or before it: then `due` holds it."""
    return contact.asked is not None and now < contact.asked + ASKED_FOR


def allowed(rule: str, why: str) -> Check:
    return Check(rule, Ruling.ALLOWED, why)


def deferred(rule: str, why: str, until: datetime) -> Check:
    return Check(rule, Ruling.DEFERRED, why, until)


def refused(rule: str, why: str) -> Check:
    return Check(rule, Ruling.REFUSED, why)


def halted(rule: str, why: str) -> Check:
    return Check(rule, Ruling.HALTED, why)


@lru_cache(maxsize=1024)
def clock(zone: str) -> ZoneInfo:
    """Return a zone that exists."""
    return ZoneInfo(zone)


def shown(moment: datetime) -> str:
    """Return a moment for people: 2027-03-04 15:00 UTC."""
    return moment.strftime("%Y-%m-%d %H:%M %Z")
