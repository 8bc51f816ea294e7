"""Processes that judge rows: reading numbers is most of the work of an import."""

from __future__ import annotations

import asyncio
import signal
from array import array
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeAlias

from voicebot.errors import UserError
from voicebot.outbound.importing.columns import Plan
from voicebot.outbound.importing.contacts import Batch, contacts_of
from voicebot.outbound.importing.table import Row
from voicebot.store.rows import NewContact

_plan: Plan | None = None

_Told: TypeAlias = "tuple[list[tuple[Any, ...]], list[Any], array[int], array[int], array[int]]"


class Workers:
    """A pool of processes with one plan. Plain tuples go between them: they are quick to pack."""

    def __init__(self, pool: ProcessPoolExecutor, count: int) -> None:
        self._pool = pool
        self.count = count

    async def judge(self, rows: Sequence[Row]) -> Batch:
        """Judge some rows. Raises UserError where a process died, for want of memory."""
        packed = [(row.line, row.cells, row.broken) for row in rows]
        try:
            told = await asyncio.get_running_loop().run_in_executor(self._pool, _judge, packed)
        except BrokenProcessPool as error:
            what = "a process that judges rows was killed, for want of memory perhaps"
            raise UserError(what, "import the same file again: nothing is added twice") from error
        contacts, rejected, places, keys, numbers = told
        return Batch([NewContact(*each) for each in contacts], rejected, places, keys, numbers)


@contextmanager
def workers_for(plan: Plan, count: int) -> Iterator[Workers | None]:
    """Start `count` processes; none: None."""
    if not count:
        yield None
        return
    # Not forked: this process has threads.
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (plan,))
    try:
        yield Workers(pool, count)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(plan: Plan) -> None:
    global _plan
    _plan = plan
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started us ends us


def _judge(packed: list[tuple[int, Sequence[str], str]]) -> _Told:
    assert _plan is not None
    batch = contacts_of(_plan, [Row(*each) for each in packed])
    contacts = [
        (c.key, c.numbers, c.zones, c.due, c.given, c.consent, c.language, c.priority, c.asked, c.line)
        for c in batch.contacts
    ]
    return contacts, batch.rejected, batch.places, batch.keys, batch.numbers
