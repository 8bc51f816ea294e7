"""Whose law binds a campaign: the figures of each profile, and where each one comes from.

A campaign may be stricter than its profile, never laxer: rules take the stricter of the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Purpose = Literal["informational", "telemarketing"]

HOUR_S = 3600

Spans = tuple[tuple[int, int], ...]
"""Parts of one day: (from, to) in seconds since midnight of the wall clock, `to` not included; ascending."""

Week = tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
"""Monday first."""


def _hours(begin: int, end: int) -> Spans:
    return ((begin * HOUR_S, end * HOUR_S),)


_NEVER: Spans = ()


@dataclass(frozen=True, slots=True)
class Frequency:
    """At most `calls` calls to one number in `days` days (any so many times 24 hours)."""

    calls: int
    days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What one law asks for.

    informational, telemarketing: hours at the called party
    ring_s:                       shortest ring time
    abandoned_brake, _stop:       shares of abandoned calls among those a person answered
    abandoned_per_day:            the share is of one day (UTC); else of 30 days
    exempt:                       frequency of informational calls
    after_abandoned:              no call to a number so long after one that was abandoned
    after_machine:                no call so long after one that was taken for a machine
    list_days:                    a do-not-call list may be so old, in days, where calls sell something
    regions:                      ISO 3166 countries whose law it is; empty: not told
    sources:                      where each figure comes from, by the name of its field
    """

    name: str
    informational: Week
    telemarketing: Week
    ring_s: int
    abandoned_brake: float
    abandoned_stop: float
    abandoned_per_day: bool
    exempt: Frequency | None
    after_abandoned: timedelta | None
    after_machine: timedelta | None
    list_days: int | None
    regions: frozenset[str]
    sources: Mapping[str, str]

    def hours(self, purpose: Purpose) -> Week:
        """The hours in which calls of `purpose` are legal."""
        return self.telemarketing if purpose == "telemarketing" else self.informational


_DAILY = _hours(8, 21)
_WEEK: Week = (_DAILY,) * 7

US = Profile(
    name="us",
    informational=_WEEK,
    telemarketing=_WEEK,
    ring_s=15,
    abandoned_brake=0.025,
    abandoned_stop=0.03,
    abandoned_per_day=False,
    exempt=Frequency(3, 30),
    after_abandoned=None,
    after_machine=None,
    list_days=31,
    regions=frozenset(("US", "PR", "VI", "GU", "AS", "MP")),
    sources={
        "informational": "the hours of 47 CFR 64.1200(c)(1), which binds telemarketing only",
        "telemarketing": "47 CFR 64.1200(c)(1): 8 am to 9 pm at the called party's location",
        "ring_s": "47 CFR 64.1200(a)(6), 16 CFR 310.4(b)(4)(ii): 15 seconds or four rings",
        "abandoned_brake": "ours: to slow down before the limit is reached",
        "abandoned_stop": "47 CFR 64.1200(a)(7), 16 CFR 310.4(b)(4)(i): 3 % per campaign over 30 days",
        "exempt": "47 CFR 64.1200(a)(3)(ii) to (v): three calls in any 30 days for exempt calls",
        "list_days": "47 CFR 64.1200(c)(2)(i)(D), 16 CFR 310.4(b)(3)(iv): a list no older than 31 days",
    },
)

UK = Profile(
    name="uk",
    informational=(*(_DAILY,) * 5, _hours(9, 21), _hours(9, 21)),
    telemarketing=(*(_DAILY,) * 5, _hours(9, 21), _NEVER),
    ring_s=15,
    abandoned_brake=0.025,
    abandoned_stop=0.03,
    abandoned_per_day=True,
    exempt=None,
    after_abandoned=timedelta(hours=72),
    after_machine=timedelta(hours=24),
    list_days=28,
    regions=frozenset(("GB", "GG", "JE", "IM")),
    sources={
        "informational": "no statute; DMA code: 8 am to 9 pm, at weekends from 9 am",
        "telemarketing": "no statute; DMA telemarketing guide: Saturdays from 9 am, no calls on Sundays",
        "ring_s": "Ofcom, Persistent misuse (2016): 15 seconds",
        "abandoned_brake": "ours: to slow down before the limit is reached",
        "abandoned_stop": "Ofcom, Persistent misuse (2016): 3 % of live calls per campaign in 24 hours",
        "after_abandoned": "Ofcom, Persistent misuse (2016): 72 hours",
        "after_machine": "Ofcom, Persistent misuse (2010): 24 hours after a machine was detected",
        "list_days": "Privacy and Electronic Communications Regulations 2003, reg. 21(3): 28 days",
    },
)

_FRENCH: Spans = (*_hours(10, 13), *_hours(14, 20))

EU = Profile(
    name="eu",
    informational=_WEEK,
    telemarketing=(*(_FRENCH,) * 5, _NEVER, _NEVER),
    ring_s=15,
    abandoned_brake=0.025,
    abandoned_stop=0.03,
    abandoned_per_day=False,
    exempt=None,
    after_abandoned=None,
    after_machine=None,
    list_days=30,
    regions=frozenset(
        (
            *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE"),
            *("IT", "LV", "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
        )
    ),
    sources={
        "informational": "no law of the Union; ours",
        "telemarketing": "no law of the Union; the strictest of its members that we know: France, Code de la "
        "consommation D. 223-9 (Monday to Friday, 10 to 13 and 14 to 20), which lies within Spain's hours",
        "ring_s": "no law of the Union; as in the profiles us and uk",
        "abandoned_brake": "ours: to slow down before the limit is reached",
        "abandoned_stop": "no law of the Union; as in the profile us",
        "list_days": "no law of the Union; ours",
    },
)

PROFILES: Mapping[str, Profile] = {profile.name: profile for profile in (US, UK, EU)}
