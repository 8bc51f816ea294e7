"""Checks a chain of the ledger, and campaign and attempts against what it tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.ledger import Chain, Entry
from voicebot.store import tables
from voicebot.store.campaigns import find_row
from voicebot.store.claiming import CLAIMED
from voicebot.store.database import Database, among, listed
from voicebot.store.rows import Anchor, Audit

PAGE = 2000
LONG_S = 3600.0
SHOWN = 100
"""Problems that are told; of more, only how many."""
CLOSED = (
    "disposition",
    "claimed_at",
    "handed_at",
    "dialling_at",
    "answered_at",
    "closed_at",
    "minutes",
    "dial_result",
    "call_result",
)
"""Columns of an attempt that its last entry holds."""
LATE = ("call_result",)
"""A result that came when the attempt was closed without it has an entry of its own."""

_l = tables.ledger.c
_a = tables.attempts.c
ENTRIES = (
    select(tables.ledger)
    .where(_l.campaign_id == bindparam("campaign_id"), _l.seq > bindparam("seq"))
    .order_by(_l.seq)
    .limit(PAGE)
)
OF = {postgres: select(tables.attempts).where(among(_a.id, "ids", postgres)) for postgres in (False, True)}


async def audit(connection: AsyncConnection, database: Database, name: str, anchor: Anchor | None) -> Audit:
    """See Store.audit. All is read as of one moment."""
    campaign = await find_row(connection, name) if name else None
    campaign_id = 0 if campaign is None else campaign.id
    checking = _Checking(name)
    while True:
        values = {"campaign_id": campaign_id, "seq": checking.chain.seq}
        rows = (await connection.execute(ENTRIES, values)).all()
        ids = list({row.attempt for row in rows if row.attempt})
        found = await connection.execute(OF[database.postgresql], {"ids": listed(ids, database.postgresql)})
        attempts = {row.id: row for row in found}
        for row in rows:
            checking.follow(row, attempts.get(row.attempt))
            if anchor is not None and row.seq == anchor.seq and row.hash != anchor.hash:
                checking.tell(f"entry {row.seq} is not the one that the anchor was taken of")
        if len(rows) < PAGE:
            break
    chain = checking.chain
    if anchor is not None and anchor.seq > chain.seq:
        checking.tell(f"the chain ends at entry {chain.seq}, but the anchor was taken of entry {anchor.seq}")
    heads = tables.ledger_heads
    head = (await connection.execute(select(heads).where(heads.c.campaign_id == campaign_id))).first()
    if head is None or (head.seq, head.hash) != (chain.seq, chain.head):
        checking.tell(
            "the chain's head does not fit its last entry: entries are missing at the end, or were added"
        )
    counted = select(func.count().label("all"), func.count(_a.closed_at).label("closed")).where(
        _a.campaign_id == campaign_id
    )
    count = (await connection.execute(counted)).one()
    if count.all != checking.claimed:
        checking.tell(f"there are {count.all} attempts, but the ledger tells of {checking.claimed}")
    if count.closed != checking.closed:
        checking.tell(f"{count.closed} attempts are closed, but the ledger tells of {checking.closed}")
    await _erasures(connection, database, campaign_id, checking)
    if campaign is not None:
        checking.campaign(campaign)
    return Audit(
        name,
        checking.entries,
        count.all,
        chain.erased,
        Anchor(name, chain.seq, chain.head),
        checking.told(),
    )


async def _erasures(
    connection: AsyncConnection, database: Database, campaign_id: int, checking: _Checking
) -> None:
    """Payloads may be missing only of those for whom an erasure was told."""
    if not checking.lost:
        return
    query = select(_l.number_key, _l.contact).where(_l.kind == "erased", _l.campaign_id.in_((0, campaign_id)))
    keys, contacts = set(), set()
    for row in await connection.execute(query):
        keys.add(row.number_key)
        contacts.add(row.contact)
    for seq, key, contact in checking.lost:
        if key not in keys and (contact is None or contact not in contacts):
            checking.tell(f"entry {seq} has lost its payload, but nobody erased it")


class _Checking:
    """What is found out on the way through a chain."""

    def __init__(self, name: str) -> None:
        self.chain = Chain(name)
        self.entries = self.claimed = self.closed = 0
        self.lost: list[tuple[int, str, int | None]] = []
        self._problems: list[str] = []
        self._more = 0
        self._settings: dict[str, Any] | None = None
        self._state: str | None = None
        self._why: str = ""

    def tell(self, problem: str) -> None:
        if len(self._problems) < SHOWN:
            self._problems.append(problem)
        else:
            self._more += 1

    def told(self) -> tuple[str, ...]:
        more = (f"and {self._more} more",) if self._more else ()
        return (*self._problems, *more)

    def follow(self, row: Row[Any], attempt: Row[Any] | None) -> None:
        """Check one entry."""
        entry = Entry(**{name: getattr(row, name) for name in Entry.__slots__})
        for problem in self.chain.follow(entry):
            self.tell(problem)
        self.entries += 1
        if row.payload is None and row.digest:
            self.lost.append((row.seq, row.number_key, row.contact))
        try:
            payload = None if row.payload is None else json.loads(row.payload)
        except ValueError:
            return  # its digest does not fit either
        if row.kind == "settings" and payload:
            self._settings = payload
        elif row.kind == "state" and payload:
            self._state, self._why = payload["state"], payload["why"]
        elif row.kind in ("claimed", "closed"):
            for problem in self._attempt(row, payload, attempt):
                self.tell(f"attempt {row.attempt}: {problem}")

    def _attempt(
        self, entry: Row[Any], payload: dict[str, Any] | None, attempt: Row[Any] | None
    ) -> Iterator[str]:
        """Say what in an attempt's row is not as its entry tells it."""
        if entry.kind == "claimed":
            self.claimed += 1
        else:
            self.closed += 1
        if attempt is None:
            yield f"its row is missing (entry {entry.seq})"
            return
        ours: dict[str, Any] = {
            "number_key": entry.number_key,
            "contact_id": entry.contact,
            "campaign_id": entry.campaign_id,
        }
        columns: Sequence[str] = ()
        if entry.kind == "claimed":
            ours |= {"claimed_at": entry.at}
            columns = CLAIMED
        else:
            ours |= {"state": "closed", "disposition": entry.rule, "closed_at": entry.at}
            columns = CLOSED
        if payload is not None:
            ours |= {
                name: payload.get(name)
                for name in columns
                if not (name in LATE and payload.get(name) is None)
            }
        for name, value in ours.items():
            if getattr(attempt, name) != value:
                yield f"`{name}` was changed after entry {entry.seq}"
        if entry.kind == "claimed" and (attempt.state == "closed") != (attempt.closed_at is not None):
            yield "`state` was changed"
        if attempt.closed_at is None and (attempt.minutes or attempt.disposition is not None):
            yield "it is open, but has an end"

    def campaign(self, row: Row[Any]) -> None:
        """Check a campaign's row."""
        told = self._settings
        if told is None:
            self.tell("the campaign's settings are not in the ledger")
        else:
            for name in ("settings", "folder", "proof"):
                if getattr(row, name) != told[name]:
                    self.tell(f"the campaign's `{name}` was changed behind the ledger's back")
        if row.state != (self._state or "draft") or row.why != self._why:
            self.tell("the campaign's state was changed behind the ledger's back")
