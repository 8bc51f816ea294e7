"""Rules about the number itself: whether it exists, what it costs, whether this installation may dial it."""

from __future__ import annotations

from voicebot.campaign.numbers import INVALID, PREMIUM, WrongNumber, callable_number
from voicebot.campaign.rules.case import Case, allowed, halted, refused
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Check

NEAR = frozenset(("US", "CA", "PR", "VI", "GU", "AS", "MP", "001", ""))
"""Where calls within +1 cost what calls at home do. Its other countries have area codes like any town's, and
rates that are shared with whoever has them called."""
AREA = len("+1809")
"""Characters of a prefix that means one of them."""


def _overseas(number: str) -> str:
    """Return the country of a +1 number that is neither of the US nor of Canada; "" for all others."""
    try:
        region = callable_number(number).region if number.startswith("+1") else ""
    except WrongNumber:
        return ""
    return "" if region in NEAR else region


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


def installation_refuses(policy: Policy, number: str) -> str:
    """Return why this installation never dials `number` (E.164), "" where it may."""
    if not policy.prefixes:
        return "This installation may dial nothing: set [dialling] prefixes."
    for prefix in policy.denied_prefixes:
        if number.startswith(prefix):
            return f"This installation never dials {prefix}."
    fitting = [prefix for prefix in policy.prefixes if number.startswith(prefix)]
    if not fitting:
        return f"This installation dials {', '.join(policy.prefixes)} alone."
    if max(map(len, fitting)) < AREA and (country := _overseas(number)):
        return f"It is a number of {country}, dear to call: +1 does not mean it, {number[:AREA]} would."
    return ""


def call_refused(policy: Policy, number: str) -> str:
    """Return why a single call, which no campaign asked for, may not go to `number`; "" where it may.

    number: as somebody wrote it, with its country
    """
    try:
        found = callable_number(number).number
    except WrongNumber as error:
        return f"{error}."
    return installation_refuses(policy, found)


def prefix_allowed(case: Case) -> Check:
    """Only what the installation allows may be dialled, and of that only what the campaign does."""
    number, campaign = case.history.number, case.campaign
    if why := installation_refuses(case.policy, number):
        return refused("prefix_allowed", why) if case.policy.prefixes else halted("prefix_allowed", why)
    if campaign.prefixes and not number.startswith(campaign.prefixes):
        return refused("prefix_allowed", f"The campaign calls {', '.join(campaign.prefixes)} alone.")
    return allowed("prefix_allowed", "The prefix is allowed.")
