"""Contacts in the store: added in bulk, paged through, released, refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.ledger import Telling
from voicebot.store import tables
from voicebot.store.campaigns import row_of
from voicebot.store.claiming import PRIORITIES
from voicebot.store.database import among
from voicebot.store.forms import aware, consent_text, contact_of, json_text, ms
from voicebot.store.rows import Added, NewContact
from voicebot.store.writing import Tx

PAGE = 1000
PRIORITY = 2**31 - 1
"""The greatest that a column holds."""

_c = tables.contacts.c
KNOWN_KEYS = {
    postgres: select(_c.key).where(
        _c.campaign_id == bindparam("campaign_id"), among(_c.key, "keys", postgres)
    )
    for postgres in (False, True)
}
COLUMNS = tuple(column.name for column in tables.contacts.c)
_INSERT = f"INSERT INTO contacts ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_INSERT_NUMBERS = "INSERT INTO contact_numbers (number_key, contact_id) VALUES (?, ?)"
ONE = (
    select(tables.contacts, tables.campaigns.c.name.label("campaign"))
    .join(tables.campaigns, tables.campaigns.c.id == _c.campaign_id)
    .where(_c.id == bindparam("id"))
)
SOME = {
    postgres: select(tables.contacts).where(
        _c.campaign_id == bindparam("campaign_id"), among(_c.key, "keys", postgres)
    )
    for postgres in (False, True)
}
HELD = (
    select(tables.contacts).where(_c.campaign_id == bindparam("campaign_id"), _c.state == "held").limit(PAGE)
)
CHANGE = update(tables.contacts).where(_c.id == bindparam("of")).values(state=bindparam("new_state"))
RELEASE = CHANGE.values(due=bindparam("new_due"))
FIRST_DUE = (
    select(_c.due)
    .where(
        _c.campaign_id == bindparam("campaign_id"),
        _c.state == "due",
        _c.priority == bindparam("priority"),
    )
    .order_by(_c.due)
    .limit(1)
)


async def add(tx: Tx, campaign: str, rows: Sequence[NewContact], now: datetime) -> Added:
    """See Store.add_contacts."""
    row = await row_of(tx, campaign)
    # ids are taken first: their row's lock keeps two imports from finding the same key unknown
    first = await tx.take_ids("contact", len(rows))
    found = await tx.rows(
        KNOWN_KEYS[tx.postgresql], {"campaign_id": row.id, "keys": tx.listed([each.key for each in rows])}
    )
    known = {each.key for each in found}
    contacts: list[tuple[Any, ...]] = []
    numbers: list[tuple[str, int]] = []
    for each in rows:
        if each.key in known:
            continue
        known.add(each.key)
        id = first + len(contacts)
        contacts.append(
            (
                id,
                row.id,
                each.key,
                ContactState.DUE.value,
                ms(each.due),
                max(-PRIORITY, min(each.priority, PRIORITY)),
                " ".join(each.numbers),
                0,
                " ".join(each.zones),
                json_text(each.given),
                None if each.consent is None else consent_text(each.consent),
                each.language,
                ms(each.due) if each.asked else 0,
                0,
                "",
                each.line,
            )
        )
        numbers += [(tx.key(number), id) for number in dict.fromkeys(each.numbers)]
    if contacts:
        await _insert(tx, contacts, numbers)
        tx.count(row.id, "contacts", ContactState.DUE.value, len(contacts))
        tx.tell(row.id, Telling(ms(now), "imported", {"contacts": len(contacts), "first": first}))
        tx.wake()
    return Added(len(contacts), len(rows) - len(contacts))


async def _insert(tx: Tx, contacts: list[tuple[Any, ...]], numbers: list[tuple[str, int]]) -> None:
    """Past SQLAlchemy's handling of each row's values, which would cost more than the insertion."""
    if tx.postgresql:
        raw = await tx.connection.get_raw_connection()
        driver: Any = raw.driver_connection
        await driver.copy_records_to_table("contacts", records=contacts, columns=COLUMNS)
        await driver.copy_records_to_table(
            "contact_numbers", records=numbers, columns=("number_key", "contact_id")
        )
        return
    await tx.connection.exec_driver_sql(_INSERT, contacts)
    await tx.connection.exec_driver_sql(_INSERT_NUMBERS, numbers)


async def page(
    connection: AsyncConnection,
    campaign_id: int,
    campaign: str,
    state: ContactState | None,
    after_id: int,
    most: int,
) -> tuple[Contact, ...]:
    """See Store.contacts."""
    query = select(tables.contacts).where(_c.campaign_id == campaign_id, _c.id > after_id)
    if state is not None:
        query = query.where(_c.state == state.value)
    rows = await connection.execute(query.order_by(_c.id).limit(most))
    return tuple(contact_of(row, campaign) for row in rows)


async def one(connection: AsyncConnection, id: int) -> Contact | None:
    """See Store.contact."""
    row = (await connection.execute(ONE, {"id": id})).first()
    return None if row is None else contact_of(row, row.campaign)


async def next_due(connection: AsyncConnection, campaign_id: int) -> datetime | None:
    """See Store.next_due: the earliest of each priority's earliest."""
    levels = (await connection.execute(PRIORITIES, {"campaign_id": campaign_id})).all()
    first: list[int] = []
    for level in levels:
        values = {"campaign_id": campaign_id, "priority": level.priority}
        first += (await connection.execute(FIRST_DUE, values)).scalars().all()
    return aware(min(first)) if first else None


async def release_held(tx: Tx, campaign: str, keys: Sequence[str], now: datetime) -> int:
    """See Store.release_held; a page at a time."""
    row = await row_of(tx, campaign)
    at = ms(now)
    if keys:
        found = await tx.rows(SOME[tx.postgresql], {"campaign_id": row.id, "keys": tx.listed(keys)})
    else:
        found = await tx.rows(HELD, {"campaign_id": row.id})
    held = [each for each in found if each.state == ContactState.HELD and each.numbers]
    for each in held:
        key = tx.key(each.numbers.split()[0])
        tx.tell(row.id, Telling(at, "released", {"key": each.key}, "", each.id, key))
    if held:
        await tx.run(RELEASE, [{"of": each.id, "new_state": "due", "new_due": at} for each in held])
        tx.count(row.id, "contacts", "held", -len(held))
        tx.count(row.id, "contacts", "due", len(held))
        tx.wake()
    return len(held)


async def refuse(tx: Tx, campaign: str, keys: Sequence[str], why: str, now: datetime) -> int:
    """See Store.refuse."""
    await tx.gate()
    row = await row_of(tx, campaign)
    found = await tx.rows(SOME[tx.postgresql], {"campaign_id": row.id, "keys": tx.listed(keys)})
    taken = [each for each in found if each.state in (ContactState.DUE, ContactState.HELD)]
    for each in taken:
        key = tx.key(each.numbers.split()[0]) if each.numbers else ""
        payload = {"key": each.key, "why": why}
        tx.tell(row.id, Telling(ms(now), "refused", payload, "", each.id, key, "by hand"))
        tx.count(row.id, "contacts", each.state, -1)
        tx.count(row.id, "contacts", "refused", 1)
    if taken:
        await tx.run(CHANGE, [{"of": each.id, "new_state": "refused"} for each in taken])
        tx.wake()
    return len(taken)
