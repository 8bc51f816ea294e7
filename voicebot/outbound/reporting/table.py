"""The table of a report: a row for each contact, as CSV that no spreadsheet runs as formulas."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TextIO

from voicebot.dialog.model.slots import meaning_of
from voicebot.outbound.cells import harmless_cell
from voicebot.outbound.reporting.gather import Reported

COLUMNS = (
    "key",
    "line",
    "state",
    "number",
    "calls",
    "first_call",
    "last_call",
    "disposition",
    "answered_by",
    "outcome",
    "goal",
    "talk_s",
    "ring_s",
    "opted_out",
    "message_left",
    "call_back",
    "next_call",
    "cause",
    "sip",
    "call_record",
)
"""Times are ISO 8601 in UTC. `number` is the one that was called last, or is called first."""
SLOT = "slot_"
"""Begins the name of the column of something that the dialog learned."""


class ContactTable:
    """Writes contacts as they come."""

    def __init__(self, file: TextIO, slots: Sequence[str]) -> None:
        self._writer = csv.writer(file)
        self._slots = slots
        self.rows = 0
        self._write([*COLUMNS, *(f"{SLOT}{name}" for name in slots)])

    def add(self, reported: Reported) -> None:
        """Write one contact."""
        contact, calls = reported.contact, [call for call in reported.calls if call.dialled]
        last = reported.calls[-1] if reported.calls else None
        told = max(calls, key=lambda call: (bool(call.outcome), call.at), default=None)
        slots = {name: value for call in calls for name, value in call.slots}
        waits = contact.state in ("due", "busy")
        cells = [
            contact.key,
            contact.line,
            contact.state.value,
            last.number if last else next(iter(contact.numbers), ""),
            len(calls),
            _at(calls[0].at if calls else None),
            _at(calls[-1].at if calls else None),
            last.disposition if last else "",
            told.answered_by if told else "",
            told.outcome if told else "",
            _truth(told.goal) if told and told.outcome else "",
            told.talk_s if told else None,
            told.ring_s if told else None,
            _truth(any(call.opted_out for call in calls)) if calls else "",
            _truth(any(call.message_left for call in calls)) if calls else "",
            next((call.call_back for call in reversed(calls) if call.call_back), ""),
            _at(contact.due) if waits else "",
            last.cause if last else None,
            last.sip if last else None,
            told.record if told else "",
            *(slots.get(name) for name in self._slots),
        ]
        self._write(cells)
        self.rows += 1

    def _write(self, cells: Iterable[Any]) -> None:
        self._writer.writerow([harmless_cell(meaning_of(cell)) for cell in cells])


def _at(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else ""


def _truth(value: bool) -> str:
    return "yes" if value else "no"
