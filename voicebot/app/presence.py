"""A gateway's word to those who dial: how many calls it could take, and that it has their dialogs ready."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

import structlog

from voicebot.app.assignments import proven_of, routes_of
from voicebot.config import Route
from voicebot.errors import UserError
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import CampaignRow, CampaignState
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

BEAT_S = 3.0
"""Between two heartbeats; the store believes one for FRESH_S."""
LOOK_S = 0.1
"""Between two looks whether the gateway is ready: that it is not any more is told at once."""
PREPARE_S = 1.0
"""Between two looks which campaigns run."""
LAST_WORD_S = 1.0


class Ready(Protocol):
    """A gateway, as it is seen here."""

    @property
    def ready(self) -> bool: ...

    @property
    def room(self) -> int: ...

    @property
    def capacity(self) -> int: ...

    async def prepare(
        self, route: Route, names: tuple[str, ...] = (), languages: bool = False, version: str = ""
    ) -> None: ...


class Presence:
    """Tells the store of one gateway, and prepares what running campaigns need. `run()` until cancelled.

    prepared: campaigns whose dialogs are loaded, checked and rendered here
    """

    def __init__(
        self,
        gateway: Ready,
        store: Store,
        name: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._gateway = gateway
        self._store = store
        self._name = name
        self._now = now
        self._away = False
        self.prepared: dict[str, CampaignRow] = {}

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._beat_on(), name="heartbeat")
                group.create_task(self._keep_prepared(), name="dialogs of campaigns")
        finally:
            await self._say_goodbye()

    async def _beat_on(self) -> None:
        loop = asyncio.get_running_loop()
        told: bool | None = None
        due = loop.time()
        while True:
            ready = self._gateway.ready
            if ready is not told or loop.time() >= due:
                await self.beat()
                told, due = ready, loop.time() + BEAT_S
            await asyncio.sleep(LOOK_S)

    async def _keep_prepared(self) -> None:
        while True:
            try:
                await self.prepare()
            except Exception:  # one campaign's dialog must not end the word of all
                log.exception("campaigns not prepared")
            await asyncio.sleep(PREPARE_S)

    async def beat(self) -> None:
        """Tell how much room there is."""
        gateway = self._gateway
        capacity = gateway.capacity if gateway.ready else 0
        try:
            calls = gateway.capacity - gateway.room
            await self._store.gateway_alive(self._name, capacity, calls, self._now())
        except StoreUnavailable as error:
            if not self._away:
                log.warning("database away; calls that live go on, no new ones are dialled", why=str(error))
            self._away = True
        else:
            self._away = False

    async def prepare(self) -> None:
        """Make the dialogs of running campaigns ready; one that cannot be pauses its campaign."""
        try:
            running = await self._store.campaigns(CampaignState.RUNNING)
            for row in running:
                before = self.prepared.get(row.name)
                if before is None or (before.settings, before.proof) != (row.settings, row.proof):
                    await self._prepare(row)
            self.prepared = {row.name: row for row in running if row.name in self.prepared}
        except StoreUnavailable:
            return

    async def _prepare(self, row: CampaignRow) -> None:
        names = (*row.settings.columns.given, *row.settings.given)
        languages = bool(row.settings.columns.language)
        try:
            routes = zip(routes_of(row.settings, row.folder), proven_of(row.proof), strict=True)
            for route, version in routes:
                if route is not None:
                    await self._gateway.prepare(route, names, languages, version)
        except UserError as error:
            why = f"gateway {self._name}: {error.problems[0]}"
            log.error("campaign paused: its dialog cannot be held", campaign=row.name, why=str(error))
            running = CampaignState.RUNNING
            await self._store.set_state(row.name, CampaignState.PAUSED, why, self._now(), was=running)
        else:
            self.prepared[row.name] = row
            log.info("campaign prepared", campaign=row.name)

    async def _say_goodbye(self) -> None:
        try:
            async with asyncio.timeout(LAST_WORD_S):
                await self._store.gateway_alive(self._name, 0, 0, self._now())
        except (StoreUnavailable, TimeoutError):
            return
