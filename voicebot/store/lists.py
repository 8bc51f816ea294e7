"""Who must not be called: imported lists, and what callees told us. Numbers stand here under their key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.ledger import Telling
from voicebot.campaign.ledger import number_key as key_of
from voicebot.store import tables
from voicebot.store.database import Database, among, listed
from voicebot.store.forms import aware, ms
from voicebot.store.histories import OPT_OUTS
from voicebot.store.rows import ListRow
from voicebot.store.writing import Tx

CHUNK = 5000

_d = tables.dnc_numbers.c
_a = tables.attempts.c
_n = tables.contact_numbers.c
ADD_NUMBERS = {}
ADD_LIST = {}
for _postgres, _dialect in ((True, postgresql), (False, sqlite)):
    _number = _dialect.insert(tables.dnc_numbers)
    ADD_NUMBERS[_postgres] = _number.on_conflict_do_update(
        index_elements=["number_key", "list"], set_={"run": _number.excluded.run}
    )
    _list = _dialect.insert(tables.dnc_lists)
    ADD_LIST[_postgres] = _list.on_conflict_do_update(
        index_elements=["name"],
        set_={
            "imported_at": _list.excluded.imported_at,
            "max_age_days": _list.excluded.max_age_days,
            "run": _list.excluded.run,
        },
    )
RUN = select(tables.dnc_lists).where(tables.dnc_lists.c.name == bindparam("list"))
HELD_BY = {
    postgres: select(_d.number_key, _d.list).where(among(_d.number_key, "keys", postgres))
    for postgres in (False, True)
}
OPEN_ON = {
    postgres: select(_a.id).where(among(_a.number_key, "keys", postgres), _a.state != "closed")
    for postgres in (False, True)
}
OPEN_OF_PERSON = {
    postgres: select(_a.id).where(
        or_(
            among(_a.number_key, "keys", postgres),
            _a.contact_id.in_(select(_n.contact_id).where(among(_n.number_key, "keys", postgres))),
        ),
        _a.state != "closed",
    )
    for postgres in (False, True)
}
REVOKED = (
    select(_a.id)
    .join(tables.contact_numbers, _n.contact_id == _a.contact_id)
    .join(tables.dnc_numbers, _d.number_key == _n.number_key)
    .where(_d.list == OPT_OUTS, _a.state != "closed")
    .distinct()
)
OLD = delete(tables.dnc_numbers).where(_d.list == bindparam("of"), _d.run < bindparam("before"))
DROP = delete(tables.dnc_numbers).where(_d.list == bindparam("of"), _d.number_key == bindparam("key"))


async def begin_import(tx: Tx, name: str) -> int:
    """Return the number of the run that is to come; a list that is new begins as never imported."""
    row = await tx.row(RUN, {"list": name})
    return 1 if row is None else int(row.run) + 1


async def add_numbers(
    tx: Tx, name: str, numbers: Sequence[str], run: int, now: datetime
) -> tuple[int, list[str]]:
    """Add some numbers. Returns how many are new, and the open attempts on them."""
    await tx.gate()
    keys = list(dict.fromkeys(map(tx.key, numbers)))
    rows = await tx.rows(HELD_BY[tx.postgresql], {"keys": tx.listed(keys)})
    known = {row.number_key for row in rows if row.list == name}
    values = [{"number_key": key, "list": name, "at": ms(now), "how": "", "run": run} for key in sorted(keys)]
    if values:
        await tx.run(ADD_NUMBERS[tx.postgresql], values)
    fresh = [key for key in keys if key not in known]
    open_ = await tx.rows(OPEN_ON[tx.postgresql], {"keys": tx.listed(fresh)}) if fresh else ()
    return len(fresh), [row.id for row in open_]


async def end_import(
    tx: Tx,
    name: str,
    run: int,
    counts: Mapping[str, int],
    max_age_days: int | None,
    replace: bool,
    now: datetime,
) -> int:
    """The list is whole: from now on its age counts. Returns how many numbers left it."""
    removed = await tx.run(OLD, {"of": name, "before": run}) if replace else 0
    values = {"name": name, "imported_at": ms(now), "max_age_days": max_age_days, "run": run}
    await tx.run(ADD_LIST[tx.postgresql], values)
    payload = {"list": name, **counts, "removed": removed, "max_age_days": max_age_days}
    tx.tell(0, Telling(ms(now), "list", payload))
    tx.wake()
    return removed


async def add_opt_out(
    tx: Tx, key: str, how: str, at: int, attempt: str = "", contact: int | None = None, campaign_id: int = 0
) -> None:
    """Keep a revocation, once."""
    held = await tx.rows(HELD_BY[tx.postgresql], {"keys": tx.listed([key])})
    if any(row.list == OPT_OUTS for row in held):
        return
    values = {"number_key": key, "list": OPT_OUTS, "at": at, "how": how, "run": 0}
    await tx.run(ADD_NUMBERS[tx.postgresql], [values])
    tx.tell(campaign_id, Telling(at, "opt_out", {"how": how}, attempt, contact, key, OPT_OUTS))
    tx.wake()


async def opt_out(tx: Tx, number: str, how: str, now: datetime, attempt: str) -> tuple[str, ...]:
    """See Store.opt_out. Behind the gate: a claim under way either sees it, or is seen here."""
    await tx.gate()
    key = tx.key(number)
    campaign_id, contact = 0, None
    if attempt:
        of = select(_a.campaign_id, _a.contact_id).where(_a.id == bindparam("attempt"))
        if (row := await tx.row(of, {"attempt": attempt})) is not None:
            campaign_id, contact = row.campaign_id, row.contact_id
    await add_opt_out(tx, key, how, ms(now), attempt, contact, campaign_id)
    rows = await tx.rows(OPEN_OF_PERSON[tx.postgresql], {"keys": tx.listed([key])})
    return tuple(row.id for row in rows if row.id != attempt)


async def revoked(connection: AsyncConnection) -> frozenset[str]:
    """See Store.revoked."""
    return frozenset((await connection.execute(REVOKED)).scalars())


async def withdraw(tx: Tx, number: str, how: str, now: datetime) -> bool:
    """See Store.withdraw_opt_out."""
    await tx.gate()
    key = tx.key(number)
    if not await tx.run(DROP, {"of": OPT_OUTS, "key": key}):
        return False
    tx.tell(0, Telling(ms(now), "opt_out_withdrawn", {"how": how}, number_key=key, rule=OPT_OUTS))
    return True


async def all_lists(connection: AsyncConnection) -> tuple[ListRow, ...]:
    """See Store.lists."""
    counted = select(_d.list, func.count().label("n")).group_by(_d.list)
    numbers = {row.list: row.n for row in await connection.execute(counted)}
    rows = (await connection.execute(select(tables.dnc_lists).order_by(tables.dnc_lists.c.name))).all()
    found = [
        ListRow(row.name, aware(row.imported_at), row.max_age_days, numbers.get(row.name, 0)) for row in rows
    ]
    if OPT_OUTS in numbers:
        newest = select(func.max(_d.at)).where(_d.list == OPT_OUTS)
        at = (await connection.execute(newest)).scalar_one()
        found.append(ListRow(OPT_OUTS, aware(at), None, numbers[OPT_OUTS]))
    return tuple(found)


async def blocked(
    connection: AsyncConnection, database: Database, numbers: Sequence[str], lists: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """See Store.blocked."""
    of = {key_of(database.secret, number): number for number in numbers}
    wanted = {OPT_OUTS, *lists}
    found: dict[str, list[Any]] = defaultdict(list)
    values = {"keys": listed(list(of), database.postgresql)}
    for row in await connection.execute(HELD_BY[database.postgresql], values):
        if row.list in wanted:
            found[of[row.number_key]].append(row.list)
    return {number: tuple(sorted(names)) for number, names in found.items()}
