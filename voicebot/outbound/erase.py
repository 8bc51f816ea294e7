"""Forgetting a person, wherever we hold something of them (GDPR, Art. 17)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from voicebot.errors import Problem, UserError
from voicebot.outbound.export import record_ids
from voicebot.outbound.records import files_of, records_of
from voicebot.store.rows import Erased
from voicebot.store.store import Store


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was erased. files: call records and recordings that were deleted on this machine."""

    store: Erased
    files: int


async def erase_person(store: Store, number: str, now: datetime, var: Path | None = None) -> Forgotten:
    """Delete a number's call records and recordings, then forget it in the store; it is never called again.

    var: where call records are; None: they stay. The files go first: the store alone knows which they are, so
    that whoever is interrupted can begin anew. Raises UserError where a file cannot be deleted.
    """
    files = 0
    if var is not None:
        ids = record_ids(await store.why(number))
        files = await asyncio.to_thread(_delete, var, number, ids)
    return Forgotten(await store.erase(number, now), files)


def _delete(var: Path, number: str, ids: set[str]) -> int:
    deleted = 0
    problems = []
    for path, _ in list(records_of(var, number, ids)):
        for file in reversed(files_of(path)):  # the record last: it tells whose the others are
            try:
                file.unlink(missing_ok=True)
                deleted += 1
            except OSError as error:
                what = f"cannot be deleted: {error.strerror}"
                problems.append(Problem(what, "delete it, then erase again", str(file)))
    if problems:
        raise UserError(problems)
    return deleted
