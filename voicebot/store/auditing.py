"""Checks a chain of the ledger, and campaign and attempts against what it tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.ledger import Chain, Entry, number_key
from voicebot.store import tables
from voicebot.store.campaigns import find_row
from voicebot.store.claiming import CLAIMED
from voicebot.store.database import Database, among, listed
from voicebot.store.histories import OPT_OUTS
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
_d = tables.dnc_numbers.c
OPTED_OUT = {
    postgres: select(_d.number_key).where(_d.list == OPT_OUTS, among(_d.number_key, "keys", postgres))
    for postgres in (False, True)
}
WITHDRAWN = {
    postgres: select(_l.number_key, _l.at).where(
        _l.campaign_id == 0, _l.kind == "opt_out_withdrawn", among(_l.number_key, "keys", postgres)
    )
    for postgres in (False, True)
}
LISTED = select(func.count()).select_from(tables.dnc_numbers).where(_d.list == bindparam("of"))
OF = {postgres: select(tables.attempts).where(among(_a.id, "ids", postgres)) for postgres in (False, True)}


async def audit(connection: AsyncConnection, database: Database, name: str, anchor: Anchor | None) -> Audit:
    """See Store.audit. All is read as of one moment."""
    campaign = await find_row(connection, name) if name else None
    campaign_id = 0 if campaign is None else campaign.id
    checking = _Checking(name, database.secret)
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
    await _opt_outs(connection, database, checking)
    await _lists(connection, checking)
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


async def _opt_outs(connection: AsyncConnection, database: Database, checking: _Checking) -> None:
    """Who opted out is on our list, unless they took it back later."""
    told = list(checking.opted_out)
    for start in range(0, len(told), PAGE):
        values = {"keys": listed(told[start : start + PAGE], database.postgresql)}
        kept = {row.number_key for row in await connection.execute(OPTED_OUT[database.postgresql], values)}
        gone = set(told[start : start + PAGE]) - kept
        if not gone:
            continue
        withdrawn: dict[str, int] = {}
        values = {"keys": listed(sorted(gone), database.postgresql)}
        for row in await connection.execute(WITHDRAWN[database.postgresql], values):
            withdrawn[row.number_key] = max(row.at, withdrawn.get(row.number_key, 0))
        for key in sorted(gone, key=lambda key: checking.opted_out[key]):
            seq, at = checking.opted_out[key]
            if withdrawn.get(key, -1) < at:
                checking.tell(f"who opted out in entry {seq} is not on our list any more")


async def _lists(connection: AsyncConnection, checking: _Checking) -> None:
    """Do-not-call lists are as old, and as long, as their imports say."""
    if not checking.lists:
        return
    rows = {row.name: row for row in await connection.execute(select(tables.dnc_lists))}
    for name, (at, max_age_days, numbers) in checking.lists.items():
        row = rows.get(name)
        if row is None or (row.imported_at, row.max_age_days) != (at, max_age_days):
            checking.tell(f"the do-not-call list `{name}` is not of the day that its last import tells")
        if (await connection.execute(LISTED, {"of": name})).scalar_one() < numbers:
            checking.tell(f"numbers are missing from the do-not-call list `{name}`")


class _Checking:
    """What is found out on the way through a chain."""

    def __init__(self, name: str, secret: bytes) -> None:
        self.chain = Chain(name)
        self.opted_out: dict[str, tuple[int, int]] = {}
        self.lists: dict[str, tuple[int, int | None, int]] = {}
        self._secret: bytes | None = secret
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
        elif row.kind == "opt_out":
            self.opted_out[row.number_key] = (row.seq, row.at)
        elif row.kind == "list" and payload:
            before = self.lists.get(payload["list"], (0, None, 0))[2]
            numbers = before + payload["new"] - payload["removed"]
            self.lists[payload["list"]] = (row.at, payload["max_age_days"], numbers)
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
        secret, number = self._secret, attempt.number
        if secret is not None and number and number_key(secret, number) != attempt.number_key:
            self._secret = None  # once is enough
            yield "its number has another key: opt-outs and lists are not found by number any more"
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
