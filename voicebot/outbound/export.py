"""All that is kept about one person, as a person may ask for it (GDPR, Art. 15 and 20)."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from voicebot.outbound.records import files_of, records_of
from voicebot.store.rows import Known
from voicebot.store.store import Store


async def export_person(store: Store, number: str, now: datetime, var: Path | None = None) -> dict[str, Any]:
    """Return all about a number (E.164) as JSON has it: contacts, calls, decisions, lists, call records.

    var: where call records are; None: they are left out. Recordings are named, not held.
    """
    known = await store.why(number)
    found: dict[str, Any] = {
        "number": number,
        "made_at": now,
        "opted_out": known.opted_out,
        "do_not_call_lists": known.lists,
        "contacts": [asdict(contact) for contact in known.contacts],
        "calls": [asdict(attempt) for attempt in known.attempts],
        "decisions": [asdict(entry) for entry in known.entries],
        "call_records": [],
        "files": [],
    }
    if var is not None:
        for path, record in await asyncio.to_thread(lambda: list(records_of(var, number, record_ids(known)))):
            found["call_records"].append(record.model_dump(mode="json"))
            found["files"] += [str(each) for each in files_of(path)]
    plain: dict[str, Any] = to_jsonable_python(found, fallback=str)
    return plain


def record_ids(known: Known) -> set[str]:
    """Return the ids of the call records that a number's attempts name."""
    return {attempt.call.record for attempt in known.attempts if attempt.call and attempt.call.record}
