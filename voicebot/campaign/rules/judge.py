"""All rules on one call, at one moment."""

from __future__ import annotations

from datetime import datetime

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Verdict


def judge(campaign: Campaign, policy: Policy, contact: Contact, history: History, now: datetime) -> Verdict:
    """Return what all rules say to calling `history.number`, one of the contact's numbers, at `now` (aware).

    Deterministic; the strictest ruling decides, and every rule's word is in the verdict.
    """
    raise NotImplementedError
