"""Calls a second, held over all machines: token buckets in rows of the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.campaign import Campaign
from voicebot.campaign.ledger import Telling
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.store import tables
from voicebot.store.database import among
from voicebot.store.forms import aware, ms
from voicebot.store.writing import Tx

BURST_S = 0.5
"""A bucket holds the calls of so many seconds: after a pause no more than these come at once."""

_l = tables.limits.c
_READ = {
    postgres: select(_l.name, _l.tokens, _l.at).where(among(_l.name, "names", postgres))
    for postgres in (False, True)
}
_KEEP = {}
for _postgres, _dialect in ((True, postgresql), (False, sqlite)):
    _insert = _dialect.insert(tables.limits)
    _KEEP[_postgres] = _insert.on_conflict_do_update(
        index_elements=["name"], set_={"tokens": _insert.excluded.tokens, "at": _insert.excluded.at}
    )


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket, filled up to `at` (Unix ms). rate: calls a second."""

    name: str
    tokens: float
    at: int
    rate: float

    @property
    def wait_s(self) -> float:
        """So long until there is a whole call in it."""
        return max(0.0, 1.0 - self.tokens) / self.rate


def filled(name: str, tokens: float, since: int, now: int, rate: float) -> Bucket:
    """Return a bucket as it is `now`. One that nobody used yet holds one call."""
    full = max(1.0, rate * BURST_S)
    return Bucket(name, min(full, tokens + max(0, now - since) / 1000 * rate), max(now, since), rate)


async def buckets(tx: Tx, now: int, settings: Campaign, trunk: Trunk, policy: Policy) -> tuple[Bucket, ...]:
    """Return the buckets that a campaign's calls take from. The gate (`all`) is locked already."""
    rates = {
        "all": policy.calls_per_second,
        f"trunk {trunk.name}": trunk.calls_per_second,
        f"campaign {settings.campaign}": settings.pacing.calls_per_second,
    }
    rows = await tx.rows(_READ[tx.postgresql], {"names": tx.listed(list(rates))})
    known = {row.name: row for row in rows}
    return tuple(
        filled(name, known[name].tokens, known[name].at, now, rate)
        if name in known
        else Bucket(name, 1.0, now, rate)
        for name, rate in rates.items()
    )


async def keep(tx: Tx, of: Sequence[Bucket], calls: int) -> None:
    """Take `calls` out of the buckets."""
    rows = [{"name": each.name, "tokens": each.tokens - calls, "at": each.at} for each in of]
    await tx.run(_KEEP[tx.postgresql], sorted(rows, key=lambda row: str(row["name"])))


async def latest_claim(connection: AsyncConnection) -> datetime:
    """See Store.latest_claim."""
    return aware((await connection.execute(select(_l.at).where(_l.name == "all"))).scalar_one())


async def forgive_clock(tx: Tx, now: datetime) -> None:
    """See Store.forgive_clock: what was filled in the future is filled now."""
    await tx.gate()
    at = ms(now)
    await tx.run(update(tables.limits).where(_l.at > at).values(at=at))
    tx.tell(0, Telling(at, "clock", {"at": now.isoformat()}))
