"""Transactions that write: many callers' changes in one, committed together (group commit).

A process has one writer. What waits for it while it commits goes into its next transaction, so that a disk
that takes 5 ms to sync does not limit a process to 200 changes a second. Order of locks, the same in every
process, so that they do not wait for each other in a circle: the row `all` of `limits` (`gated` changes go
first), contacts and attempts, then, at the end of the transaction, counters and the heads of the ledger.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from sqlalchemy import CursorResult, Executable, Row, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import Insert

from voicebot.campaign.ledger import Telling, link
from voicebot.campaign.ledger import number_key as key_of
from voicebot.errors import VoicebotError
from voicebot.store import tables
from voicebot.store.database import Database, is_conflict, is_disconnect, is_unavailable, listed, unavailable
from voicebot.store.errors import StoreUnavailable

T = TypeVar("T")

GROUP = 256
"""Changes in one transaction at the most."""
TRIES = 4
"""So often a transaction is done that conflicts with another process's."""
CHANNEL = "voicebot_changes"
SALT_BYTES = 16


def _upsert(table: Any, postgres: bool) -> Any:
    return postgresql.insert(table) if postgres else sqlite.insert(table)


def _counting(postgres: bool) -> Insert:
    insert = _upsert(tables.counters, postgres)
    return cast(
        Insert,
        insert.on_conflict_do_update(
            index_elements=["campaign_id", "kind", "name"],
            set_={"n": tables.counters.c.n + insert.excluded.n},
        ),
    )


COUNT = {postgres: _counting(postgres) for postgres in (False, True)}
TELL = tables.ledger.insert()
HEAD = (
    select(tables.ledger_heads.c.seq, tables.ledger_heads.c.hash)
    .where(tables.ledger_heads.c.campaign_id == bindparam("campaign_id"))
    .with_for_update()
)
MOVE_HEAD = (
    update(tables.ledger_heads)
    .where(tables.ledger_heads.c.campaign_id == bindparam("of"))
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)
WAKE = update(tables.meta).where(tables.meta.c.name == "changes").values(n=tables.meta.c.n + 1)
GATE = (
    select(tables.limits.c.tokens, tables.limits.c.at).where(tables.limits.c.name == "all").with_for_update()
)


class Tx:
    """A transaction under way. What is counted and told goes into the database at its end."""

    def __init__(self, connection: AsyncConnection, database: Database) -> None:
        self.connection = connection
        self.database = database
        self.postgresql = database.postgresql
        self.counts: list[tuple[int, str, str, int]] = []
        self.tellings: list[tuple[int, Telling]] = []
        self.wakes = False

    def key(self, number: str) -> str:
        """Return a number's key."""
        return key_of(self.database.secret, number)

    def listed(self, values: Iterable[int] | Iterable[str]) -> list[Any] | str:
        """Return values for `among`."""
        return listed(values, self.postgresql)

    async def run(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> int:
        """Execute; return how many rows it changed (-1: not known, of many at once)."""
        result = cast(CursorResult[Any], await self.connection.execute(statement, values))
        return result.rowcount

    async def rows(
        self, statement: Executable, values: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return all rows of a query."""
        return (await self.connection.execute(statement, values)).all()

    async def row(self, statement: Executable, values: Mapping[str, Any] | None = None) -> Row[Any] | None:
        """Return the first row of a query."""
        return (await self.connection.execute(statement, values)).first()

    def count(self, campaign_id: int, kind: str, name: str, n: int = 1) -> None:
        """Add to a counter of a campaign (0: of all)."""
        if n:
            self.counts.append((campaign_id, kind, name, n))

    def tell(self, campaign_id: int, telling: Telling) -> None:
        """Append to a campaign's chain (0: to the one of what concerns none)."""
        self.tellings.append((campaign_id, telling))

    def wake(self) -> None:
        """Let diallers look again when this is committed."""
        self.wakes = True

    async def gate(self) -> Row[Any]:
        """Wait until no claim is under way, and keep others from beginning until this is committed."""
        row = await self.row(GATE)
        if row is None:  # made by the first migration
            raise VoicebotError("the store has lost its row `all` of limits")
        return row

    async def take_ids(self, name: str, n: int) -> int:
        """Return the first of `n` fresh ids."""
        statement = (
            update(tables.meta)
            .where(tables.meta.c.name == f"next {name}")
            .values(n=tables.meta.c.n + n)
            .returning(tables.meta.c.n)
        )
        return int((await self.rows(statement))[0].n) - n

    async def finish(self) -> None:
        """Write what was counted and told."""
        await self._write_counts()
        await self._write_ledger()
        if self.wakes:
            await self.run(WAKE)
            if self.postgresql:
                await self.connection.exec_driver_sql(f"NOTIFY {CHANNEL}")

    async def _write_counts(self) -> None:
        sums: dict[tuple[int, str, str], int] = defaultdict(int)
        for campaign_id, kind, name, n in self.counts:
            sums[campaign_id, kind, name] += n
        rows = [
            {"campaign_id": campaign_id, "kind": kind, "name": name, "n": n}
            for (campaign_id, kind, name), n in sorted(sums.items())
            if n
        ]
        if rows:
            await self.run(COUNT[self.postgresql], rows)

    async def _write_ledger(self) -> None:
        of: dict[int, list[Telling]] = defaultdict(list)
        for campaign_id, telling in self.tellings:
            of[campaign_id].append(telling)
        for campaign_id, tellings in sorted(of.items()):
            head = await self.row(HEAD, {"campaign_id": campaign_id})
            if head is None:
                raise VoicebotError(f"the ledger has lost the head of chain {campaign_id}")
            seq, previous = head.seq, head.hash
            salts = os.urandom(SALT_BYTES * len(tellings)).hex()
            rows = []
            for at, telling in enumerate(tellings):
                seq += 1
                entry = link(previous, seq, telling, salts[2 * SALT_BYTES * at : 2 * SALT_BYTES * (at + 1)])
                previous = entry.hash
                rows.append(
                    {
                        "campaign_id": campaign_id,
                        "seq": seq,
                        "at": entry.at,
                        "kind": entry.kind,
                        "attempt": entry.attempt,
                        "contact": entry.contact,
                        "number_key": entry.number_key,
                        "rule": entry.rule,
                        "payload": entry.payload,
                        "salt": entry.salt,
                        "digest": entry.digest,
                        "hash": entry.hash,
                    }
                )
            await self.run(TELL, rows)
            await self.run(MOVE_HEAD, {"of": campaign_id, "new_seq": seq, "new_hash": previous})


Change = Callable[[Tx], Awaitable[T]]


@dataclass(eq=False, slots=True)
class _Waiting:
    """A change that waits for its transaction. gated: it closes the gate first. long_s: it takes long."""

    change: Change[Any]
    done: asyncio.Future[Any]
    gated: bool
    long_s: float
    begun: bool = False
    result: Any = None
    error: BaseException | None = field(default=None)


class Writer:
    """The one of a process that writes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Waiting] = []
        self._wake = asyncio.Event()
        self._closing = False
        self._committing = False
        self._task = asyncio.create_task(self._run(), name="store writer")

    async def do(self, change: Change[T], *, gated: bool = False, long_s: float = 0.0) -> T:
        """Do a change in a transaction, together with others'. Returns when it is on the disk.

        `change` may be done more than once, each time after all was undone. Whoever is cancelled while they
        wait leaves it open whether it was done. Raises StoreUnavailable, and whatever `change` raises.
        """
        if self._closing:
            raise StoreUnavailable("the store is closed")
        waiting = _Waiting(change, asyncio.get_running_loop().create_future(), gated, long_s)
        self._waiting.append(waiting)
        self._wake.set()
        try:
            await asyncio.wait((waiting.done,), timeout=max(self._database.patience_s, long_s))
            if not waiting.done.done() and not waiting.begun:
                raise StoreUnavailable("the database is busy with something that takes long")
            return cast(T, await waiting.done)
        finally:
            waiting.done.cancel()
            with suppress(ValueError):
                self._waiting.remove(waiting)

    async def close(self) -> None:
        """Finish what waits, and stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while group := self._next_group():
                error = await self._write(group)
                self._database.write_trouble = error if isinstance(error, StoreUnavailable) else None
                if isinstance(error, StoreUnavailable):  # the others waited long enough
                    group += self._waiting
                    self._waiting = []
                for waiting in group:
                    _settle(waiting, error)
            if self._closing:
                return

    def _next_group(self) -> list[_Waiting]:
        """Take what goes into one transaction: gated changes first, long ones alone."""
        if not self._waiting:
            return []
        group = [self._waiting[0]]
        if not group[0].long_s:
            group = [waiting for waiting in self._waiting if not waiting.long_s][:GROUP]
        taken = set(map(id, group))
        self._waiting = [waiting for waiting in self._waiting if id(waiting) not in taken]
        for waiting in group:
            waiting.begun = True
        return sorted(group, key=lambda waiting: not waiting.gated)

    async def _write(self, group: list[_Waiting]) -> BaseException | None:
        """Do a group's changes. Returns what was wrong with all of them; each one's own error is in it."""
        limit_s = self._database.limit_s(max(waiting.long_s for waiting in group))
        until = time.monotonic() + (limit_s or self._database.patience_s)
        for attempt in range(TRIES):
            try:
                await self._once(group, None if limit_s is None else max(0.01, until - time.monotonic()))
                return None
            except Exception as error:  # told to everybody who waits, whatever it is
                stale = (
                    is_disconnect(error) and attempt == 0 and not self._committing
                )  # from before a restart
                again = is_conflict(error) or stale
                if again and attempt + 1 < TRIES and time.monotonic() < until:
                    continue
                if is_unavailable(error):
                    return unavailable(error)
                if len(group) == 1 or not isinstance(error, DBAPIError):
                    return error
            break
        for waiting in group:  # one of them asks what the database cannot do: the others need not suffer
            waiting.error = await self._write([waiting])
        return None

    async def _once(self, group: list[_Waiting], limit_s: float | None) -> None:
        self._committing = False
        async with (
            self._database.engine.connect() as connection,
            self._database.watched(connection, limit_s),
            connection.begin(),
        ):
            tx = Tx(connection, self._database)
            for waiting in group:
                waiting.error = waiting.result = None
                if len(group) == 1:
                    waiting.result = await waiting.change(tx)
                    continue
                counted, told, wakes = len(tx.counts), len(tx.tellings), tx.wakes
                savepoint = await connection.begin_nested()
                try:
                    waiting.result = await waiting.change(tx)
                    await savepoint.commit()
                except DBAPIError:
                    raise
                except Exception as error:  # its own affair: told to who asked for it
                    await savepoint.rollback()
                    del tx.counts[counted:], tx.tellings[told:]
                    tx.wakes = wakes
                    waiting.error = error
            await tx.finish()
            self._committing = True  # from here on a lost connection leaves open whether it was done


def _settle(waiting: _Waiting, error: BaseException | None) -> None:
    if waiting.done.done():
        return
    if (mine := waiting.error or error) is not None:
        waiting.done.set_exception(mine)
    else:
        waiting.done.set_result(waiting.result)
