"""Who did what, and when: kept in the store, and in the log where the store is away."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog

from voicebot.store.errors import StoreUnavailable
from voicebot.store.panel_rows import PanelAction
from voicebot.web.problems import Trouble
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.roles import Identity

log = structlog.get_logger(__name__)

CLOSE_S = 1.0
REFUSED = 400
REFUSALS_A_MINUTE = 30
"""Kept of one person: a flood would fill the disk, and keep out what others did."""


class Journal:
    """Writes in the background: nobody waits for it."""

    def __init__(self, doorkeeper: Doorkeeper) -> None:
        self._doorkeeper = doorkeeper
        self._writing: set[asyncio.Task[None]] = set()
        self._minute = 0
        self._refused: Counter[str] = Counter()

    def note(
        self,
        who: Identity,
        what: str,
        target: str,
        detail: Mapping[str, Any],
        address: str,
        status: int = 200,
    ) -> None:
        """Keep it. status: as HTTP has it, also of what was refused."""
        now = self._doorkeeper.now()
        if status >= REFUSED and not self._room(who.name, int(now.timestamp() // 60)):
            return
        action = PanelAction(now, who.name, what[:64], target[:200], dict(detail), address, status)
        log.info("panel", who=who.name, what=action.what, target=action.target, status=status)
        task = asyncio.create_task(self._write(action), name="panel journal")
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    def _room(self, who: str, minute: int) -> bool:
        """Whether one refusal more of somebody is kept."""
        if minute != self._minute:
            self._minute, self._refused = minute, Counter()
        self._refused[who] += 1
        if self._refused[who] == REFUSALS_A_MINUTE + 1:
            log.warning("too many refusals: no more are kept in this minute", who=who)
        return self._refused[who] <= REFUSALS_A_MINUTE

    async def _write(self, action: PanelAction) -> None:
        try:
            await self._doorkeeper.store.panel.note(action)
        except (StoreUnavailable, Trouble) as error:
            log.warning("action not kept", who=action.who, what=action.what, error=str(error))

    async def close(self) -> None:
        """Finish what is being written."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=CLOSE_S)
