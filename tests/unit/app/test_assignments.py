"""unit: what is known and kept of our own calls while the database comes and goes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from voicebot.app.assignments import Assignments, assignment_of
from voicebot.app.journal import Journal
from voicebot.campaign.attempt import AnsweredBy, AttemptState, CallResult, Order
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import AttemptRow, CampaignRow, CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)
ATTEMPT = "0123456789abcdef0123456789abcdef"
NUMBER = "+12025550142"
SETTINGS = Campaign.model_validate(
    {
        "campaign": "reminders",
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Green Street Clinic"},
        "trunk": "main",
        "given": {"clinic_phone": "+12025550100"},
        "answering": {"machine": "message", "message": "message.yaml"},
    }
)
CONTACT = Contact(
    7, "reminders", "7", (NUMBER,), ("America/New_York",), NOW, given={"first_name": "Sara"}, language="ko-KR"
)
RESULT = CallResult(
    ATTEMPT, NOW, NOW + timedelta(seconds=9), AnsweredBy.PERSON, "confirmed", True, slots={"at": "2027-03-04"}
)


@dataclass
class FakeStore:
    """A store that can be away, and remembers what it was told."""

    state: AttemptState = AttemptState.HANDED
    away: Exception | None = None
    told: list[Any] = field(default_factory=list)

    def _reach(self) -> None:
        if self.away is not None:
            raise self.away

    @property
    def _row(self) -> AttemptRow:
        order = Order(ATTEMPT, "reminders", NUMBER, "PJSIP/x", "+12025550100", "", NOW, NOW, 25)
        return AttemptRow(order, 7, self.state, "d", "main", NOW, NOW)

    async def open_attempts(self) -> tuple[AttemptRow, ...]:
        self._reach()
        return () if self.state is AttemptState.CLOSED else (self._row,)

    async def attempt(self, id: str) -> AttemptRow | None:
        self._reach()
        if id != ATTEMPT:
            return None
        return self._row

    async def contact(self, id: int) -> Contact | None:
        return CONTACT

    async def campaign(self, name: str) -> CampaignRow:
        return CampaignRow(1, name, SETTINGS, "/campaigns", CampaignState.RUNNING, "", "", NOW, NOW)

    async def answered(self, attempt: str, at: datetime) -> None:
        self._reach()
        self.told.append(("answered", attempt))

    async def opt_out(self, number: str, how: str, now: datetime, *, attempt: str = "") -> tuple[str, ...]:
        self._reach()
        self.told.append(("opt-out", number, how, attempt))
        return ("f" * 32,)

    async def finish_call(self, result: CallResult, now: datetime | None = None) -> None:
        self._reach()
        self.told.append(result)


class Desk:
    def __init__(self, folder: Path) -> None:
        self.store = FakeStore()
        self.cancelled: list[str] = []
        self.journal = Journal(folder / "journal")
        self.assignments = self.again()

    def again(self) -> Assignments:
        """Return what stands after a restart."""
        store = cast(Store, self.store)
        return Assignments(store, self.journal, cancel=self.cancelled.extend, now=lambda: NOW)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_an_attempt_is_looked_up_with_all_that_a_call_needs(desk: Desk) -> None:
    found = await desk.assignments.assignment(ATTEMPT)
    assert found is not None
    assert found == assignment_of(ATTEMPT, NUMBER, SETTINGS, "/campaigns", CONTACT)
    route = found.route_of(found.route)
    assert (route.dialog, route.language, route.timezone) == (
        "/campaigns/reminder.yaml",
        "ko-KR",
        "America/New_York",
    )
    assert route.given == {"clinic_phone": "+12025550100", "first_name": "Sara"}
    assert found.message is not None
    assert found.message.dialog == "/campaigns/message.yaml"
    assert (found.proven, found.message_proven) == ("", "")
    proof = '{"dialog": {"version": "1"}, "message": {"version": "2"}}'
    proven = assignment_of(ATTEMPT, NUMBER, SETTINGS, "/campaigns", CONTACT, proof)
    assert (proven.proven, proven.message_proven) == ("1", "2")
    await desk.assignments.close()
    assert ("answered", ATTEMPT) in desk.store.told


async def test_unknown_and_closed_attempts_are_about_nothing(desk: Desk) -> None:
    assert await desk.assignments.assignment("0" * 32) is None
    desk.store.state = AttemptState.CLOSED
    assert await desk.assignments.assignment(ATTEMPT) is None


async def test_what_rings_now_is_known_while_the_database_is_away(desk: Desk) -> None:
    desk.store.away = StoreUnavailable("gone")
    assert await desk.assignments.assignment(ATTEMPT) is None
    desk.store.away = None
    await desk.assignments.look_ahead()
    desk.store.away = StoreUnavailable("gone")
    assert await desk.assignments.assignment(ATTEMPT) is not None
    desk.store.away = None
    desk.store.state = AttemptState.CLOSED
    await desk.assignments.look_ahead()
    assert await desk.assignments.assignment(ATTEMPT) is None


async def test_a_database_that_hangs_counts_as_away(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    async def hangs(*_: object, **__: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("voicebot.app.assignments.STORE_LIMIT_S", 0.01)
    monkeypatch.setattr(desk.store, "attempt", hangs)
    monkeypatch.setattr(desk.store, "opt_out", hangs)
    assert await desk.assignments.assignment(ATTEMPT) is None
    await desk.assignments.opted_out(ATTEMPT, NUMBER, "by key")
    assert desk.journal.names() == [f"1-opt-out-{ATTEMPT}"]


async def test_what_happened_meanwhile_is_told_when_the_database_is_back(desk: Desk) -> None:
    desk.store.away = StoreUnavailable("gone")
    await desk.assignments.finished(RESULT)
    await desk.assignments.opted_out(ATTEMPT, NUMBER, "by key")
    assert desk.assignments.pending
    assert not await desk.assignments.replay()
    desk.store.away = None
    after = desk.again()  # a restart in between changes nothing
    assert after.pending
    assert await after.replay()
    assert desk.store.told == [("opt-out", NUMBER, "by key", ATTEMPT), RESULT]
    assert desk.cancelled == ["f" * 32]
    assert desk.journal.names() == []
    assert not after.pending


async def test_an_entry_that_is_none_holds_nobody_up(desk: Desk) -> None:
    desk.journal.keep("1-opt-out-broken", b"{")
    desk.journal.keep(f"2-result-{ATTEMPT}", b"{}")
    desk.store.away = StoreUnavailable("gone")
    await desk.assignments.finished(replace(RESULT, attempt="e" * 32))
    desk.store.away = None
    assert await desk.assignments.replay()
    assert [each.attempt for each in desk.store.told] == ["e" * 32]
    assert desk.journal.names() == ["1-opt-out-broken", f"2-result-{ATTEMPT}"]


async def test_a_full_disk_is_told_and_tried_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    desk.store.away = StoreUnavailable("gone")
    keep = desk.journal.keep
    monkeypatch.setattr(desk.journal, "keep", full)
    with pytest.raises(OSError, match="No space"):
        await desk.assignments.opted_out(ATTEMPT, NUMBER, "by key")
    assert not await desk.assignments.replay()
    monkeypatch.setattr(desk.journal, "keep", keep)
    assert not await desk.assignments.replay()
    assert desk.journal.names() == [f"1-opt-out-{ATTEMPT}"]
    desk.store.away = None
    assert await desk.assignments.replay()
    assert desk.store.told == [("opt-out", NUMBER, "by key", ATTEMPT)]


async def test_it_is_quiet_once_nothing_rings_that_we_placed(desk: Desk) -> None:
    told = assignment_of(ATTEMPT, NUMBER, SETTINGS, "/campaigns", CONTACT)
    desk.assignments.expect(told)
    desk.assignments.expect(replace(told, attempt="e" * 32))
    quiet = asyncio.create_task(desk.assignments.quiet())
    await asyncio.sleep(0)
    desk.assignments.forget("e" * 32)
    await asyncio.sleep(0)
    assert not quiet.done()
    assert await desk.assignments.assignment(ATTEMPT) is told
    await asyncio.wait_for(quiet, 1)
