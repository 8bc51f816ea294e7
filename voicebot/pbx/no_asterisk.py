"""In the place of Asterisk where there is none: for calls that have no channel in ARI."""

from __future__ import annotations

import asyncio
import os
from types import TracebackType
from typing import Any, Self

from voicebot.ari.ids import ENTROPY_BYTES, Kind, make_id
from voicebot.ari.requests import Request
from voicebot.errors import PbxError
from voicebot.pbx.ari_inbox import EventInbox, EventRouter


class NoAsterisk:
    """Refuses every request, saying `why`. As `AriClient`, as far as gateways, legs and calls use it."""

    def __init__(self, app: str = "voicebot", why: str = "this call has no channel in Asterisk") -> None:
        self.app = app
        self._why = why
        self._router = EventRouter()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    async def wait_closed(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def request(self, request: Request) -> Any:
        raise PbxError(self._why)

    def subscribe(self, *ids: str) -> EventInbox:
        inbox = EventInbox(self._router)
        for id_ in ids:
            inbox.expect(id_)
        return inbox

    def held(self) -> frozenset[str]:
        return frozenset()

    def new_id(self, kind: Kind) -> str:
        return make_id(kind, self.app, os.urandom(ENTROPY_BYTES))
