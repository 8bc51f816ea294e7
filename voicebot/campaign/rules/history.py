"""What is known when a call is judged: gathered by the store inside the transaction that claims it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from voicebot.campaign.attempt import Disposition


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call that was dialled to the number, by any campaign. NOT_DIALLED attempts are none.

    disposition: None while the call is on
    """

    at: datetime
    campaign: str
    contact: int
    disposition: Disposition | None


@dataclass(frozen=True, slots=True)
class ListState:
    """A do-not-call list. max_age_days: so old it may be before it counts as stale; None: never stale."""

    imported_at: datetime
    max_age_days: int | None = None


@dataclass(frozen=True, slots=True)
class Today:
    """Sums of one day (UTC): calls dialled, and minutes of answered calls, begun ones rounded up."""

    calls: int = 0
    minutes: float = 0.0


@dataclass(frozen=True, slots=True)
class Abandonment:
    """Answered by a person, and abandoned among them, in one period of one campaign."""

    answered: int = 0
    abandoned: int = 0

    @property
    def share(self) -> float:
        """0 to 1; 0 where nobody answered yet."""
        return self.abandoned / self.answered if self.answered else 0.0


@dataclass(frozen=True, slots=True)
class History:
    """All that rules need beside campaign, policy, contact and time.

    past:       calls to `number`, oldest first, at least of the last 366 days
    opted_out:  when the callee revoked, at this or another of their numbers; None: never
    listed:     names of the do-not-call lists that hold the number
    lists:      state of every list that the campaign names; one that was never imported is missing
    """

    number: str
    past: tuple[PastCall, ...] = ()
    opted_out: datetime | None = None
    listed: tuple[str, ...] = ()
    lists: Mapping[str, ListState] = field(default_factory=dict)
    campaign_today: Today = Today()
    all_today: Today = Today()
    abandonment_30_days: Abandonment = Abandonment()
    abandonment_today: Abandonment = Abandonment()
