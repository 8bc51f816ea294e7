"""News for browsers: each is put into words once, however many watch.

    reader = feed.join(Filter(frozenset({"call"})))
    while batch := await reader.next(): ...
    feed.leave(reader)

Readers who want the same share one stream, and its batches. Only what somebody reads is watched.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from voicebot.call.live import Hub, Lagged, News, Watch
from voicebot.web.plain import encoded

BATCH_S, BATCH_MORE_S, MOST_BATCH_S = 0.02, 0.001, 0.08
"""News are gathered for so long, and longer the more browsers there are to write to."""
MOST_WAITING_BYTES = 2_000_000
"""For one reader; one who is slower loses the connection, and looks anew."""
SLICE = 100
"""News that are put into words before others get their turn."""
AT_ONCE = 5
"""Readers that are woken together: writing to one takes 0.1 ms, and the tick of all calls must not wait."""
LAST_COUNTS = frozenset(("words",))
"""Of these only the last of a batch is sent: each replaces the one before."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader wants: topics, and if `id` is given, only what concerns it."""

    topics: frozenset[str]
    id: str = ""


class Reader:
    """One browser. owner: whose it is"""

    def __init__(self, filter: Filter, owner: str) -> None:
        self.filter = filter
        self.owner = owner
        self.lost = False
        self._batches: deque[bytes] = deque()
        self._waiting = 0
        self._wake = asyncio.Event()
        self._open = True

    def put(self, batch: bytes) -> None:
        if not self._open:
            return
        self._waiting += len(batch)
        if self._waiting > MOST_WAITING_BYTES:
            self.lost = True
            self.close()
            return
        self._batches.append(batch)
        self._wake.set()

    def close(self) -> None:
        self._open = False
        self._batches.clear()
        self._wake.set()

    async def next(self) -> bytes | None:
        """Wait for news; None: it is over, or (`lost`) this reader was too slow."""
        await self._wake.wait()
        if not self._open:
            return None
        taken = b"".join(self._batches)
        self._batches.clear()
        self._waiting = 0
        self._wake.clear()
        return taken


LAGGED = b"event: lagged\ndata: {}\n\n"
"""Some news were lost: look anew how things stand."""


class Feed:
    """All readers of a panel. Lives on the event loop's thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._streams: dict[Filter, set[Reader]] = {}
        self._watch: Watch | None = None
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def readers(self) -> int:
        return sum(map(len, self._streams.values()))

    def readers_of(self, owner: str) -> int:
        return sum(reader.owner == owner for stream in self._streams.values() for reader in stream)

    def join(self, filter: Filter, owner: str = "") -> Reader:
        """Return news from now on."""
        reader = Reader(filter, owner)
        if self._closed:
            reader.close()
            return reader
        self._streams.setdefault(filter, set()).add(reader)
        if self._task is None or self._task.done():
            # at once: nothing may come between this and a look at how things stand
            self._watch = self._hub.watch(topics=())
            self._task = asyncio.create_task(self._run(self._watch), name="panel news")
        self._want()
        return reader

    def leave(self, reader: Reader) -> None:
        reader.close()
        stream = self._streams.get(reader.filter)
        if stream is not None:
            stream.discard(reader)
            if not stream:
                del self._streams[reader.filter]
                self._want()
        if not self._streams and self._task is not None and self._watch is not None:
            self._watch.close()  # here: a task that never began could not
            self._task.cancel()
            self._task = self._watch = None

    def _want(self) -> None:
        """Take what some reader wants, and nothing else: it would be made for nobody."""
        if self._watch is not None:
            self._watch.topics = frozenset(topic for filter in self._streams for topic in filter.topics)

    def close(self) -> None:
        """End all readers."""
        self._closed = True
        for stream in list(self._streams.values()):
            for reader in list(stream):
                self.leave(reader)

    async def _run(self, watch: Watch) -> None:
        while True:
            await watch.wait()
            await asyncio.sleep(min(BATCH_S + BATCH_MORE_S * self.readers, MOST_BATCH_S))
            await self._spread(watch.take())

    async def _spread(self, taken: tuple[News | Lagged, ...]) -> None:
        latest = _latest(taken)
        parts: dict[Filter, list[bytes]] = {}
        for at, news in enumerate(taken):
            if at % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            if isinstance(news, Lagged):
                for filter in self._streams:
                    parts.setdefault(filter, []).append(LAGGED)
                continue
            if news.kind in LAST_COUNTS and latest[news.topic, news.kind, news.id] != at:
                continue
            text = b""
            for filter in self._streams:
                if news.topic in filter.topics and (not filter.id or filter.id == news.id):
                    text = text or in_words(news)
                    parts.setdefault(filter, []).append(text)
        told = 0
        for filter, texts in parts.items():
            batch = b"".join(texts)
            for reader in tuple(self._streams.get(filter, ())):
                reader.put(batch)
                told += 1
                if told % AT_ONCE == 0:
                    await asyncio.sleep(0)


def _latest(taken: tuple[News | Lagged, ...]) -> dict[tuple[str, str, str], int]:
    return {
        (news.topic, news.kind, news.id): at
        for at, news in enumerate(taken)
        if isinstance(news, News) and news.kind in LAST_COUNTS
    }


def in_words(news: News) -> bytes:
    """Return a server-sent event: its name is `topic.kind`."""
    data = encoded({"topic": news.topic, "kind": news.kind, "id": news.id, "at": news.at, "data": news.data})
    return event(f"{news.topic}.{news.kind}", data)


def event(name: str, data: bytes) -> bytes:
    """Return a server-sent event. JSON has no line ends in it."""
    return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"
