"""Rules about the callee's will: consent, its revocation, do-not-call lists."""

from __future__ import annotations

from datetime import timedelta

from voicebot.campaign.rules.case import Case, allowed, deferred, halted, refused, shown
from voicebot.campaign.verdict import Check


def opted_out(case: Case) -> Check:
    """Whoever revoked is never called again, whatever else is known."""
    revoked = case.history.opted_out
    if revoked is None:
        return allowed("opted_out", "They never asked not to be called.")
    return refused("opted_out", f"They asked on {shown(revoked)} not to be called again.")


def consent(case: Case) -> Check:
    """No call without a record of consent; calls that sell need one in writing, for calls that sell."""
    campaign, given = case.campaign, case.contact.consent
    sells = campaign.purpose == "telemarketing"
    if given is None:
        return _consent_of_all(case, sells)
    if given.at > case.now:
        return deferred(
            "consent", f"The consent is dated {shown(given.at)}, which is still to come.", given.at
        )
    revoked = case.history.opted_out
    if revoked is not None and revoked >= given.at:
        return refused("consent", f"The consent of {shown(given.at)} was revoked on {shown(revoked)}.")
    if not given.by.strip():
        return refused("consent", f"The consent of {shown(given.at)} does not tell who gave it.")
    if sells and given.scope != "telemarketing":
        return refused("consent", f"The consent of {shown(given.at)} covers no calls that sell something.")
    if sells and not given.written:
        return refused(
            "consent", f"The consent of {shown(given.at)} was not written, as calls that sell need it."
        )
    written = "in writing " if given.written else ""
    return allowed("consent", f"{given.by} agreed {written}on {shown(given.at)} to {given.scope} calls.")


def _consent_of_all(case: Case, sells: bool) -> Check:
    campaign = case.campaign
    if campaign.consent != "all":
        return refused("consent", "There is no record that they agreed to be called.")
    if sells:
        return halted(
            "consent", "Calls that sell need each callee's own written consent, not one note for all."
        )
    if not campaign.consent_note.strip():
        return halted("consent", "`consent: all` needs a `consent_note` that says who agreed, when, and how.")
    revoked = case.history.opted_out
    if revoked is not None:
        return refused("consent", f"The consent was revoked on {shown(revoked)}.")
    return allowed("consent", f"All in this campaign agreed: {campaign.consent_note}")


def do_not_call(case: Case) -> Check:
    """The lists that the campaign names: each is there, none is stale, and none holds the number."""
    named, history = case.campaign.do_not_call, case.history
    if not named:
        return allowed("do_not_call", "The campaign names no do-not-call list.")
    if history.listed:
        hits = [name for name in named if name in history.listed]
        if hits:
            return refused("do_not_call", f"The number is on the list {', '.join(hits)}.")
    sells = case.campaign.purpose == "telemarketing"
    oldest = 0
    for name in named:
        state = history.lists.get(name)
        if state is None:
            return halted("do_not_call", f"The list {name} was never imported.")
        limits = [state.max_age_days, case.profile.list_days if sells else None]
        longest = min((days for days in limits if days is not None), default=None)
        age = case.now - state.imported_at
        oldest = max(oldest, age.days)
        if longest is not None and age > timedelta(days=longest):
            why = (
                f"The list {name} of {shown(state.imported_at)} is older than {longest} days: import it anew."
            )
            return halted("do_not_call", why)
    return allowed("do_not_call", f"On none of {', '.join(named)}; the oldest is of {oldest} days ago.")
