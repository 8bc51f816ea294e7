"""Forgetting a person: what is personal goes, what proves that the rules were kept stays."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import bindparam, delete, or_, select, update

from voicebot.campaign.contact import ContactState
from voicebot.campaign.ledger import Telling
from voicebot.store import tables
from voicebot.store.closing import bare
from voicebot.store.database import among
from voicebot.store.forms import call_result, call_text, dial_result, dial_text, ms
from voicebot.store.lists import add_opt_out
from voicebot.store.looking import CONTACTS_WITH
from voicebot.store.rows import Erased
from voicebot.store.writing import Tx

_c = tables.contacts.c
_a = tables.attempts.c
_l = tables.ledger.c
_n = tables.contact_numbers.c

FORGET_CONTACTS = {
    postgres: update(tables.contacts)
    .where(among(_c.id, "ids", postgres))
    .values(numbers="", zones="", given="{}", consent=None, language="", line=None)
    for postgres in (False, True)
}
REFUSED = update(tables.contacts).where(_c.id == bindparam("of"))
FORGET_ATTEMPTS = {
    postgres: update(tables.attempts)
    .where(among(_a.number_key, "keys", postgres))
    .where(or_(_a.number_key == bindparam("key"), among(_a.contact_id, "ids", postgres)))
    .values(number="", dial="", dial_result=None, call_result=None)
    for postgres in (False, True)
}
OPEN = {
    postgres: select(_a.id, _a.dial_result, _a.call_result)
    .where(among(_a.number_key, "keys", postgres))
    .where(or_(_a.number_key == bindparam("key"), among(_a.contact_id, "ids", postgres)))
    .where(_a.state != "closed")
    for postgres in (False, True)
}
KEEP_HALVES = (
    update(tables.attempts)
    .where(_a.id == bindparam("of"))
    .values(dial_result=bindparam("new_dial"), call_result=bindparam("new_call"))
)
FORGET_ENTRIES = {
    postgres: update(tables.ledger)
    .where(
        among(_l.number_key, "keys", postgres),
        _l.number_key != "",
        or_(_l.number_key == bindparam("key"), among(_l.contact, "ids", postgres)),
        _l.payload.is_not(None),
    )
    .values(payload=None, salt=None)
    for postgres in (False, True)
}
FORGET_NUMBERS = delete(tables.contact_numbers).where(
    _n.number_key == bindparam("key"), _n.contact_id == bindparam("of")
)


async def erase(tx: Tx, number: str, now: datetime) -> Erased:
    """See Store.erase."""
    await tx.gate()
    at, key = ms(now), tx.key(number)
    contacts = await tx.rows(CONTACTS_WITH[tx.postgresql], {"keys": tx.listed([key])})
    ids = [row.id for row in contacts]
    keys = [key, *{tx.key(each) for row in contacts for each in row.numbers.split()} - {key}]
    forgotten = {"keys": tx.listed(keys), "ids": tx.listed(ids), "key": key}
    open_ = await tx.rows(OPEN[tx.postgresql], forgotten)
    await add_opt_out(tx, key, "erased", at)
    attempts = await tx.run(FORGET_ATTEMPTS[tx.postgresql], forgotten)
    for row in open_:  # one half of its end may be known, and must be when the other comes
        dial, call = bare(dial_result(row.dial_result), call_result(row.call_result))
        kept = {
            "of": row.id,
            "new_dial": None if dial is None else dial_text(dial),
            "new_call": None if call is None else call_text(call),
        }
        await tx.run(KEEP_HALVES, kept)
    entries = await tx.run(FORGET_ENTRIES[tx.postgresql], forgotten)
    if ids:
        await tx.run(FORGET_CONTACTS[tx.postgresql], {"ids": tx.listed(ids)})
        each_number = [
            {"key": tx.key(each), "of": row.id} for row in contacts for each in row.numbers.split()
        ]
        if each_number:
            await tx.run(FORGET_NUMBERS, each_number)
    for row in contacts:
        rename = REFUSED.values(key=f"erased {row.id}", state=ContactState.REFUSED.value)
        await tx.run(rename, {"of": row.id})
        tx.count(row.campaign_id, "contacts", row.state, -1)
        tx.count(row.campaign_id, "contacts", ContactState.REFUSED.value)
        tx.tell(row.campaign_id, Telling(at, "erased", None, "", row.id, key))
    tx.tell(0, Telling(at, "erased", None, "", None, key))
    return Erased(len(contacts), attempts, entries, tuple(row.id for row in open_))
