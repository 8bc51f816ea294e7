"""What people ask the store: a campaign in numbers, all about one number, streams of attempts and entries."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.attempt import AttemptState, Disposition
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.ledger import number_key as key_of
from voicebot.campaign.rules.history import Abandonment, Today
from voicebot.store import tables
from voicebot.store.campaigns import NAMES, find
from voicebot.store.contacts import next_due
from voicebot.store.database import Database, among, listed
from voicebot.store.forms import attempt_of, aware, contact_of, day_of, ms
from voicebot.store.histories import ABANDONMENT_DAYS, OPT_OUTS
from voicebot.store.lists import HELD_BY
from voicebot.store.rows import AttemptRow, Known, LedgerRow, Status

PAGE = 1000
LONG_S = 30.0
"""A page of a stream, and all about a number, may take so long."""

_a = tables.attempts.c
_l = tables.ledger.c
_c = tables.contacts.c
ATTEMPTS: Select[Any] = select(tables.attempts, tables.campaigns.c.name.label("campaign")).join(
    tables.campaigns, tables.campaigns.c.id == _a.campaign_id
)
ONE_ATTEMPT = ATTEMPTS.where(_a.id == bindparam("attempt"))
COUNTERS = select(tables.counters).where(tables.counters.c.campaign_id == bindparam("campaign_id"))
OPEN = (
    select(_a.state, func.count().label("n"))
    .where(_a.campaign_id == bindparam("campaign_id"), _a.state != "closed")
    .group_by(_a.state)
)
ATTEMPTS_PAGE = (
    ATTEMPTS.where(
        _a.campaign_id == bindparam("campaign_id"),
        or_(
            _a.claimed_at > bindparam("claimed_at"),
            and_(_a.claimed_at == bindparam("claimed_at"), _a.id > bindparam("attempt")),
        ),
        _a.claimed_at >= bindparam("claimed_at"),  # what the index can look for
    )
    .order_by(_a.claimed_at, _a.id)
    .limit(PAGE)
)
CONTACTS_WITH = {
    postgres: select(tables.contacts, tables.campaigns.c.name.label("campaign"))
    .join(tables.contact_numbers, tables.contact_numbers.c.contact_id == _c.id)
    .join(tables.campaigns, tables.campaigns.c.id == _c.campaign_id)
    .where(among(tables.contact_numbers.c.number_key, "keys", postgres))
    .order_by(_c.id)
    for postgres in (False, True)
}


async def open_attempts(
    connection: AsyncConnection, dialler: str, campaign: str, states: Sequence[AttemptState]
) -> tuple[AttemptRow, ...]:
    """See Store.open_attempts."""
    query = ATTEMPTS.where(_a.state != "closed")
    if dialler:
        query = query.where(_a.dialler == dialler)
    if states:
        query = query.where(_a.state.in_([state.value for state in states]))
    rows = await connection.execute(query.order_by(_a.claimed_at, _a.id))
    found = map(attempt_of, rows)  # by campaign SQLite would go through all that were ever made
    return tuple(row for row in found if not campaign or row.order.campaign == campaign)


async def attempt(connection: AsyncConnection, id: str) -> AttemptRow | None:
    row = (await connection.execute(ONE_ATTEMPT, {"attempt": id})).first()
    return None if row is None else attempt_of(row)


async def status(connection: AsyncConnection, name: str, now: datetime) -> Status:
    """See Store.status: counters, and a look at open attempts; never a count of contacts."""
    campaign = await find(connection, name)
    n: dict[str, dict[str, int]] = defaultdict(dict)
    for row in await connection.execute(COUNTERS, {"campaign_id": campaign.id}):
        if row.n:
            n[row.kind][row.name] = int(row.n)
    open_ = await connection.execute(OPEN, {"campaign_id": campaign.id})
    today, before = day_of(ms(now)), day_of(ms(now), ABANDONMENT_DAYS)
    month = {kind: sum(x for day, x in n[kind].items() if day > before) for kind in ("persons", "abandoned")}
    return Status(
        name=name,
        state=campaign.state,
        why=campaign.why,
        contacts={state: n["contacts"].get(state.value, 0) for state in ContactState},
        dispositions={Disposition(key): x for key, x in n["dispositions"].items()},
        open={AttemptState(row.state): int(row.n) for row in open_},
        outcomes=n["outcomes"],
        goals=n["goals"].get("", 0),
        rules=n["rules"],
        calls=n["calls"],
        minutes=n["minutes"],
        calls_by_hour=n["calls_by_hour"],
        answered_by_hour=n["answered_by_hour"],
        today=Today(n["calls"].get(today, 0), n["minutes"].get(today, 0)),
        abandonment_30_days=Abandonment(month["persons"], month["abandoned"]),
        abandonment_today=Abandonment(n["persons"].get(today, 0), n["abandoned"].get(today, 0)),
        next_due=await next_due(connection, campaign.id),
    )


async def attempts(database: Database, name: str) -> AsyncIterator[AttemptRow]:
    """See Store.attempts."""
    async with database.reading() as connection:
        campaign_id = (await find(connection, name)).id
    values: dict[str, Any] = {"campaign_id": campaign_id, "claimed_at": -1, "attempt": ""}
    while True:
        async with database.reading(long_s=LONG_S) as connection:
            rows = (await connection.execute(ATTEMPTS_PAGE, values)).all()
        for row in rows:
            yield attempt_of(row)
        if len(rows) < PAGE:
            return
        values |= {"claimed_at": rows[-1].claimed_at, "attempt": rows[-1].id}


def entry_row(row: Row[Any], campaign: str) -> LedgerRow:
    payload = None if row.payload is None else json.loads(row.payload)
    return LedgerRow(campaign, row.seq, aware(row.at), row.kind, row.attempt, row.contact, row.rule, payload)


async def entries(database: Database, name: str, kind: str, after_seq: int) -> AsyncIterator[LedgerRow]:
    """See Store.entries."""
    campaign_id = 0
    if name:
        async with database.reading() as connection:
            campaign_id = (await find(connection, name)).id
    while True:
        query = select(tables.ledger).where(_l.campaign_id == campaign_id, _l.seq > after_seq)
        if kind:
            query = query.where(_l.kind == kind)
        async with database.reading(long_s=LONG_S) as connection:
            rows = (await connection.execute(query.order_by(_l.seq).limit(PAGE))).all()
        for row in rows:
            yield entry_row(row, name)
        if len(rows) < PAGE:
            return
        after_seq = rows[-1].seq


async def why(connection: AsyncConnection, database: Database, number: str, campaign: str) -> Known:
    """See Store.why."""
    key, postgres = key_of(database.secret, number), database.postgresql
    if campaign:
        await find(connection, campaign)
    names = {row.id: row.name for row in await connection.execute(NAMES)}
    contacts: list[Contact] = [
        contact_of(row, row.campaign)
        for row in await connection.execute(CONTACTS_WITH[postgres], {"keys": listed([key], postgres)})
        if not campaign or row.campaign == campaign
    ]
    rows = await connection.execute(ATTEMPTS.where(_a.number_key == key).order_by(_a.claimed_at))
    told = select(tables.ledger).where(_l.number_key == key, _l.number_key != "").order_by(_l.at, _l.seq)
    held = (await connection.execute(HELD_BY[postgres], {"keys": listed([key], postgres)})).all()
    d = tables.dnc_numbers.c
    out = await connection.execute(select(d.at).where(d.number_key == key, d.list == OPT_OUTS))
    opted_out = out.scalar_one_or_none()
    return Known(
        number,
        tuple(contacts),
        tuple(attempt_of(row) for row in rows if not campaign or row.campaign == campaign),
        tuple(
            entry_row(row, names.get(row.campaign_id, ""))
            for row in await connection.execute(told)
            if not campaign or names.get(row.campaign_id, "") in ("", campaign)
        ),
        None if opted_out is None else aware(opted_out),
        tuple(sorted(row.list for row in held if row.list != OPT_OUTS)),
    )
