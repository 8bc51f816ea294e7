"""An import from its file to the store: read, judged in several processes, added in batches, repeatable.

What was added stays when it is interrupted; the same file again adds what is missing, and nothing twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from voicebot.dialog.loading.files import load_dialog
from voicebot.errors import Problem, UserError
from voicebot.outbound.importing.columns import Plan, plan_of, wanted_columns
from voicebot.outbound.importing.contacts import Batch, Fault, contacts_of
from voicebot.outbound.importing.rejected import RejectedFile
from voicebot.outbound.importing.seen import Seen
from voicebot.outbound.importing.sheet import SheetTable, is_sheet
from voicebot.outbound.importing.table import CsvTable, Row, Table, check_readable
from voicebot.outbound.importing.workers import Workers, workers_for
from voicebot.store.errors import StoreUnavailable
from voicebot.store.histories import OPT_OUTS
from voicebot.store.rows import Added, CampaignRow, CampaignState, NewContact
from voicebot.store.store import Store

BATCH_ROWS = 2000
"""Rows that are judged, and added, at once."""
BATCH_CHARACTERS = 1 << 20
ALONE_BYTES = 1 << 20
"""A smaller file is judged in this process: starting others would take longer."""
MOST_WORKERS = 3
"""Processes that judge; this one adds, which is about as much work as one of them has."""
AHEAD = 2
"""Batches for each worker that are read ahead."""
MOST_SHOWN = 10
"""Rejected rows, and rows with the same number, that a summary names."""
WAITS_S = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between attempts where the database is away; then the import ends, and may be repeated."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is. done, size: bytes, or rows of a sheet."""

    rows: int
    done: int
    size: int


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file.

    rows:          of the table, without its header and empty ones
    new:           contacts that were added
    known:         that the campaign had before
    repeated:      rows that are in the file twice, with all their values
    rejected:      rows that cannot be called as they are
    blocked:       contacts that are not called: on our opt-outs, or a do-not-call list of the campaign
    same_number:   rows whose first number an earlier row has, too; each is called
    rejected_file: where the rejected rows are, each with its reason; None: there are none
    how:           how the file was read, where that is not obvious
    examples:      the first rejected rows
    notices:       what else is worth knowing
    """

    rows: int = 0
    new: int = 0
    known: int = 0
    repeated: int = 0
    rejected: int = 0
    blocked: int = 0
    same_number: int = 0
    rejected_file: Path | None = None
    how: str = ""
    examples: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()


def open_table(
    path: Path, *, encoding: str = "", separator: str = "", sheet: str = "", wanted: Sequence[str] = ()
) -> Table:
    """Open a table of any kind. Raises UserError where it is none."""
    check_readable(path)
    if is_sheet(path):
        return SheetTable(path, sheet=sheet)
    return CsvTable(path, encoding=encoding, separator=separator, wanted=wanted)


async def import_contacts(
    store: Store,
    campaign: CampaignRow,
    path: Path,
    now: datetime,
    *,
    encoding: str = "",
    separator: str = "",
    sheet: str = "",
    workers: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Imported:
    """Add a table's rows to a campaign. Returns when all of them are on the disk.

    encoding, separator, sheet: where they cannot be told from the file
    workers: processes that judge rows; None: one for each other core, none for a small file

    Raises UserError for a table that cannot be read, columns that are missing, or a database that stays away.
    """
    settings = campaign.settings
    dialog = load_dialog(Path(campaign.folder) / settings.dialog)
    table = open_table(
        path, encoding=encoding, separator=separator, sheet=sheet, wanted=wanted_columns(settings)
    )
    plan = plan_of(settings, dialog, table.header, path.name, now, table.header_line, store.secret)
    with RejectedFile(path, table.header) as rejected:
        run = _Run(store, campaign, plan, rejected, now)
        with workers_for(plan, _processes(table, workers)) as pool:
            async for rows, batch in _judged(table.rows(), plan, pool):
                await run.take(rows, batch)
                if progress:
                    progress(Progress(run.done.rows, table.read, table.size))
        rejected.finish()
    after = await run.patiently(lambda: store.campaign(campaign.name))  # it may have been done meanwhile
    done = replace(
        run.done,
        rejected=rejected.rows,
        rejected_file=rejected.path,
        how=table.how,
        examples=tuple(run.examples),
        notices=tuple(run.notices(after.state)),
    )
    if not done.rows:
        raise UserError(Problem("the file has no rows below its header", "add some", str(path)))
    if done.new or run.refused:
        await run.patiently(lambda: store.note(campaign.name, "import", _evidence(path, done), now))
    return done


def _evidence(path: Path, done: Imported) -> dict[str, object]:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    counts = {name: getattr(done, name) for name in ("rows", "new", "known", "rejected", "blocked")}
    return {"file": path.name, "sha256": digest, **counts}


class _Run:
    """Adds what was judged, and counts."""

    def __init__(
        self, store: Store, campaign: CampaignRow, plan: Plan, rejected: RejectedFile, now: datetime
    ) -> None:
        self._store, self._campaign, self._plan, self._now = store, campaign, plan, now
        self._rejected = rejected
        self._keys, self._numbers = Seen(), Seen()
        self._same: list[tuple[int, int]] = []
        self.done = Imported()
        self.refused = 0
        self.examples: list[Problem] = []

    async def take(self, rows: Sequence[Row], batch: Batch) -> None:
        """Add one batch; rejected rows go to their file in the order of the table."""
        faults = dict(batch.rejected)
        lines = [rows[place].line for place in batch.places]
        fresh: list[NewContact] = []
        repeated = 0
        for contact, place, earlier in zip(
            batch.contacts, batch.places, self._keys.add(batch.keys, lines), strict=True
        ):
            if not earlier:
                fresh.append(contact)
            elif "key" in self._plan.single:
                column = self._plan.header[self._plan.single["key"]]
                what = f"line {earlier} has the same key"
                faults[place] = (Fault(column, what, "give each row an id of its own, or take one away"),)
            else:
                repeated += 1
        for place in sorted(faults):
            self._rejected.add(rows[place], faults[place])
            if len(self.examples) < MOST_SHOWN:
                self.examples += _problems(rows[place], faults[place], self._plan.source)[:1]
        same = self._numbers.add(batch.numbers, lines)
        if len(self._same) < MOST_SHOWN:
            self._same += [(line, int(first)) for line, first in zip(lines, same, strict=True) if first]
        added, blocked = await self._add(fresh)
        done = self.done
        self.done = replace(
            done,
            rows=done.rows + len(rows),
            new=done.new + added.new,
            known=done.known + added.known,
            repeated=done.repeated + repeated,
            blocked=done.blocked + blocked,
            same_number=done.same_number + int((same > 0).sum()) - repeated,
        )

    async def _add(self, contacts: list[NewContact]) -> tuple[Added, int]:
        """Add contacts; those that nobody may call are kept as refused, so that `why` can tell it."""
        if not contacts:
            return Added(0, 0), 0
        store, name = self._store, self._campaign.name
        numbers = list(dict.fromkeys(number for contact in contacts for number in contact.numbers))
        lists = self._campaign.settings.do_not_call
        hits = await self.patiently(lambda: store.blocked(numbers, lists))
        barred: dict[str, list[str]] = {}
        kept = contacts
        if hits:
            kept = []
            for contact in contacts:
                free = tuple(number for number in contact.numbers if number not in hits)
                on = sorted({each for number in contact.numbers for each in hits.get(number, ())})
                if on and (not free or OPT_OUTS in on):  # who revoked is not called at another number either
                    barred.setdefault(f"on {', '.join(on)}, found at import", []).append(contact.key)
                    kept.append(contact)
                else:
                    kept.append(contact if not on else replace(contact, numbers=free))
        added = await self.patiently(lambda: store.add_contacts(name, kept, self._now))
        for why, keys in barred.items():
            self.refused += await self.patiently(
                lambda keys=keys, why=why: store.refuse(name, keys, why, self._now)  # type: ignore[misc]
            )
        return added, sum(map(len, barred.values()))

    async def patiently(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Ask the store until it answers. Raises UserError where it stays away: nothing is lost."""
        for wait in WAITS_S:
            try:
                return await ask()
            except StoreUnavailable:
                await asyncio.sleep(wait)
        try:
            return await ask()
        except StoreUnavailable as error:
            what = f"the import ended after {self.done.rows:,} rows: {error}"
            remedy = "mend the database and import the same file again: nothing is added twice"
            raise UserError(Problem(what, remedy, self._plan.source)) from error

    def notices(self, state: CampaignState) -> Iterator[str]:
        """Yield what else is worth knowing; `state` is the campaign's now."""
        if state in (CampaignState.DONE, CampaignState.HALTED):
            yield f"the campaign is {state}: `voicebot campaign start {self._campaign.name}` goes on with it"
        elif state is CampaignState.STOPPED:
            yield "the campaign is stopped for good: nobody of it is called"
        if self.done.same_number:
            pairs = ", ".join(f"{line} as {first}" for line, first in self._same[:MOST_SHOWN])
            yield f"rows with the number of an earlier row: {self.done.same_number:,} (line {pairs})"
        if self.done.repeated:
            yield f"rows that are in the file twice, with all their values: {self.done.repeated:,}"


def _problems(row: Row, faults: Sequence[Fault], source: str) -> list[Problem]:
    told = ((f"{each.column}: " if each.column else "", each) for each in faults)
    return [Problem(f"{at}{each.reason}", each.remedy, source, row.line) for at, each in told]


def _processes(table: Table, workers: int | None) -> int:
    """Return how many processes are worth it; 0: this one alone."""
    if workers is not None:
        return workers
    cores = os.cpu_count() or 1
    small = table.size < (ALONE_BYTES if isinstance(table, CsvTable) else BATCH_ROWS)
    return 0 if small or cores < 2 else min(cores - 1, MOST_WORKERS)


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows in batches that are small, however large their cells are."""
    batch: list[Row] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += sum(map(len, row.cells))
        if len(batch) == BATCH_ROWS or size > BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


async def _judged(
    rows: Iterator[Row], plan: Plan, workers: Workers | None
) -> AsyncIterator[tuple[list[Row], Batch]]:
    """Yield batches of rows, in their order, with what they were judged to be."""
    batches = _batches(rows)
    if workers is None:
        for batch in batches:
            yield batch, contacts_of(plan, batch)
        return
    ahead: deque[tuple[list[Row], asyncio.Future[Batch]]] = deque()
    try:
        for batch in batches:
            ahead.append((batch, asyncio.ensure_future(workers.judge(batch))))
            if len(ahead) >= AHEAD * workers.count:
                first, judged = ahead.popleft()
                yield first, await judged
        while ahead:
            first, judged = ahead.popleft()
            yield first, await judged
    finally:
        for _, judged in ahead:
            judged.cancel()
