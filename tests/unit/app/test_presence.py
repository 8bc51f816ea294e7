"""unit: what a gateway tells those who dial, and what it has ready for them."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest

from voicebot.app import presence as module
from voicebot.app.presence import Presence
from voicebot.campaign.campaign import Campaign
from voicebot.config import Route
from voicebot.errors import UserError
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import CampaignRow, CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 15, tzinfo=UTC)
SETTINGS = Campaign.model_validate(
    {
        "campaign": "reminders",
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Green Street Clinic"},
        "trunk": "main",
        "given": {"clinic_phone": "+12025550100"},
        "columns": {"given": {"first_name": "Name"}},
        "answering": {"machine": "message", "message": "message.yaml"},
    }
)


class FakeGateway:
    ready, room, capacity = True, 7, 10

    def __init__(self) -> None:
        self.prepared: list[tuple[str, set[str]]] = []
        self.versions: list[str] = []
        self.broken = False

    async def prepare(
        self, route: Route, names: tuple[str, ...] = (), languages: bool = False, version: str = ""
    ) -> None:
        if self.broken:
            raise UserError("the dialog is gone")
        self.versions.append(version)
        self.prepared.append((route.dialog, {*names}))


class FakeStore:
    def __init__(self) -> None:
        self.proof = ""
        self.beats: list[tuple[int, int]] = []
        self.states: list[tuple[str, str, str]] = []
        self.away = False
        self.told = asyncio.Event()

    async def gateway_alive(self, name: str, capacity: int, calls: int, now: datetime) -> None:
        if self.away:
            raise StoreUnavailable("gone")
        self.beats.append((capacity, calls))
        self.told.set()

    async def campaigns(self, *states: CampaignState) -> tuple[CampaignRow, ...]:
        if self.away:
            raise StoreUnavailable("gone")
        return (CampaignRow(1, "reminders", SETTINGS, "/c", CampaignState.RUNNING, "", self.proof, NOW, NOW),)

    async def set_state(
        self, name: str, state: CampaignState, why: str, now: datetime, *, was: CampaignState
    ) -> None:
        assert was is CampaignState.RUNNING, "whatever a person decided meanwhile stays"
        self.states.append((name, state, why))


@pytest.fixture
def gateway() -> FakeGateway:
    return FakeGateway()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


def present(gateway: FakeGateway, store: FakeStore) -> Presence:
    return Presence(gateway, cast(Store, store), "one", now=lambda: NOW)


async def test_room_is_told_and_none_where_it_is_not_ready(gateway: FakeGateway, store: FakeStore) -> None:
    presence = present(gateway, store)
    await presence.beat()
    gateway.ready = False
    await presence.beat()
    assert store.beats == [(10, 3), (0, 3)]


async def test_a_database_that_is_away_ends_nothing(gateway: FakeGateway, store: FakeStore) -> None:
    store.away = True
    presence = present(gateway, store)
    await presence.beat()
    await presence.prepare()
    assert presence.prepared == {}


async def test_dialogs_of_running_campaigns_are_prepared_once(gateway: FakeGateway, store: FakeStore) -> None:
    presence = present(gateway, store)
    await presence.prepare()
    await presence.prepare()
    names = {"first_name", "clinic_phone"}
    assert gateway.prepared == [("/c/reminder.yaml", names), ("/c/message.yaml", names)]
    assert [*presence.prepared] == ["reminders"]


async def test_the_versions_that_were_proven_are_prepared_and_those_of_a_later_proof(
    gateway: FakeGateway, store: FakeStore
) -> None:
    presence = present(gateway, store)
    for store.proof in ('{"dialog": {"version": "1"}, "message": {"version": "2"}}', "{}"):
        await presence.prepare()
    assert gateway.versions == ["1", "2", "unreadable", "unreadable"]


async def test_a_dialog_that_cannot_be_held_pauses_its_campaign(
    gateway: FakeGateway, store: FakeStore
) -> None:
    gateway.broken = True
    presence = present(gateway, store)
    await presence.prepare()
    assert store.states == [("reminders", CampaignState.PAUSED, "gateway one: the dialog is gone")]
    assert presence.prepared == {}


async def test_that_it_is_not_ready_any_more_is_told_at_once_and_at_the_end(
    gateway: FakeGateway, store: FakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)
    running = asyncio.create_task(present(gateway, store).run())
    for ready, beat in ((True, (10, 3)), (False, (0, 3))):
        gateway.ready = ready
        async with asyncio.timeout(1):
            while not store.beats or store.beats[-1] != beat:
                store.told.clear()
                await store.told.wait()
    running.cancel()
    await asyncio.wait({running})
    assert store.beats[-1] == (0, 0)
