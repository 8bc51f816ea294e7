"""What happens in the house right now, told to whoever watches: one stream of small news.

    with hub.watch() as watch:           # first the watch, then look how things stand, then every change
        async for news in watch: ...

Publishing costs a live call microseconds and never waits. A watcher who is too slow loses its place: it gets
one `Lagged` and must look again how things stand.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

Topic = Literal["call", "queue", "agent", "conference", "campaign", "pbx", "health"]
TOPICS: frozenset[str] = frozenset(get_args(Topic))

MOST_NEWS = 2000
"""News that may wait for one watcher."""


@dataclass(frozen=True, slots=True)
class News:
    """Something changed.

    topic, id:  what it is about: a call's id, a queue's, agent's, conference's or campaign's name
    kind:       what happened to it: `began`, `words`, `turn`, `step`, `slots`, `floor`, `state`, `ended`, ...
    data:       what is new, ready for JSON; nothing sensitive
    at:         seconds of the epoch
    """

    topic: Topic
    kind: str
    id: str
    data: dict[str, Any] = field(default_factory=dict)
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Lagged:
    """News were lost: look again how things stand."""


class Hub:
    """Hands news to watchers. Lives on the event loop's thread."""

    def __init__(self, clock: Callable[[], float], most: int = MOST_NEWS) -> None:
        self._clock = clock
        self._most = most
        self._watches: list[Watch] = []

    def now(self) -> float:
        """Return the time of news, in seconds of the epoch."""
        return self._clock()

    def wants(self, topic: Topic, kind: str) -> bool:
        """Whether anybody takes such news: who has to work for them may save it."""
        return any(watch.takes(topic, kind) for watch in self._watches)

    def publish(self, topic: Topic, kind: str, id: str, data: dict[str, Any] | None = None) -> None:
        """Tell all watchers. Never raises, never waits."""
        news: News | None = None
        for watch in self._watches:
            if watch.takes(topic, kind):
                news = news or News(topic, kind, id, data or {}, self._clock())
                watch.put(news)

    def watch(self, *kinds: str, topics: Collection[str] = TOPICS) -> Watch:
        """Return news from now on: of these kinds, or all, and of these topics.

        Whoever watches for long, to count or to keep, names both: words are recognised ahead of their turn,
        and Asterisk's changes put together, only while somebody takes them.
        """
        watch = Watch(self._most, self._watches.remove, kinds, topics)
        self._watches.append(watch)
        return watch


class Watch:
    """One watcher's news, as a context manager and an endless iterator.

    topics: may be set anew; what has come by then stays
    """

    def __init__(
        self,
        most: int,
        left: Callable[[Watch], None],
        kinds: Collection[str] = (),
        topics: Collection[str] = TOPICS,
    ) -> None:
        self.topics = frozenset(topics)
        self._most = most
        self._left = left
        self._kinds = frozenset(kinds)
        self._news: deque[News | Lagged] = deque()
        self._wake = asyncio.Event()
        self._open = True

    def takes(self, topic: Topic, kind: str) -> bool:
        """Whether such news are wanted."""
        return topic in self.topics and (not self._kinds or kind in self._kinds)

    def put(self, news: News) -> None:
        if len(self._news) >= self._most:
            self._news.clear()
            self._news.append(Lagged())
        else:
            self._news.append(news)
        self._wake.set()

    def take(self) -> tuple[News | Lagged, ...]:
        """Return what has come so far."""
        taken = tuple(self._news)
        self._news.clear()
        self._wake.clear()
        return taken

    async def wait(self) -> None:
        """Wait until something has come."""
        await self._wake.wait()

    def close(self) -> None:
        if self._open:
            self._open = False
            self._left(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[News | Lagged]:
        while True:
            await self.wait()
            for news in self.take():
                yield news
