"""The rules by name, for people: what each one asks for, where that comes from, and how to be stricter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from voicebot.campaign.rules.law import PROFILES, Profile
from voicebot.campaign.rules.profiles import hours_told


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """rule: its stable name. otherwise: the ruling where it is broken. tighten: keys of the campaign file."""

    rule: str
    what: str
    otherwise: str
    source: str
    tighten: str = ""


CATALOGUE: tuple[RuleInfo, ...] = (
    RuleInfo(
        "opted_out",
        "Whoever asked not to be called is never called again, whatever else is known.",
        "refused",
        "47 CFR 64.1200(a)(10) and (d); PECR reg. 21(1)(a); GDPR art. 21",
    ),
    RuleInfo(
        "consent",
        "There is a record of who agreed, and when; it is not revoked. Calls that sell need the callee's "
        "own written consent to calls that sell.",
        "refused; deferred until the date of a consent to come; halted where the campaign itself has none",
        "47 USC 227(b), 47 CFR 64.1200(a)(1) to (3) and (f)(9), FCC 24-17; PECR reg. 19; GDPR art. 7",
        "`consent: column`",
    ),
    RuleInfo(
        "do_not_call",
        "Every list that the campaign names was imported, is not stale, and does not hold the number.",
        "refused on a hit; halted where a list is missing or stale",
        "47 CFR 64.1200(c)(2), 16 CFR 310.4(b)(1)(iii); PECR reg. 21(1)(b)",
        "`do_not_call`; the list's own age when it is imported",
    ),
    RuleInfo(
        "invalid_number",
        "The number is one of the contact's, and can exist.",
        "refused",
        "numbering plans, as libphonenumber has them",
    ),
    RuleInfo(
        "premium",
        "No premium-rate, shared-cost, personal, satellite or emergency number, pager or voicemail box.",
        "refused",
        "47 CFR 64.1200(a)(1)(i) to (iii); against toll fraud",
    ),
    RuleInfo(
        "prefix_allowed",
        "`[dialling] prefixes` of voicebot.toml allows the number, `denied_prefixes` does not deny it, and "
        "the campaign's `prefixes` allow it. `+1` means the US with its territories, and Canada; other "
        "countries of that code, such as the Dominican Republic, need their area code: `+1809`.",
        "refused; halted where the installation may dial nothing",
        "against toll fraud",
        "`prefixes`",
    ),
    RuleInfo(
        "attempts",
        "One contact is called only so often, over all its numbers.",
        "refused",
        "ours",
        "`limits.attempts`",
    ),
    RuleInfo(
        "in_call",
        "The number is not being called at this moment, by any campaign.",
        "deferred by 5 minutes",
        "ours",
    ),
    RuleInfo(
        "frequency",
        "At most so many calls to one number on one day of the callee's, and in any so many days, counted "
        "over all campaigns. Informational calls: also what the profile says.",
        "deferred",
        "47 CFR 64.1200(a)(3)(ii) to (v)",
        "`limits.per_day`, `limits.per_number`, `limits.per_number_days`",
    ),
    RuleInfo(
        "after_abandoned",
        "A pause after a call that the callee answered and heard nothing in.",
        "deferred",
        "Ofcom, Persistent misuse (2016)",
        "`retries.abandoned.after`",
    ),
    RuleInfo(
        "after_machine",
        "A pause after a call that was taken for a machine.",
        "deferred",
        "Ofcom, Persistent misuse (2010)",
        "`retries.machine.after`",
    ),
    RuleInfo(
        "caps",
        "Calls and minutes of one day (UTC), of the campaign and of all.",
        "deferred until the next day (UTC)",
        "against toll fraud",
        "`limits.calls_a_day`, `limits.minutes_a_day`",
    ),
    RuleInfo(
        "ring_time",
        "It rings long enough.",
        "halted",
        "47 CFR 64.1200(a)(6), 16 CFR 310.4(b)(4)(ii)",
        "`ring_s`",
    ),
    RuleInfo(
        "abandonment",
        "The share of abandoned calls among those that a person answered. At the brake calls go out one for "
        "each free place; at the limit they stop. A single abandoned call alone stops nothing.",
        "halted",
        "47 CFR 64.1200(a)(7), 16 CFR 310.4(b)(4)(i); Ofcom, Persistent misuse (2016)",
        "`pacing.abandoned_brake`, `pacing.abandoned_stop`",
    ),
    RuleInfo("due", "Nobody is called before they are due.", "deferred", "ours", "`columns.due`, `retries`"),
    RuleInfo(
        "starts",
        "The campaign has begun. Without a zone the time is meant on the callee's clock.",
        "deferred",
        "ours",
        "`starts`",
    ),
    RuleInfo(
        "ends",
        "The campaign is not over. Without a zone the time is meant on the callee's clock.",
        "halted; refused where it is over in one of the callee's zones only",
        "ours",
        "`ends`",
    ),
    RuleInfo(
        "quiet_hours",
        "The profile's hours, on the callee's clock, in every time zone they may be in.",
        "deferred to the next moment that all of `quiet_hours`, `windows` and `not_on` allow; refused where "
        "there is none",
        "47 CFR 64.1200(c)(1), 16 CFR 310.4(c)",
        "`windows`; `columns.zone` and `columns.address`, so that fewer zones come into question",
    ),
    RuleInfo(
        "windows",
        "The campaign's windows, on the callee's clock, in every time zone they may be in.",
        "as `quiet_hours`",
        "ours",
        "`windows`",
    ),
    RuleInfo(
        "not_on",
        "No day without calls, on the callee's calendar, in any time zone they may be in.",
        "as `quiet_hours`",
        "public holidays, where the law names them",
        "`not_on`",
    ),
)


def rules_reference() -> str:
    """Return Markdown: the rules by name, and the figures of each profile with their sources."""
    lines = [
        "## The rules",
        "",
        "| rule | what it asks for | otherwise | comes from | to tighten it |",
        "|---|---|---|---|---|",
    ]
    for info in CATALOGUE:
        tighten = info.tighten or "-"
        lines.append(f"| `{info.rule}` | {info.what} | {info.otherwise} | {info.source} | {tighten} |")
    for profile in PROFILES.values():
        lines += ["", f"## Profile `{profile.name}`", "", "| what | figure | comes from |", "|---|---|---|"]
        lines += [f"| {what} | {figure} | {source} |" for what, figure, source in _figures(profile)]
    return "\n".join(lines)


def _figures(profile: Profile) -> list[tuple[str, str, str]]:
    source = profile.sources
    period = "a day (UTC)" if profile.abandoned_per_day else "30 days"
    rows = [
        ("informational calls", hours_told(profile.informational), source["informational"]),
        ("calls that sell", hours_told(profile.telemarketing), source["telemarketing"]),
        ("rings at least", f"{profile.ring_s} s", source["ring_s"]),
        ("abandoned: brake", f"{profile.abandoned_brake:.1%}", source["abandoned_brake"]),
        ("abandoned: stop", f"{profile.abandoned_stop:.0%} in {period}", source["abandoned_stop"]),
    ]
    if profile.exempt is not None:
        figure = f"{profile.exempt.calls} to a number in {profile.exempt.days} days"
        rows.append(("informational calls at most", figure, source["exempt"]))
    if profile.after_abandoned is not None:
        rows.append(("after an abandoned call", _hours(profile.after_abandoned), source["after_abandoned"]))
    if profile.after_machine is not None:
        rows.append(("after a machine", _hours(profile.after_machine), source["after_machine"]))
    if profile.list_days is not None:
        rows.append(("do-not-call lists, where calls sell", f"{profile.list_days} days", source["list_days"]))
    return rows


def _hours(pause: timedelta) -> str:
    return f"{pause // timedelta(hours=1)} h without a call"
