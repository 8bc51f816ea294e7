"""Events of the manager interface on their way to one reader, who may be slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from voicebot.ami.events import Event, Missed


class Subscription:
    """Events for one reader, in their order; `async for` over it, close it (or use it as a context).

    Who reads too slowly loses events, never in silence: a `Missed` with their number stands in their place,
    and the list of `LiveChannels` follows. The iteration ends when the client is closed.
    """

    def __init__(self, most: int, leave: Callable[[Subscription], None], on_loss: Callable[[], None]) -> None:
        self._most = most
        self._leave = leave
        self._on_loss = on_loss
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._lost = 0
        self._closed = False

    def put(self, event: Event) -> None:
        """Add an event, never blocking."""
        if len(self._events) >= self._most:
            self._lost += 1
        else:
            self._note_losses()
            self._events.append(event)
        self._ready.set()

    def end(self) -> None:
        """No more will come."""
        self._closed = True
        self._ready.set()

    async def __anext__(self) -> Event:
        while not self._events:
            self._note_losses()
            if self._events:
                break
            if self._closed:
                raise StopAsyncIteration
            self._ready.clear()
            await self._ready.wait()
        return self._events.popleft()

    def __aiter__(self) -> Self:
        return self

    def close(self) -> None:
        """Take no more events; idempotent."""
        self._leave(self)
        self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _note_losses(self) -> None:
        if self._lost:
            self._events.append(Missed("they came faster than they were read", self._lost))
            self._lost = 0
            self._on_loss()
