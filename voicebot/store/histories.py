"""What rules need to know about many contacts at once, by a few queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, bindparam, or_, select

from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.rules.history import Abandonment, History, ListState, PastCall, Today
from voicebot.store import tables
from voicebot.store.database import among
from voicebot.store.forms import aware, day_of
from voicebot.store.writing import Tx

PAST_DAYS = 366
OPT_OUTS = "opt-outs"
"""The list of our own opt-outs."""
ABANDONMENT_DAYS = 30

_a = tables.attempts.c
_PAST = {
    postgres: select(_a.number_key, _a.claimed_at, _a.contact_id, _a.disposition, tables.campaigns.c.name)
    .join(tables.campaigns, tables.campaigns.c.id == _a.campaign_id)
    .where(
        among(_a.number_key, "keys", postgres),
        _a.claimed_at >= bindparam("since"),
        or_(_a.disposition.is_(None), _a.disposition.not_in([each.value for each in NOT_DIALLED])),
    )
    .order_by(_a.claimed_at)
    for postgres in (False, True)
}
_d = tables.dnc_numbers.c
_LISTED = {
    postgres: select(_d.number_key, _d.list, _d.at).where(among(_d.number_key, "keys", postgres))
    for postgres in (False, True)
}
_LISTS = select(tables.dnc_lists)
_n = tables.counters.c
_SUMS = select(_n.campaign_id, _n.kind, _n.name, _n.n).where(
    or_(
        and_(
            _n.campaign_id.in_((0, bindparam("campaign_id"))),
            _n.kind.in_(("calls", "minutes")),
            _n.name == bindparam("today"),
        ),
        and_(
            _n.campaign_id == bindparam("campaign_id"),
            _n.kind.in_(("persons", "abandoned")),
            _n.name > bindparam("before"),
        ),
    )
)


@dataclass(slots=True)
class Sums:
    """A day's sums. Claims of the same transaction add to them."""

    campaign: Today
    everyone: Today
    abandonment: Abandonment
    abandonment_today: Abandonment

    def called(self) -> None:
        """One more call was claimed."""
        self.campaign = Today(self.campaign.calls + 1, self.campaign.minutes)
        self.everyone = Today(self.everyone.calls + 1, self.everyone.minutes)


async def sums(tx: Tx, campaign_id: int, now: int, open_minutes: int = 0, all_open_minutes: int = 0) -> Sums:
    """Return the day's sums. open_minutes: of answered calls that are on."""
    today, before = day_of(now), day_of(now, ABANDONMENT_DAYS)
    rows = await tx.rows(_SUMS, {"campaign_id": campaign_id, "today": today, "before": before})
    n: dict[tuple[int, str], int] = defaultdict(int)
    here: dict[str, int] = defaultdict(int)
    for row in rows:
        n[row.campaign_id, row.kind] += row.n
        if row.name == today and row.campaign_id == campaign_id:
            here[row.kind] += row.n
    return Sums(
        Today(here["calls"], here["minutes"] + open_minutes),
        Today(n[0, "calls"], n[0, "minutes"] + all_open_minutes),
        Abandonment(n[campaign_id, "persons"], n[campaign_id, "abandoned"]),
        Abandonment(here["persons"], here["abandoned"]),
    )


@dataclass(slots=True)
class Past:
    """What is known of some numbers, by key."""

    calls: dict[str, list[PastCall]] = field(default_factory=lambda: defaultdict(list))
    lists: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    opted_out: dict[str, datetime] = field(default_factory=dict)

    def history(self, number: str, keys: Sequence[str], states: dict[str, ListState], sums: Sums) -> History:
        """Return a number's. keys: its own, then those of the person's other numbers: who revoked at one of
        them is not called at another."""
        key = keys[0]
        revoked = [self.opted_out[each] for each in keys if each in self.opted_out]
        return History(
            number,
            tuple(self.calls[key]) if key in self.calls else (),
            min(revoked, default=None),
            tuple(self.lists[key]) if key in self.lists else (),
            states,
            sums.campaign,
            sums.everyone,
            sums.abandonment,
            sums.abandonment_today,
        )


async def past_of(tx: Tx, keys: Sequence[str], now: int) -> Past:
    """Return what happened to the numbers with these keys."""
    past = Past()
    values = {"keys": tx.listed(keys), "since": now - PAST_DAYS * 86_400_000}
    for row in await tx.rows(_PAST[tx.postgresql], values):
        disposition = None if row.disposition is None else Disposition(row.disposition)
        call = PastCall(aware(row.claimed_at), row.name, row.contact_id, disposition)
        past.calls[row.number_key].append(call)
    for row in await tx.rows(_LISTED[tx.postgresql], {"keys": values["keys"]}):
        if row.list == OPT_OUTS:
            past.opted_out[row.number_key] = aware(row.at)
        else:
            past.lists[row.number_key].append(row.list)
    return past


async def list_states(tx: Tx, names: Sequence[str]) -> dict[str, ListState]:
    """Return the states of the lists with these names; one that was never imported is missing."""
    return {
        row.name: ListState(aware(row.imported_at), row.max_age_days)
        for row in await tx.rows(_LISTS)
        if row.name in names and row.imported_at
    }
