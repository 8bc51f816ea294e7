"""The attempts of this dialler that are open, in memory: what paces it, and what it looks after.

The database has all of it; a dialler that starts reads it from there. Counting is cheap, since every decision
to dial asks for it.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from voicebot.campaign.attempt import AttemptState
from voicebot.outbound.recovery import Open

ANSWERS = 2000
"""Latest answers that are remembered, for a gateway's word that is older than they are."""


@dataclass(slots=True)
class Entry:
    """An open attempt.

    begun_at: when it was claimed, in s of the monotonic clock
    look_at:  see `Book.due`
    told:     how far the database was told that it is
    """

    attempt: Open
    begun_at: float
    look_at: float = 0.0
    told: AttemptState = AttemptState.CLAIMED

    @property
    def id(self) -> str:
        return self.attempt.order.attempt

    @property
    def campaign(self) -> str:
        return self.attempt.order.campaign

    @property
    def ringing(self) -> bool:
        """It was not answered yet, as far as we know."""
        return self.attempt.ended_at is None and self.attempt.state is not AttemptState.ANSWERED

    @property
    def undialled(self) -> bool:
        """It did not come to the fence yet, as far as we know."""
        return self.attempt.ended_at is None and self.attempt.state in (
            AttemptState.CLAIMED,
            AttemptState.HANDED,
        )


class Book:
    """All entries, by attempt."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._by_campaign: Counter[str] = Counter()
        self._heap: list[tuple[float, str]] = []
        self.ringing = 0
        self._answers: deque[datetime] = deque(maxlen=ANSWERS)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries.values()))

    def get(self, attempt: str) -> Entry | None:
        return self._entries.get(attempt)

    def of(self, campaign: str) -> int:
        """How many are open of a campaign."""
        return self._by_campaign[campaign]

    def add(self, attempt: Open, begun_at: float, look_at: float) -> Entry:
        """Take an attempt in; one that is known stays as it is."""
        id_ = attempt.order.attempt
        if id_ in self._entries:
            return self._entries[id_]
        entry = self._entries[id_] = Entry(attempt, begun_at)
        self._by_campaign[entry.campaign] += 1
        self.ringing += entry.ringing
        self.look(entry, look_at)
        return entry

    def drop(self, entry: Entry) -> None:
        """It is closed."""
        if self._entries.pop(entry.id, None) is not None:
            self._by_campaign[entry.campaign] -= 1
            self.ringing -= entry.ringing

    def answered_since(self, at: datetime) -> int:
        """How many were answered after `at`."""
        return sum(1 for answer in self._answers if answer > at)

    def answered(self, entry: Entry, at: datetime) -> None:
        """Somebody, or something, took the call."""
        if entry.ringing and entry.id in self._entries:
            self._answers.append(at)
        self.note(entry, state=AttemptState.ANSWERED)

    def note(
        self,
        entry: Entry,
        *,
        state: AttemptState | None = None,
        ended_at: datetime | None = None,
        gone: bool = False,
    ) -> None:
        """It is further along."""
        if entry.id not in self._entries:
            return
        before = entry.ringing
        attempt = entry.attempt
        entry.attempt = replace(
            attempt,
            state=state or attempt.state,
            ended_at=ended_at or attempt.ended_at,
            gone=gone or attempt.gone,
        )
        self.ringing += entry.ringing - before

    def look(self, entry: Entry, at: float) -> None:
        """Have it looked after at `at`, and not at the time set before."""
        entry.look_at = at
        heapq.heappush(self._heap, (at, entry.id))

    def due(self, now: float) -> list[Entry]:
        """Return those whose time to be looked after has come; each is to be given another."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            at, id_ = heapq.heappop(self._heap)
            entry = self._entries.get(id_)
            if entry is not None and entry.look_at == at:
                found.append(entry)
        return found
