"""From a row to a contact, or to all that is wrong with it. Pure: workers do it in other processes."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from voicebot.campaign.contact import Consent
from voicebot.campaign.numbers import WrongNumber, normalise, printable
from voicebot.campaign.zones import WrongZone, candidate_zones
from voicebot.dialog.understanding.values import value_of_given
from voicebot.outbound.cells import without_guard
from voicebot.outbound.importing.columns import REJECTED, Plan, Wanted
from voicebot.outbound.importing.table import Row
from voicebot.store.rows import NewContact

LONGEST_VALUE = 500
"""Characters of a value for a dialog."""
LONGEST_KEY = 200
LONGEST_SHOWN = 60
"""Characters of a wrong value, in a reason."""
_DAY = len("2027-03-04")
GREATEST_PRIORITY = 1_000_000

_UNREADABLE = re.compile("[\ufffd\ud800-\udfff]")
_BLANKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]+")
_REMEDIES = {
    "yes_no": "yes or no",
    "weekday": "monday to sunday",
    "digits": "digits alone",
    "number": "such as 3 or 2.5",
    "money": "such as 12.50",
    "date": "such as 2027-03-04",
    "time": "such as 15:00",
    "datetime": "such as 2027-03-04 15:00",
    "phone": "such as +12025550142",
    "email": "such as sara@example.org",
}
_TRUTHS = {
    "yes": True,
    "true": True,
    "1": True,
    "y": True,
    "no": False,
    "false": False,
    "0": False,
    "n": False,
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What keeps a row out. column: its name; empty where it concerns the whole row."""

    column: str
    reason: str
    remedy: str


@dataclass(slots=True)
class Batch:
    """What became of some rows.

    contacts: those to be added
    rejected: (which of the rows, what is wrong with it)
    places:   which of the rows each contact is
    keys:     64 bits of each contact's key, in the order of `contacts`; numbers: of its first number
    """

    contacts: list[NewContact] = field(default_factory=list)
    rejected: list[tuple[int, tuple[Fault, ...]]] = field(default_factory=list)
    places: array[int] = field(default_factory=lambda: array("L"))
    keys: array[int] = field(default_factory=lambda: array("Q"))
    numbers: array[int] = field(default_factory=lambda: array("Q"))


def contacts_of(plan: Plan, rows: Sequence[Row]) -> Batch:
    """Read some rows."""
    batch = Batch()
    for index, row in enumerate(rows):
        read = _Reading(plan, row)
        contact = read.contact()
        if contact is None:
            batch.rejected.append((index, tuple(read.faults)))
            continue
        batch.contacts.append(contact)
        batch.places.append(index)
        batch.keys.append(_short_hash(contact.key))
        batch.numbers.append(_short_hash(contact.numbers[0]))
    return batch


def _short_hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest(), "big")


class _Reading:
    """Reads one row and collects what is wrong with it."""

    __slots__ = ("_cells", "_plan", "_row", "faults")

    def __init__(self, plan: Plan, row: Row) -> None:
        self._plan, self._row = plan, row
        self._cells = row.cells
        self.faults: list[Fault] = []

    def contact(self) -> NewContact | None:
        """Return the contact, or None where `faults` tells why there is none."""
        plan, row = self._plan, self._row
        if row.broken:
            self._fault("", row.broken, "mend the line: a quote within a text is written twice")
            return None
        if not self._fits():
            return None
        region = self._text("region").upper() or plan.region
        numbers = self._numbers(region)
        zones = self._zones(numbers, region)
        zone = ZoneInfo(zones[0]) if zones else None
        given = self._given()
        consent = self._consent(zone)
        due = self._due(zones)
        language, priority = self._language(), self._priority()
        key = self._key(numbers, given)
        if self.faults:
            return None
        return NewContact(
            key=key,
            numbers=numbers,
            zones=zones,
            due=due,
            given=given,
            consent=consent,
            language=language,
            priority=priority,
            line=row.line,
        )

    def _fits(self) -> bool:
        """Whether the row has a cell for each column, and each can be read."""
        width, length = len(self._plan.header), len(self._cells)
        if length > width and not any(cell.strip() for cell in self._cells[width:]):
            length = width
        if length != width:
            remedy = "a cell that holds the separator or a line's end belongs into quotes"
            self._fault("", f"has {length} cells, the header has {width}", remedy)
            return False
        for index in self._used():
            if _UNREADABLE.search(self._cells[index]):
                self._fault(index, "holds bytes that are no text in the file's encoding", "write it anew")
        return not self.faults

    def _used(self) -> tuple[int, ...]:
        plan = self._plan
        return (*plan.numbers, *plan.single.values(), *(need.index for need in plan.needs))

    def _fault(self, column: int | str, reason: str, remedy: str) -> None:
        name = column if isinstance(column, str) else self._plan.header[column]
        self.faults.append(Fault(name, reason, remedy))

    def _text(self, role: str) -> str:
        """Return the cell of a role in one line; empty where there is no such column."""
        index = self._plan.single.get(role)
        return "" if index is None else self._clean(index)

    def _clean(self, index: int) -> str:
        text = without_guard(self._cells[index].strip())
        return text if text.isprintable() else _BLANKS.sub(" ", text).strip()

    def _numbers(self, region: str) -> tuple[str, ...]:
        found: list[str] = []
        wrong = len(self.faults)
        for index in self._plan.numbers:
            text = without_guard(self._cells[index].strip())
            if not text:
                continue
            try:
                number = normalise(text, region).number
            except WrongNumber as error:
                self._fault(index, str(error), "write it with + and country: +12025550142")
                continue
            if number not in found:
                found.append(number)
        if not found and len(self.faults) == wrong:
            self._fault(self._plan.numbers[0], "there is no number", "write it like +12025550142")
        return tuple(found)

    def _zones(self, numbers: tuple[str, ...], region: str) -> tuple[str, ...]:
        """Return where they may be: with several numbers, where any of them may be."""
        zone, address = self._text("zone"), self._text("address")
        found: dict[str, None] = {}
        try:
            for number in numbers or ("",) * bool(zone):
                found |= dict.fromkeys(candidate_zones(number, zone=zone, address=address, region=region))
        except WrongZone as error:
            self._fault(self._plan.single["zone"], str(error), "such as America/New_York, or leave it empty")
        return tuple(found)

    def _given(self) -> dict[str, Any]:
        given: dict[str, Any] = {}
        for need in self._plan.needs:
            text = self._clean(need.index)
            if not text:
                if need.required:
                    self._fault(need.index, f"the dialog needs `{need.name}`", f"write a {need.kind}")
                continue
            if len(text) > LONGEST_VALUE:
                self._fault(need.index, f"is longer than {LONGEST_VALUE} characters", "make it shorter")
                continue
            value = value_of_given(text, need.kind)
            if value is None:
                what = f"{_shown(text, need)} is no {need.kind}"
                self._fault(need.index, what, _REMEDIES.get(need.kind, f"write a {need.kind}"))
                continue
            given[need.name] = _plain(value)
        return given

    def _consent(self, zone: ZoneInfo | None) -> Consent | None:
        """Return the row's consent; None where the campaign has one for all, and the row none of its own."""
        plan = self._plan
        at, by = self._text("consent_at"), self._text("consent_by")
        if not at and not by and not plan.own_consent:
            return None
        for role, text in (("consent_at", at), ("consent_by", by)):
            if not text and role in plan.single:
                what = "there is no record that they agreed to be called"
                self._fault(plan.single[role], what, "tell when, and how it is known")
        when = _moment(at, zone) if at else None
        if at and when is None:
            self._fault(plan.single["consent_at"], f"`{_short(at)}` is no day", "such as 2027-03-04")
        elif when is not None and plan.now < when <= plan.now + timedelta(days=1) and len(at) <= _DAY:
            when = plan.now  # today, told where the day began earlier
        elif when is not None and when > plan.now:
            self._fault(
                plan.single["consent_at"], f"`{_short(at)}` is still to come", "tell when they agreed"
            )
        scope = self._text("consent_scope").lower() or "informational"
        if scope not in ("informational", "telemarketing"):
            remedy = "informational or telemarketing"
            self._fault(plan.single["consent_scope"], f"`{_short(scope)}` is no scope", remedy)
        written = self._text("consent_written").lower()
        if written and written not in _TRUTHS:
            self._fault(plan.single["consent_written"], f"`{_short(written)}` is neither", "yes or no")
        if when is None:
            return None
        return Consent(when, by, scope, _TRUTHS.get(written, False), f"{plan.source}:{self._row.line}")

    def _due(self, zones: tuple[str, ...]) -> datetime:
        """Return from when on they may be called: with several zones, when it is that late in all of them."""
        text = self._text("due")
        if not text:
            return self._plan.now
        moments = [_moment(text, ZoneInfo(zone)) for zone in zones]
        found = [moment for moment in moments if moment is not None]
        if len(found) < len(moments):
            remedy = "such as 2027-03-04, or 2027-03-04 15:00"
            self._fault(self._plan.single["due"], f"`{_short(text)}` is no day and time", remedy)
        return max(found, default=self._plan.now)

    def _language(self) -> str:
        text = self._text("language").replace("_", "-")
        if not text:
            return ""
        known = self._plan.languages
        for tag in known:
            if tag.casefold() == text.casefold():
                return tag
        for tag in known:
            if tag.partition("-")[0].casefold() == text.partition("-")[0].casefold():
                return tag
        self._fault(
            self._plan.single["language"], f"the dialog cannot be held in `{_short(text)}`", ", ".join(known)
        )
        return ""

    def _priority(self) -> int:
        text = self._text("priority")
        if not text:
            return 0
        if re.fullmatch(r"[+-]?[0-9]{1,7}(\.0)?", text) and abs(float(text)) <= GREATEST_PRIORITY:
            return int(float(text))
        self._fault(self._plan.single["priority"], f"`{_short(text)}` is no whole number", "such as 5")
        return 0

    def _key(self, numbers: tuple[str, ...], given: dict[str, Any]) -> str:
        index = self._plan.single.get("key")
        if index is None:
            told = json.dumps([numbers, given], sort_keys=True, ensure_ascii=False)
            return hmac.digest(self._plan.secret, told.encode("utf-8", "replace"), "sha256").hex()[:32]
        key = without_guard(self._cells[index].strip())
        if not key:
            self._fault(index, "the row has no key", "give each row an id of its own")
        elif len(key) > LONGEST_KEY:
            self._fault(index, f"is longer than {LONGEST_KEY} characters", "make it shorter")
        elif not key.isprintable():
            self._fault(index, f"`{_short(key)}` has a control character", "take it away")
        return key


def _moment(text: str, zone: ZoneInfo | None) -> datetime | None:
    """Read a day, or day and time, ISO 8601; without an offset it is in `zone`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else found.replace(tzinfo=zone or UTC)


def _plain(value: object) -> object:
    """Return a value as JSON has it; the gateway reads it again, in the callee's time zone."""
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _shown(text: str, need: Wanted) -> str:
    return "the value" if need.sensitive else f"`{_short(text)}`"


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def without_rejection(header: Sequence[str]) -> tuple[int, ...]:
    """Return the columns that are the operator's own, not ours from an earlier import."""
    return tuple(index for index, name in enumerate(header) if name.casefold() not in REJECTED)
