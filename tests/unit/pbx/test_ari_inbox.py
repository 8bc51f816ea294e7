"""Category: unit. Events find the call they belong to, each once and in order; none is lost in silence."""

from __future__ import annotations

import asyncio

import pytest

from voicebot.ari.events import Event, Vanished, parse
from voicebot.errors import PbxError
from voicebot.pbx.ari_client import FIRST_RETRY_S
from voicebot.pbx.ari_inbox import INBOX_EVENTS, EventInbox, EventRouter
from voicebot.pbx.link import LONGEST_RETRY_S, retry_delays

pytestmark = pytest.mark.unit


def key(channel: str, digit: str = "1") -> Event:
    return parse({"type": "ChannelDtmfReceived", "channel": {"id": channel}, "digit": digit})


def entered(channel: str, bridge: str) -> Event:
    return parse({"type": "ChannelEnteredBridge", "channel": {"id": channel}, "bridge": {"id": bridge}})


def inbox_of(router: EventRouter, *ids: str) -> EventInbox:
    inbox = EventInbox(router)
    for id_ in ids:
        inbox.expect(id_)
    return inbox


async def test_each_call_gets_its_own_events_once_and_in_order() -> None:
    router = EventRouter()
    one, other = inbox_of(router, "1.1", "b1"), inbox_of(router, "1.2")
    events = [key("1.1", "1"), entered("1.1", "b1"), key("1.1", "2")]
    assert all(router.deliver(event) for event in events)
    assert router.deliver(key("1.2"))
    assert not router.deliver(key("1.3"))
    assert [await one.get() for _ in events] == events
    assert await other.get() == key("1.2")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(one.get(), 0)


async def test_an_event_of_two_calls_goes_to_both() -> None:
    router = EventRouter()
    one, other = inbox_of(router, "1.1"), inbox_of(router, "b1")
    router.deliver(entered("1.1", "b1"))
    assert await one.get() == await other.get()


def test_an_id_has_one_owner() -> None:
    router = EventRouter()
    inbox_of(router, "1.1")
    with pytest.raises(ValueError, match="another call"):
        inbox_of(router, "1.1")


def test_a_closed_inbox_holds_nothing() -> None:
    router = EventRouter()
    inbox = inbox_of(router, "1.1", "b1")
    inbox.close()
    inbox.close()
    assert router.held() == frozenset()
    assert not router.deliver(key("1.1"))


def test_only_what_existed_can_go_missing() -> None:
    router = EventRouter()
    inbox = inbox_of(router, "1.1", "m1", "b1")
    inbox.confirm("1.1")
    router.deliver(entered("other", "b1"))
    assert router.live() == {"1.1", "b1"}
    router.deliver(Vanished(id="b1", reason="hung_up"))
    assert router.live() == {"1.1"}
    assert router.held() == {"1.1", "m1", "b1"}


async def test_an_inbox_that_nobody_reads_fails_aloud() -> None:
    router = EventRouter()
    inbox = inbox_of(router, "1.1")
    for _ in range(INBOX_EVENTS + 1):
        router.deliver(key("1.1"))
    with pytest.raises(PbxError, match="some are lost"):
        await inbox.get()


def test_retries_begin_within_a_second_and_never_pause_longer_than_the_cap() -> None:
    for chance in (0.0, 0.5, 0.999):
        delays = retry_delays(FIRST_RETRY_S, lambda chance=chance: chance)
        waits = [next(delays) for _ in range(12)]
        assert FIRST_RETRY_S / 2 <= waits[0] <= 1
        assert waits == sorted(waits)
        assert LONGEST_RETRY_S / 2 <= waits[-1] <= LONGEST_RETRY_S
