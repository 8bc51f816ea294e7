"""The ARI client and legs on tone ports: a gateway without speech, for tests of the PBX side alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from tests.contract.media import TonePort
from tests.contract.pbx import Pbx
from voicebot.ari.events import Event, StasisStart
from voicebot.call.leg import Leg
from voicebot.pbx.ari_client import AriClient
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.link import Link

SOON_S = 2.0


class Gateway:
    """The client with a queue of new callers, and legs on tone ports."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self.links: list[Link] = []
        self._changed = asyncio.Event()
        self._callers: asyncio.Queue[tuple[StasisStart, EventInbox]] = asyncio.Queue()
        self.ari = AriClient(
            settings["ari_url"],
            settings["ari_user"],
            settings["ari_password"],
            settings["app"],
            on_unclaimed=self._new_caller,
            on_link=self._note,
        )

    def _note(self, link: Link, why: str) -> None:
        self.links.append(link)
        self._changed.set()

    async def until(self, link: Link, timeout: float) -> None:
        """Wait until the client's link is in this state."""
        async with asyncio.timeout(timeout):
            while self.links[-1] is not link:
                self._changed.clear()
                await self._changed.wait()

    def _new_caller(self, event: Event) -> None:
        if isinstance(event, StasisStart):
            self._callers.put_nowait((event, self.ari.subscribe(event.channel.id)))

    async def leg(self) -> tuple[Leg, TonePort]:
        """Return the leg, not yet entered, of the next caller."""
        async with asyncio.timeout(SOON_S):
            start, inbox = await self._callers.get()
        port = await TonePort().open()
        return Leg(self.ari, start.channel.id, port, inbox), port


async def nothing_left(pbx: Pbx, but: int = 0) -> None:
    """Wait until the PBX has no channel and bridge (but so many): its own tidying takes a moment."""
    left: list[str] = []
    try:
        async with asyncio.timeout(SOON_S):
            while len(left := await pbx.left_over()) > but:  # noqa: ASYNC110 - the PBX tells nobody
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"left over: {left}")
    assert len(left) == but
