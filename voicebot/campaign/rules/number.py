"""Rules about the number itself: whether it exists, what it costs, whether this installation may dial it."""

from __future__ import annotations

from voicebot.campaign.numbers import INVALID, PREMIUM, WrongNumber, callable_number
from voicebot.campaign.rules.case import Case, allowed, halted, refused
from voicebot.campaign.verdict import Check


def invalid_number(case: Case) -> Check:
    """Numbers that cannot exist are not dialled: they cost, and mark their caller as one who guesses."""
    if case.history.number not in case.contact.numbers:
        return refused(INVALID, f"{case.history.number} is none of the contact's numbers.")
    try:
        found = callable_number(case.history.number)
    except WrongNumber as error:
        if error.rule == INVALID:
            return refused(INVALID, f"{error}.")
        return allowed(INVALID, f"{case.history.number} can exist.")
    return allowed(INVALID, f"{found.number} can exist ({found.kind}, {found.region}).")


def premium(case: Case) -> Check:
    """Numbers that earn their owner money, or that nobody answers, are never dialled."""
    try:
        callable_number(case.history.number)
    except WrongNumber as error:
        if error.rule == PREMIUM:
            return refused(PREMIUM, f"{error}.")
    return allowed(PREMIUM, "The number has no premium rate.")


def prefix_allowed(case: Case) -> Check:
    """Only what the installation allows may be dialled, and of that only what the campaign does."""
    number, policy, campaign = case.history.number, case.policy, case.campaign
    if not policy.prefixes:
        return halted("prefix_allowed", "This installation may dial nothing: set [dialling] prefixes.")
    for prefix in policy.denied_prefixes:
        if number.startswith(prefix):
            return refused("prefix_allowed", f"This installation never dials {prefix}.")
    if not number.startswith(policy.prefixes):
        return refused("prefix_allowed", f"This installation dials {', '.join(policy.prefixes)} alone.")
    if campaign.prefixes and not number.startswith(campaign.prefixes):
        return refused("prefix_allowed", f"The campaign calls {', '.join(campaign.prefixes)} alone.")
    return allowed("prefix_allowed", "The prefix is allowed.")
