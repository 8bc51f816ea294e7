"""One browser's server-sent events: a snapshot, then news, and a word now and then that we are there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from voicebot.web.live.feed import LAGGED, Feed, Filter, event
from voicebot.web.live.snapshots import Snapshots

log = structlog.get_logger(__name__)

HEART_S = 15.0
SLOW_S = 10.0
"""A browser that takes so long to take what it is sent loses the connection."""
AGAIN_MS = 1000
"""After which browsers come back when the connection was lost."""
HEAD = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """An answer that goes on. owner: who asked; still: whether they are still welcome; closing: the panel
    ends."""

    media_type = "text/event-stream"

    def __init__(
        self,
        feed: Feed,
        snapshots: Snapshots,
        filter: Filter,
        owner: str,
        still: Callable[[], Awaitable[bool]],
        closing: asyncio.Event,
    ) -> None:
        super().__init__()
        self._feed, self._snapshots, self._filter, self._owner = feed, snapshots, filter, owner
        self._still, self._closing = still, closing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tasks = [
            asyncio.create_task(self._run(send), name="event stream"),
            asyncio.create_task(_gone(receive), name="browser left"),
            asyncio.create_task(self._closing.wait(), name="panel closes"),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not tasks[0].cancelled() and (error := tasks[0].exception()) is not None:
            if not isinstance(error, TimeoutError):
                raise error
            log.info("a browser was too slow", path=scope["path"])
            return
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(SLOW_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, send: Send) -> None:
        reader = self._feed.join(self._filter, self._owner)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": list(HEAD)})
            await self._write(send, f"retry: {AGAIN_MS}\n\n".encode())
            await self._write(send, await self._how_things_stand())
            asked_at = time.monotonic()
            while True:
                try:
                    async with asyncio.timeout(HEART_S):
                        batch = await reader.next()
                except TimeoutError:
                    batch = b": here\n\n"
                if batch is None:
                    if reader.lost:
                        log.info("a browser was too slow", waiting="too much")
                    return
                if LAGGED in batch:
                    batch = await self._how_things_stand()
                await self._write(send, batch)
                if time.monotonic() - asked_at >= HEART_S:
                    asked_at = time.monotonic()
                    if not await self._still():
                        await self._write(send, event("signed_out", b"{}"))
                        return
        finally:
            self._feed.leave(reader)

    async def _how_things_stand(self) -> bytes:
        return event("snapshot", await self._snapshots.of(self._filter))

    async def _write(self, send: Send, text: bytes) -> None:
        async with asyncio.timeout(SLOW_S):
            await send({"type": "http.response.body", "body": text, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
