"""Forgetting a person, wherever we hold something of them (GDPR, Art. 17)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from voicebot.campaign.attempt import AttemptState
from voicebot.errors import Problem, UserError
from voicebot.outbound.export import record_ids
from voicebot.outbound.records import files_of, records_of
from voicebot.outbound.spool import Spool, call_file_name
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.store.rows import Erased, Known
from voicebot.store.store import Store

JOURNAL = Path("campaigns", "journal")
"""Below `var`: what gateways keep while the database is away."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased.

    files: call records, recordings, entries of the journal, and archived call files that were deleted on this
           machine
    """

    store: Erased
    files: int


async def erase_person(
    store: Store, number: str, now: datetime, var: Path | None = None, spool: Path | None = None
) -> Forgotten:
    """Delete a number's call records and recordings, then forget it in the store; it is never called again.

    var: where call records are; spool: Asterisk's; None: what is there stays. The files go first: the store
    alone knows which they are, so that whoever is interrupted can begin anew. Raises UserError where a file
    cannot be deleted, StoreUnavailable where the database's own files could not be cleared.
    """
    files = 0
    known = await store.why(number)
    if var is not None:
        files += await asyncio.to_thread(_delete, list(_files_below(var, number, known)))
    if spool is not None:
        files += await asyncio.to_thread(_clean, spool, known)
    erased = await store.erase(number, now)
    await store.scrub()
    return Forgotten(erased, files)


def _files_below(var: Path, number: str, known: Known) -> Iterator[Path]:
    """Yield the files of calls, and what the database was not told yet: it need not know any more."""
    for path, _ in records_of(var, number, record_ids(known)):
        yield from reversed(files_of(path))  # the record last: it tells whose the others are
    theirs = [number.encode(), *(attempt.order.attempt.encode() for attempt in known.attempts)]
    for path in sorted((var / JOURNAL).glob("*")):
        try:
            text = path.name.encode() + path.read_bytes()
        except FileNotFoundError:  # the database has it now
            continue
        if any(each in text for each in theirs):
            yield path


def _delete(files: list[Path]) -> int:
    deleted = 0
    problems = []
    for file in files:
        try:
            file.unlink(missing_ok=True)
            deleted += 1
        except OSError as error:
            what = f"cannot be deleted: {error.strerror}"
            problems.append(Problem(what, "delete it, then erase again", str(file)))
    if problems:
        raise UserError(problems)
    return deleted


def _clean(folder: Path, known: Known) -> int:
    """Remove the archived call files of calls that are over: those of others are their dialler's."""
    spool = Spool(folder)
    over = [each.order.attempt for each in known.attempts if each.state is AttemptState.CLOSED]
    left = [attempt for attempt in over if (spool.done / call_file_name(attempt)).exists()]
    try:
        spool.clean(left)
    except SpoolUnavailable as error:
        raise UserError(error.problems) from error
    return len(left)
