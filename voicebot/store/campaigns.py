"""Campaigns in the store: their settings, states, and who looks after calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Executable, Row, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.attempt import AttemptState
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.ledger import Telling, genesis
from voicebot.campaign.single import is_single
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.errors import UserError
from voicebot.store import tables
from voicebot.store.forms import aware, campaign_of, ms, plain, settings_text
from voicebot.store.rows import Anchor, CampaignRow, CampaignState, Dialler, Gateway
from voicebot.store.writing import HEAD, Tx

FRESH_MS = 15_000
"""A gateway or dialler whose last word is older counts as dead."""
BY_NAME = select(tables.campaigns).where(tables.campaigns.c.name == bindparam("name"))
ALL = select(tables.campaigns).order_by(tables.campaigns.c.id)
NAMES = select(tables.campaigns.c.id, tables.campaigns.c.name).order_by(tables.campaigns.c.id)
ADD = tables.campaigns.insert()
ADD_HEAD = tables.ledger_heads.insert()
SET = update(tables.campaigns).where(tables.campaigns.c.id == bindparam("of"))
SET_STATE = SET.values(state=bindparam("new_state"), why=bindparam("new_why"), changed_at=bindparam("now"))
SET_PROOF = SET.values(proof=bindparam("new_proof"), changed_at=bindparam("now"))
SET_SETTINGS = SET.values(
    settings=bindparam("new_settings"), folder=bindparam("new_folder"), changed_at=bindparam("now")
)
_OPEN = select(tables.attempts.c.id).where(
    tables.attempts.c.campaign_id == bindparam("campaign_id"),
    tables.attempts.c.state != AttemptState.CLOSED.value,
)
_DUE = select(tables.contacts.c.id).where(
    tables.contacts.c.campaign_id == bindparam("campaign_id"), tables.contacts.c.state == "due"
)
LEFT = select(or_(_OPEN.exists(), _DUE.exists()).label("left"))
"""Whether somebody is called now, or will be. One statement: who is neither in between is not missed."""
UNANSWERED = (
    select(func.count())
    .select_from(tables.attempts)
    .where(tables.attempts.c.state.in_(("claimed", "handed", "dialling")))
    .where(tables.attempts.c.state != AttemptState.CLOSED.value)  # as the partial index has it
)

OUR_KINDS = frozenset(
    ("settings", "state", "claimed", "closed", "late", "refused", "deferred", "halted", "erased", "opt_out")
)


def _replacing(table: Any, *columns: str) -> dict[bool, Executable]:
    """A row that replaces the one of its name."""
    statements: dict[bool, Executable] = {}
    for postgres, dialect in ((True, postgresql), (False, sqlite)):
        insert = dialect.insert(table)
        values = {name: insert.excluded[name] for name in columns}
        statements[postgres] = insert.on_conflict_do_update(index_elements=["name"], set_=values)
    return statements


BEAT_GATEWAY = _replacing(tables.gateways, "seen_at", "capacity", "calls")
BEAT_DIALLER = _replacing(tables.diallers, "seen_at", "detail")


def no_such(name: str, names: Sequence[str]) -> UserError:
    several = [each for each in names if not is_single(each)] or names
    known = near_or_all(name, several) if names else "there is none yet: voicebot campaign create"
    return UserError(f"there is no campaign `{name}`", known)


async def row_of(tx: Tx, name: str) -> Row[Any]:
    """Return a campaign's row. Raises UserError."""
    row = await tx.row(BY_NAME, {"name": name})
    if row is None:
        raise no_such(name, [each.name for each in await tx.rows(NAMES)])
    return row


async def find_row(connection: AsyncConnection, name: str) -> Row[Any]:
    """Return a campaign's row. Raises UserError."""
    row = (await connection.execute(BY_NAME, {"name": name})).first()
    if row is None:
        raise no_such(name, [each.name for each in (await connection.execute(NAMES)).all()])
    return row


async def find(connection: AsyncConnection, name: str) -> CampaignRow:
    """Return a campaign. Raises UserError."""
    return campaign_of(await find_row(connection, name))


async def find_all(connection: AsyncConnection, states: Sequence[CampaignState]) -> tuple[CampaignRow, ...]:
    found = (campaign_of(row) for row in (await connection.execute(ALL)).all())
    return tuple(row for row in found if not states or row.state in states)


async def create(tx: Tx, campaign: Campaign, folder: str, proof: str, now: datetime) -> CampaignRow:
    """See Store.create_campaign."""
    await tx.gate()
    text, at, name = settings_text(campaign), ms(now), campaign.campaign
    row = await tx.row(BY_NAME, {"name": name})
    told = Telling(at, "settings", {"settings": text, "folder": folder, "proof": proof})
    if row is None:
        id = await tx.take_ids("campaign", 1)
        await tx.run(
            ADD,
            {
                "id": id,
                "name": name,
                "settings": text,
                "folder": folder,
                "state": CampaignState.DRAFT.value,
                "why": "",
                "proof": proof,
                "created_at": at,
                "changed_at": at,
            },
        )
        await tx.run(ADD_HEAD, {"campaign_id": id, "seq": 0, "hash": genesis(name)})
        tx.tell(id, told)
    elif row.settings != text or row.folder != folder:
        if row.state != CampaignState.DRAFT:
            raise UserError(
                f"campaign `{name}` has begun with other settings",
                "give the file another name under `campaign`, or stop it first and begin a new one",
            )
        await tx.run(SET_SETTINGS, {"of": row.id, "new_settings": text, "new_folder": folder, "now": at})
        await tx.run(SET_PROOF, {"of": row.id, "new_proof": proof, "now": at})
        tx.tell(row.id, told)
    elif proof and row.proof != proof:
        await tx.run(SET_PROOF, {"of": row.id, "new_proof": proof, "now": at})
        tx.tell(row.id, told)
    tx.wake()
    return campaign_of(await row_of(tx, name))


async def set_state(
    tx: Tx, name: str, state: CampaignState, why: str, now: datetime, was: CampaignState | None = None
) -> CampaignRow:
    """See Store.set_state."""
    await tx.gate()
    row = await row_of(tx, name)
    if was is not None and row.state != was.value:
        return campaign_of(row)
    if state is CampaignState.DONE and (await tx.rows(LEFT, {"campaign_id": row.id}))[0].left:
        return campaign_of(row)
    if (row.state, row.why) != (state.value, why):
        await change_state(tx, row.id, row.state, state, why, ms(now))
        row = await row_of(tx, name)
    return campaign_of(row)


async def change_state(tx: Tx, id: int, was: str, state: CampaignState, why: str, at: int) -> None:
    """Change a campaign's state, tell it, and wake diallers."""
    await tx.run(SET_STATE, {"of": id, "new_state": state.value, "new_why": why, "now": at})
    tx.tell(id, Telling(at, "state", {"was": str(was), "state": state.value, "why": why}))
    tx.wake()


async def set_proof(tx: Tx, name: str, proof: str, now: datetime) -> None:
    """See Store.set_proof."""
    row = await row_of(tx, name)
    if row.proof != proof:
        await tx.run(SET_PROOF, {"of": row.id, "new_proof": proof, "now": ms(now)})
        tx.tell(
            row.id,
            Telling(ms(now), "settings", {"settings": row.settings, "folder": row.folder, "proof": proof}),
        )


async def gateway_alive(tx: Tx, name: str, capacity: int, calls: int, now: datetime) -> None:
    values = {"name": name, "seen_at": ms(now), "capacity": capacity, "calls": calls}
    await tx.run(BEAT_GATEWAY[tx.postgresql], values)


async def dialler_alive(tx: Tx, name: str, detail: str, now: datetime) -> None:
    await tx.run(BEAT_DIALLER[tx.postgresql], {"name": name, "seen_at": ms(now), "detail": detail})


async def gateways(connection: AsyncConnection, now: int) -> tuple[Gateway, ...]:
    rows = await connection.execute(select(tables.gateways).where(_fresh(tables.gateways.c.seen_at, now)))
    return tuple(Gateway(row.name, aware(row.seen_at), row.capacity, row.calls) for row in rows)


async def diallers(connection: AsyncConnection, now: int) -> tuple[Dialler, ...]:
    rows = await connection.execute(select(tables.diallers).where(_fresh(tables.diallers.c.seen_at, now)))
    return tuple(Dialler(row.name, aware(row.seen_at), row.detail) for row in rows)


def _fresh(seen_at: ColumnElement[int], now: int) -> ColumnElement[bool]:
    """Not from the future either: once a clock was set back, the dead would live for long."""
    return seen_at.between(now - FRESH_MS, now + FRESH_MS)


async def room(connection: AsyncConnection, now: int) -> int:
    """Free places of living gateways, less the calls that may be answered any moment."""
    free = sum(max(0, each.capacity - each.calls) for each in await gateways(connection, now))
    ringing = (await connection.execute(UNANSWERED)).scalar_one()
    return max(0, free - int(ringing))


async def note(tx: Tx, name: str, kind: str, payload: Mapping[str, Any], now: datetime) -> int:
    """See Store.note."""
    if kind in OUR_KINDS:
        raise ValueError(f"entries of kind {kind} are the store's own")
    id = (await row_of(tx, name)).id if name else 0
    head = await tx.row(HEAD, {"campaign_id": id})
    ahead = sum(1 for campaign_id, _ in tx.tellings if campaign_id == id)
    tx.tell(id, Telling(ms(now), kind, plain(payload)))
    return 0 if head is None else int(head.seq) + ahead + 1


async def heads(connection: AsyncConnection) -> tuple[Anchor, ...]:
    """See Store.heads."""
    names = {row.id: row.name for row in await connection.execute(NAMES)}
    rows = await connection.execute(select(tables.ledger_heads).order_by(tables.ledger_heads.c.campaign_id))
    return tuple(Anchor(names.get(row.campaign_id, ""), row.seq, row.hash) for row in rows)
