"""Contacts with their calls, one after the other, however many there are.

The store streams attempts in the order they were made; they are put aside on the disk by their contact.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from voicebot.campaign.attempt import AnsweredBy, Disposition
from voicebot.campaign.contact import Contact
from voicebot.store.rows import AttemptRow
from voicebot.store.store import Store

PAGE = 1000
"""Contacts, and attempts, that are handled at once."""
_SET_UP = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE calls (contact INTEGER NOT NULL, at INTEGER NOT NULL, told TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Call:
    """An attempt, as reports need it.

    at:          when it was dialled, or else claimed
    disposition: empty while it is open
    ring_s:      from dialling to the answer; talk_s: from the answer to the end; None: not known
    first_audio_ms: from the answer to the first sound of ours
    """

    attempt: str
    number: str
    at: datetime
    disposition: str
    cause: int | None = None
    sip: int | None = None
    ring_s: float | None = None
    talk_s: float | None = None
    answered_by: str = ""
    outcome: str = ""
    goal: bool = False
    opted_out: bool = False
    message_left: bool = False
    call_back: str = ""
    first_audio_ms: int | None = None
    record: str = ""
    slots: tuple[tuple[str, Any], ...] = ()

    @property
    def dialled(self) -> bool:
        """Whether it counts as a call."""
        return self.disposition not in _NOT_CALLS

    @property
    def person(self) -> bool:
        """Whether a person took it, as far as one can tell."""
        return self.disposition in _PERSON and self.answered_by != AnsweredBy.MACHINE


_PERSON = frozenset((Disposition.ANSWERED, Disposition.ABANDONED, Disposition.OPTED_OUT))
_NOT_CALLS = frozenset(("", Disposition.EXPIRED, Disposition.CANCELLED, Disposition.NOT_HANDED))


@dataclass(frozen=True, slots=True)
class Reported:
    """A contact with all its attempts, oldest first."""

    contact: Contact
    calls: tuple[Call, ...]


def call_of(row: AttemptRow, hidden: Callable[[str], bool]) -> Call:
    """Return an attempt as reports need it; slots that are `hidden` are left out for good."""
    begun = row.dialling_at or row.handed_at or row.claimed_at
    dial, call = row.dial, row.call
    answered = row.answered_at or (call.answered_at if call else None)
    ended = call.ended_at if call else dial.at if dial else row.closed_at
    return Call(
        attempt=row.order.attempt,
        number=row.order.number,
        at=begun,
        disposition=row.disposition.value if row.disposition else "",
        cause=dial.cause if dial else None,
        sip=dial.sip if dial else None,
        ring_s=_seconds(begun, answered),
        talk_s=_seconds(answered, ended),
        answered_by=call.answered_by.value if call else "",
        outcome=call.outcome if call else "",
        goal=call.goal if call else False,
        opted_out=call.opted_out if call else False,
        message_left=call.message_left if call else False,
        call_back=call.call_back.isoformat(timespec="minutes") if call and call.call_back else "",
        first_audio_ms=call.first_audio_ms if call else None,
        record=call.record if call else "",
        slots=tuple((name, _plain(value)) for name, value in call.slots.items() if not hidden(name))
        if call
        else (),
    )


def _seconds(begin: datetime | None, end: datetime | None) -> float | None:
    return round(max(0.0, (end - begin).total_seconds()), 3) if begin and end else None


def _plain(value: object) -> object:
    return value if isinstance(value, str | int | float | bool) or value is None else str(value)


class Gathered:
    """All attempts of a campaign, put aside by contact. slots: names of all that was learned, in order."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.slots: dict[str, None] = {}
        self.attempts = 0

    async def gather(self, store: Store, campaign: str, hidden: Callable[[str], bool]) -> None:
        """Take all attempts over from the store."""
        waiting: list[tuple[int, int, str]] = []
        async for row in store.attempts(campaign):
            call = call_of(row, hidden)
            self.slots.update(dict.fromkeys(name for name, _ in call.slots))
            waiting.append((row.contact, int(call.at.timestamp() * 1000), _packed(call)))
            if len(waiting) >= PAGE:
                self._put(waiting)
        self._put(waiting)
        self._database.execute("CREATE INDEX by_contact ON calls (contact, at)")

    def _put(self, waiting: list[tuple[int, int, str]]) -> None:
        self._database.executemany("INSERT INTO calls VALUES (?, ?, ?)", waiting)
        self.attempts += len(waiting)
        waiting.clear()

    async def contacts(self, store: Store, campaign: str) -> AsyncIterator[Reported]:
        """Yield all contacts in the order they were added, with their calls."""
        last = 0
        while page := await store.contacts(campaign, after_id=last, most=PAGE):
            first, last = page[0].id, page[-1].id
            found: dict[int, list[Call]] = {}
            query = "SELECT contact, told FROM calls WHERE contact BETWEEN ? AND ? ORDER BY contact, at"
            for contact, told in self._database.execute(query, (first, last)):
                found.setdefault(contact, []).append(_unpacked(told))
            for each in page:
                yield Reported(each, tuple(found.get(each.id, ())))


@contextmanager
def gathering() -> Iterator[Gathered]:
    """Give room on the disk, in a file that nobody else sees and that is gone afterwards."""
    with closing(sqlite3.connect("")) as database:
        database.executescript(_SET_UP)
        yield Gathered(database)


def _packed(call: Call) -> str:
    fields = [getattr(call, name) for name in Call.__slots__]
    fields[_AT] = call.at.isoformat()
    return json.dumps(fields, ensure_ascii=False)


def _unpacked(told: str) -> Call:
    fields = json.loads(told)
    fields[_AT] = datetime.fromisoformat(fields[_AT])
    fields[-1] = tuple((name, value) for name, value in fields[-1])
    return Call(*fields)


_AT = Call.__slots__.index("at")
