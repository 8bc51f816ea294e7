"""Category: unit. How things stand, for those who begin to watch: one look for all who come together, a new
one for who comes later, and for who has lost news."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from voicebot.call.calls_live import LiveCalls
from voicebot.call.live import Hub
from voicebot.call.record import CallRecord
from voicebot.config import Config
from voicebot.web.house import House
from voicebot.web.live.feed import Feed, Filter
from voicebot.web.live.snapshots import Snapshots
from voicebot.web.live.stream import EventStream

pytestmark = pytest.mark.unit

CALLS = Filter(frozenset(("call",)))
LIMIT_S = 5.0


class Looks(LiveCalls):
    looks = 0

    def calls(self) -> Any:
        self.looks += 1
        return super().calls()

    def one_more(self) -> None:
        self.begin(CallRecord.model_validate({"id": f"c{self.count}", "started_at": "2027-03-01T12:00:00Z"}))


@pytest.fixture
def calls() -> Looks:
    return Looks(Hub(lambda: 7.0, most=3))


@pytest.fixture
def snapshots(calls: Looks) -> Snapshots:
    return Snapshots(House(Config(), calls.hub, calls))


def ids(snapshot: bytes) -> list[str]:
    return [call["id"] for call in json.loads(snapshot)["calls"]]


async def test_who_comes_later_sees_what_has_come_meanwhile(calls: Looks, snapshots: Snapshots) -> None:
    calls.one_more()
    first = await asyncio.gather(*(snapshots.of(CALLS) for _ in range(50)))
    assert set(map(len, map(ids, first))) == {1} and calls.looks == 1
    calls.one_more()
    assert ids(await snapshots.of(CALLS)) == ["c0", "c1"]


async def test_who_has_lost_news_is_shown_anew_how_things_stand(calls: Looks, snapshots: Snapshots) -> None:
    sent: asyncio.Queue[bytes] = asyncio.Queue()
    closing = asyncio.Event()

    async def send(message: Any) -> None:
        sent.put_nowait(message.get("body", b""))

    async def receive() -> Any:
        await closing.wait()
        return {"type": "http.disconnect"}

    async def still() -> bool:
        return True

    async def snapshot() -> list[str]:
        while not (body := await sent.get()).startswith(b"event: snapshot"):
            assert b"event: lagged" not in body
        return ids(body.partition(b"data: ")[2])

    stream = EventStream(Feed(calls.hub), snapshots, CALLS, "vera", still, closing)
    streaming = asyncio.create_task(stream({"type": "http", "path": "/"}, receive, send))
    async with asyncio.timeout(LIMIT_S):
        assert await snapshot() == []
        for _ in range(10):
            calls.one_more()
        assert len(await snapshot()) == 10
        closing.set()
        await streaming
