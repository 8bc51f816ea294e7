"""How attempts go on and end: what dialling and conversation came to, in whatever order one hears of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, bindparam, select, update

from voicebot.campaign.attempt import (
    NOT_DIALLED,
    AnsweredBy,
    AttemptState,
    CallResult,
    DialResult,
    Disposition,
)
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import ContactState
from voicebot.campaign.ledger import Telling
from voicebot.store import tables
from voicebot.store.claiming import LEASE_MS
from voicebot.store.database import among
from voicebot.store.forms import (
    call_result,
    call_text,
    contact_of,
    day_of,
    dial_result,
    dial_text,
    ms,
    plain,
)
from voicebot.store.lists import add_opt_out
from voicebot.store.rows import After, Closed
from voicebot.store.writing import Tx

HEARD_MS = 2_000
"""A person who answered and heard nothing of ours for so long was abandoned (16 CFR 310.4(b)(4))."""
PERSONS = frozenset((Disposition.ANSWERED, Disposition.ABANDONED, Disposition.OPTED_OUT))
"""Of these shares of abandoned calls are made."""

_a = tables.attempts.c
_WITH_CAMPAIGN = select(
    tables.attempts, tables.campaigns.c.name.label("campaign"), tables.campaigns.c.settings
).join(tables.campaigns, tables.campaigns.c.id == _a.campaign_id)
ONE = _WITH_CAMPAIGN.where(_a.id == bindparam("attempt"))
LOCKED = ONE.with_for_update(of=tables.attempts)
CONTACT = select(tables.contacts).where(tables.contacts.c.id == bindparam("contact")).with_for_update()
HAND = {
    postgres: update(tables.attempts)
    .where(among(_a.id, "ids", postgres), _a.state == "claimed")
    .values(state="handed", handed_at=bindparam("now"))
    for postgres in (False, True)
}
DIALLING = (
    update(tables.attempts)
    .where(_a.id == bindparam("attempt"), _a.state.in_(("claimed", "handed")))
    .values(state="dialling", dialling_at=bindparam("now"))
)
ANSWERED = (
    update(tables.attempts)
    .where(_a.id == bindparam("attempt"), _a.state.in_(("claimed", "handed", "dialling")))
    .values(state="answered", answered_at=bindparam("now"))
)
KEEP = (
    update(tables.attempts)
    .where(_a.id == bindparam("of"))
    .values(
        state=bindparam("new_state"),
        answered_at=bindparam("new_answered_at"),
        dial_result=bindparam("new_dial"),
        call_result=bindparam("new_call"),
        disposition=bindparam("new_disposition"),
        closed_at=bindparam("new_closed_at"),
        minutes=bindparam("new_minutes"),
    )
)
NEXT = (
    update(tables.contacts)
    .where(tables.contacts.c.id == bindparam("of"))
    .values(
        state=bindparam("new_state"),
        due=bindparam("new_due"),
        number_index=bindparam("new_index"),
        asked=bindparam("new_asked"),
        attempts=bindparam("new_attempts"),
        past=bindparam("new_past"),
    )
)
RENEW = (
    update(tables.attempts)
    .where(_a.dialler == bindparam("who"), _a.state != "closed")
    .values(lease_until=bindparam("until"))
)


def disposition_of(dial: DialResult | None, call: CallResult | None) -> Disposition | None:
    """Return what an attempt came to by what is known; None: that cannot be said yet.

    A conversation is the better witness: it counts whatever is said of the dialling.
    """
    if call is not None:
        if dial is None:
            return None
        if call.opted_out:
            return Disposition.OPTED_OUT
        if call.answered_by is AnsweredBy.MACHINE:
            return Disposition.MACHINE
        heard = call.first_audio_ms is not None and call.first_audio_ms <= HEARD_MS
        left = call.outcome == "hangup" and call.ended_at - call.answered_at < timedelta(
            milliseconds=HEARD_MS
        )
        return Disposition.ANSWERED if heard or left else Disposition.ABANDONED
    if dial is None or dial.disposition is Disposition.ANSWERED:
        return None
    return dial.disposition


def bare(dial: DialResult | None, call: CallResult | None) -> tuple[DialResult | None, CallResult | None]:
    """Return both without what is personal."""
    return (
        None if dial is None else replace(dial, detail=""),
        None if call is None else replace(call, slots={}, record="", detail="", call_back=None),
    )


async def handed(tx: Tx, attempts: Sequence[str], now: datetime) -> None:
    await tx.run(HAND[tx.postgresql], {"ids": tx.listed(attempts), "now": ms(now)})


async def dialling(tx: Tx, attempt: str, at: datetime) -> None:
    await tx.run(DIALLING, {"attempt": attempt, "now": ms(at)})


async def answered(tx: Tx, attempt: str, at: datetime) -> None:
    await tx.run(ANSWERED, {"attempt": attempt, "now": ms(at)})


async def renew_leases(tx: Tx, dialler: str, now: datetime) -> int:
    return await tx.run(RENEW, {"who": dialler, "until": ms(now) + LEASE_MS})


async def close_dial(tx: Tx, after: After, result: DialResult, now: datetime) -> Closed:
    """See Store.close_dial."""
    row = await tx.row(LOCKED, {"attempt": result.attempt})
    if row is None or row.state == AttemptState.CLOSED or row.dial_result is not None:
        return _as_it_is(result.attempt, row)
    return await _go_on(tx, after, row, result, call_result(row.call_result), None, now)


async def finish_call(tx: Tx, after: After, result: CallResult, now: datetime) -> Closed:
    """See Store.finish_call."""
    row = await tx.row(LOCKED, {"attempt": result.attempt})
    if row is None or row.call_result is not None:
        return _as_it_is(result.attempt, row)
    if row.state == AttemptState.CLOSED:
        text = call_text(result) if row.number else None
        payload = {"call_result": text}
        tx.tell(row.campaign_id, Telling(ms(now), "late", payload, row.id, row.contact_id, row.number_key))
        await tx.run(
            update(tables.attempts).where(_a.id == bindparam("of")).values(call_result=bindparam("new")),
            {"of": row.id, "new": text},
        )
        if result.opted_out:
            at = ms(now)
            await add_opt_out(tx, row.number_key, "in the call", at, row.id, row.contact_id, row.campaign_id)
        return _as_it_is(result.attempt, row)
    return await _go_on(tx, after, row, dial_result(row.dial_result), result, None, now)


async def give_up(
    tx: Tx,
    after: After,
    attempt: str,
    disposition: Disposition,
    now: datetime,
    why: str,
    at: datetime | None = None,
) -> Closed:
    """See Store.give_up."""
    row = await tx.row(LOCKED, {"attempt": attempt})
    if row is None or row.state == AttemptState.CLOSED:
        return _as_it_is(attempt, row)
    dial, call = dial_result(row.dial_result), call_result(row.call_result)
    if call is not None and dial is None:
        dial = DialResult(attempt, Disposition.ANSWERED, now, detail=why)
    elif dial is None:
        dial = DialResult(attempt, disposition, at or now, detail=why)
    return await _go_on(tx, after, row, dial, call, disposition, now)


def _as_it_is(attempt: str, row: Row[Any] | None) -> Closed:
    if row is None:
        return Closed(attempt, known=False)
    closed = row.state == AttemptState.CLOSED
    return Closed(attempt, closed=closed, disposition=Disposition(row.disposition) if closed else None)


async def _go_on(
    tx: Tx,
    after: After,
    row: Row[Any],
    dial: DialResult | None,
    call: CallResult | None,
    otherwise: Disposition | None,
    now: datetime,
) -> Closed:
    """Keep what is known of an open attempt, and close it if that is enough; `otherwise` is enough."""
    disposition = disposition_of(dial, call) or otherwise
    answered_at = row.answered_at if call is None else ms(call.answered_at)
    if disposition is None and call is None:
        state = row.state
    elif disposition is None:
        state = AttemptState.ANSWERED.value
    else:
        state = AttemptState.CLOSED.value
    minutes = 0 if disposition is None else _minutes(answered_at, dial, call)
    erased = not row.number
    if erased:  # what is told of them now is forgotten, too
        dial, call = bare(dial, call)
    kept = {
        "of": row.id,
        "new_state": state,
        "new_answered_at": answered_at,
        "new_dial": None if dial is None else dial_text(dial),
        "new_call": None if call is None else call_text(call),
        "new_disposition": disposition,
        "new_closed_at": None if disposition is None else ms(now),
        "new_minutes": minutes,
    }
    await tx.run(KEEP, kept)
    if disposition is None:
        return Closed(row.id)
    _count(tx, row, disposition, call, answered_at, minutes, ms(now))
    closed = await _settle_contact(tx, after, row, disposition, call, now)
    payload = {
        "disposition": disposition.value,
        "claimed_at": row.claimed_at,
        "handed_at": row.handed_at,
        "dialling_at": row.dialling_at,
        "answered_at": answered_at,
        "closed_at": ms(now),
        "minutes": minutes,
        "dial_result": kept["new_dial"],
        "call_result": kept["new_call"],
        "contact": None if closed.contact is None else closed.contact.value,
        "due": plain(closed.due),
    }
    shown = None if erased else payload
    telling = Telling(ms(now), "closed", shown, row.id, row.contact_id, row.number_key, disposition.value)
    tx.tell(row.campaign_id, telling)
    return closed


def _minutes(answered_at: int | None, dial: DialResult | None, call: CallResult | None) -> int:
    """Return the call's minutes, begun ones rounded up."""
    if answered_at is None:
        return 0
    end = ms(call.ended_at) if call is not None else ms(dial.at) if dial is not None else answered_at
    return max(0, end - answered_at) // 60_000 + 1


def _count(
    tx: Tx,
    row: Row[Any],
    disposition: Disposition,
    call: CallResult | None,
    answered_at: int | None,
    minutes: int,
    now: int,
) -> None:
    id, called, today = row.campaign_id, row.claimed_at, day_of(now)
    tx.count(id, "dispositions", disposition.value)
    if disposition in NOT_DIALLED:
        for campaign_id in (0, id):
            tx.count(campaign_id, "calls", day_of(called), -1)
        tx.count(id, "calls_by_hour", _hour(called), -1)
        return
    for campaign_id in (0, id):
        tx.count(campaign_id, "minutes", today, minutes)
    if answered_at is not None:
        tx.count(id, "answered_by_hour", _hour(called))
    if disposition in PERSONS:
        tx.count(id, "persons", today)
    if disposition is Disposition.ABANDONED:
        tx.count(id, "abandoned", today)
    if call is not None:
        tx.count(id, "outcomes", call.outcome)
        tx.count(id, "goals", "", int(call.goal))


def _hour(at: int) -> str:
    return f"{at // 3_600_000 % 24:02}"


async def _settle_contact(
    tx: Tx,
    after: After,
    row: Row[Any],
    disposition: Disposition,
    call: CallResult | None,
    now: datetime,
) -> Closed:
    """Say what becomes of the contact: called again, held, or done."""
    contact_row = await tx.row(CONTACT, {"contact": row.contact_id})
    if contact_row is None:
        return Closed(row.id, closed=True, fresh=True, disposition=disposition)
    dialled = disposition not in NOT_DIALLED
    past = [*contact_row.past.split(), *([disposition.value] if dialled else [])]
    attempts = contact_row.attempts + dialled
    values = {
        "of": row.contact_id,
        "new_state": contact_row.state,
        "new_due": contact_row.due,
        "new_index": contact_row.number_index,
        "new_asked": contact_row.asked,
        "new_attempts": attempts,
        "new_past": " ".join(past),
    }
    if contact_row.state == ContactState.BUSY:
        following = after(
            Campaign.model_validate_json(row.settings),
            replace(contact_of(contact_row, row.campaign), attempts=attempts),
            row.number,
            disposition,
            None if call is None else call.call_back,
            now,
            tuple(map(Disposition, past)),
        )
        state, due, index = following.state, following.due, following.number_index
        if disposition is Disposition.INTERRUPTED:
            state = ContactState.HELD  # whatever retries say: never dialled again by itself
        if due is None:
            due = now if state is ContactState.DUE else None
        values["new_state"] = state.value
        values["new_due"] = contact_row.due if due is None else ms(due)
        values["new_index"] = max(0, min(index, contact_row.numbers.count(" ")))
        values["new_asked"] = ms(following.asked) if following.asked else 0
        tx.count(row.campaign_id, "contacts", "busy", -1)
        tx.count(row.campaign_id, "contacts", state.value)
        if state is ContactState.DUE:
            tx.wake()
    else:  # it was erased meanwhile
        state, due = ContactState(contact_row.state), None
    await tx.run(NEXT, values)
    if disposition is Disposition.OPTED_OUT and row.number:
        await add_opt_out(tx, row.number_key, "in the call", ms(now), row.id, row.contact_id, row.campaign_id)
    return Closed(row.id, True, True, True, disposition, state, due if state is ContactState.DUE else None)
