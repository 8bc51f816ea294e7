"""Events on their way from the one websocket to the calls they belong to.

An `EventInbox` is what a call holds: it takes the events of every id that the call registered, in order, each
once. The `EventRouter` is the client's side: it knows which id belongs to which inbox.
"""

from __future__ import annotations

import asyncio
from collections import deque

from voicebot.ari.events import Event, Vanished, ids_of
from voicebot.errors import PbxError

INBOX_EVENTS = 1000
"""Events that may wait in one inbox. A call has about 30 in all: more means that nobody reads it."""


class EventInbox:
    """The events of one call. Read it with `async for` or `get()`; `close()` is due on every path."""

    def __init__(self, router: EventRouter) -> None:
        self._router = router
        self._events: deque[Event] = deque()
        self._ready = asyncio.Event()
        self._overflow = False
        self.ids: set[str] = set()
        self.live: set[str] = set()

    def expect(self, id_: str) -> None:
        """Register an id that is about to be created; do so before the request that creates it."""
        self.ids.add(id_)
        self._router.register(id_, self)

    def confirm(self, id_: str) -> None:
        """Say that `id_` exists now (its events say so too): from here on it can be found missing."""
        if id_ in self.ids:
            self.live.add(id_)

    def forget(self, id_: str) -> None:
        """Stop following `id_`."""
        self.ids.discard(id_)
        self.live.discard(id_)
        self._router.unregister(id_, self)

    def put(self, event: Event) -> None:
        """Add an event, never blocking. An inbox that nobody reads fails at the reader, not in silence."""
        if len(self._events) >= INBOX_EVENTS:
            self._overflow = True
        else:
            self._events.append(event)
            self.live.update(self.ids.intersection(ids_of(event)))
        if isinstance(event, Vanished):
            self.live.discard(event.id)
        self._ready.set()

    async def get(self) -> Event:
        """Return the next event. Raises PbxError where events were lost because nobody read them."""
        while not self._events:
            self._ready.clear()
            await self._ready.wait()
        if self._overflow:
            raise PbxError(f"more than {INBOX_EVENTS} events waited for one call; some are lost")
        return self._events.popleft()

    def __aiter__(self) -> EventInbox:
        return self

    async def __anext__(self) -> Event:
        return await self.get()

    def close(self) -> None:
        """Stop following everything; idempotent."""
        for id_ in tuple(self.ids):
            self.forget(id_)


class EventRouter:
    """Which inbox an id belongs to."""

    def __init__(self) -> None:
        self._inboxes: dict[str, EventInbox] = {}

    def register(self, id_: str, inbox: EventInbox) -> None:
        if self._inboxes.get(id_, inbox) is not inbox:
            raise ValueError(f"{id_} is followed by another call already")
        self._inboxes[id_] = inbox

    def release(self, id_: str) -> None:
        """Take an id from the inbox that follows it, if one does."""
        if inbox := self._inboxes.get(id_):
            inbox.forget(id_)

    def unregister(self, id_: str, inbox: EventInbox) -> None:
        if self._inboxes.get(id_) is inbox:
            del self._inboxes[id_]

    def deliver(self, event: Event) -> bool:
        """Give an event to every inbox that follows one of its ids, each once; False if none does."""
        takers = {inbox for id_ in ids_of(event) if (inbox := self._inboxes.get(id_))}
        for inbox in takers:
            inbox.put(event)
        return bool(takers)

    def held(self) -> frozenset[str]:
        """Return every id that some call follows."""
        return frozenset(self._inboxes)

    def live(self) -> frozenset[str]:
        """Return those of them that are known to have existed."""
        return frozenset(id_ for id_, inbox in self._inboxes.items() if id_ in inbox.live)
