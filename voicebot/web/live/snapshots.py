"""How things stand, for those who begin to watch: put together once for all who come at the same time."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from voicebot.web.aside import aside
from voicebot.web.house import House
from voicebot.web.live.feed import Filter
from voicebot.web.plain import encoded, plain

GATHER_S = 0.03
"""Browsers that come within this time, as after a lost connection, share one snapshot."""


class Snapshots:
    """Of one house."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._coming: dict[Filter, asyncio.Task[bytes]] = {}

    async def of(self, filter: Filter) -> bytes:
        """Return JSON of how things stand. Look after joining the feed: then nothing is missed."""
        coming = self._coming.get(filter)
        if coming is None:
            coming = self._coming[filter] = asyncio.create_task(self._make(filter), name="snapshot")
        return await asyncio.shield(coming)

    async def _make(self, filter: Filter) -> bytes:
        await asyncio.sleep(GATHER_S)
        del self._coming[filter]  # who comes from now on needs another look
        views = self._look(filter)
        return await aside(lambda: encoded(_told(views)))

    def _look(self, filter: Filter) -> dict[str, Any]:
        """Collect the views, which are immutable: they are put into words in a thread."""
        house, topics = self._house, filter.topics
        views: dict[str, Any] = {}
        if "call" in topics:
            if filter.id:
                call = house.calls.call(filter.id)
                views["calls"] = [call] if call is not None else []
            else:
                views["calls"] = list(house.calls.calls())
        if house.queues is not None:
            if "queue" in topics:
                views["queues"] = list(house.queues.queues())
            if "agent" in topics:
                views["agents"] = list(house.queues.agents())
        if "conference" in topics and house.conferences is not None:
            views["rooms"] = list(house.conferences.rooms())
        if "pbx" in topics and house.pbx is not None:
            views["pbx"] = house.pbx.state()
        if "health" in topics:
            views["health"] = house.condition()
        views["at"] = time.time()
        views["turns"] = bool(filter.id)
        return views


def _told(views: dict[str, Any]) -> dict[str, Any]:
    turns = views.pop("turns")
    told = {name: plain(view) for name, view in views.items() if name != "calls"}
    if "calls" in views:
        told["calls"] = [call.as_dict(turns=turns) for call in views["calls"]]
    return told
