"""Category: unit. News for browsers: put into words once, bounded, and only what was asked for."""

from __future__ import annotations

import pytest

from voicebot.call.live import Hub
from voicebot.web.live import feed as feeds
from voicebot.web.live.feed import LAGGED, Feed, Filter

pytestmark = pytest.mark.unit

CALLS = Filter(frozenset(("call",)))


def hub(most: int = 2000) -> Hub:
    return Hub(lambda: 12.5, most)


async def test_readers_get_their_topics_and_ids() -> None:
    feed = Feed(house := hub())
    one, all_calls = feed.join(Filter(frozenset(("call",)), "b")), feed.join(CALLS)
    house.publish("call", "step", "a", {"step": "day"})
    house.publish("queue", "changed", "b")
    house.publish("call", "step", "b", {"step": "hour"})

    assert await one.next() == (
        b"event: call.step\n"
        b'data: {"topic":"call","kind":"step","id":"b","at":12.5,"data":{"step":"hour"}}\n\n'
    )
    assert (await all_calls.next() or b"").count(b"event:") == 2
    feed.close()


async def test_fifty_readers_cost_one_encoding(monkeypatch: pytest.MonkeyPatch) -> None:
    feed, encodings = Feed(house := hub()), []
    monkeypatch.setattr(feeds, "encoded", lambda value: encodings.append(value) or b"{}")
    readers = [feed.join(CALLS) for _ in range(50)]
    house.publish("call", "step", "a", {"step": "day"})

    batches = [await reader.next() for reader in readers]

    assert len(encodings) == 1
    assert all(batch is batches[0] or batch == batches[0] for batch in batches)
    feed.close()


async def test_of_words_the_latest_of_each_call_is_sent() -> None:
    feed = Feed(house := hub())
    reader = feed.join(CALLS)
    for text in ("half", "half past", "half past ten"):
        house.publish("call", "words", "a", {"text": text})
    house.publish("call", "words", "b", {"text": "yes"})

    batch = await reader.next() or b""

    assert batch.count(b"call.words") == 2
    assert b'"half past ten"' in batch
    feed.close()


async def test_who_is_too_slow_is_dropped_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "MOST_WAITING_BYTES", 3000)
    feed = Feed(house := hub())
    slow, quick = feed.join(CALLS), feed.join(CALLS)
    for n in range(10):
        house.publish("call", "saying", str(n), {"text": "x" * 500})
        assert await quick.next()

    assert await slow.next() is None
    assert slow.lost
    assert not quick.lost
    feed.close()


async def test_lost_news_are_told() -> None:
    feed = Feed(house := hub(most=2))
    reader = feed.join(CALLS)
    for n in range(5):
        house.publish("call", "step", str(n))

    assert LAGGED in (await reader.next() or b"")
    feed.close()


async def test_only_what_somebody_reads_is_wanted() -> None:
    feed = Feed(house := hub())
    reader = feed.join(CALLS)
    assert house.wants("call", "words") and not house.wants("pbx", "changed")
    other = feed.join(Filter(frozenset(("pbx", "health"))))
    assert house.wants("call", "words") and house.wants("pbx", "changed")
    feed.leave(reader)

    assert not house.wants("call", "words") and house.wants("pbx", "changed")
    feed.leave(other)
    assert not house.wants("pbx", "changed")
    assert await reader.next() is None
