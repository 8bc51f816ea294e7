"""Category: unit. Ringing a telephone: what Asterisk is asked for, and that nothing rings on unasked."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from voicebot.ari.events import Channel, ChannelDestroyed, StasisStart, Vanished
from voicebot.ari.ids import Kind
from voicebot.ari.requests import Request
from voicebot.config import Config, MediaConfig
from voicebot.errors import PbxError
from voicebot.pbx.ari_inbox import EventInbox, EventRouter
from voicebot.switchboard.ringing import NotReached, Ringing

pytestmark = pytest.mark.unit


class Asterisk:
    """Takes requests one by one, when it is let to."""

    app = "voicebot"

    def __init__(self) -> None:
        self.config = Config(media=MediaConfig(codec="alaw"))
        self.ari: Any = self
        self.router = EventRouter()
        self.done: list[Request] = []
        self.fault: PbxError | None = None
        self.ready = asyncio.Event()
        self.ready.set()

    def new_id(self, kind: Kind) -> str:
        return f"vb{kind}1"

    def subscribe(self, *ids: str) -> EventInbox:
        return EventInbox(self.router)

    async def request(self, request: Request) -> None:
        await self.ready.wait()
        self.done.append(request)
        if self.fault is not None:
            raise self.fault

    @property
    def methods(self) -> list[str]:
        return [request.method for request in self.done]


def ringing(asterisk: Any, endpoint: str = "PJSIP/anna") -> Ringing:
    return Ringing(asterisk, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "formats"), [("Local/777@voicebot-handover/n", "alaw"), ("PJSIP/anna", None)]
)
async def test_what_the_dialplan_rings_has_our_format_and_telephones_their_own(
    endpoint: str, formats: str | None
) -> None:
    asterisk = Asterisk()
    await ringing(asterisk, endpoint).begin()
    assert dict(asterisk.done[0].params).get("formats") == formats


async def test_who_gives_up_while_asterisk_is_being_asked_leaves_no_telephone_that_rings() -> None:
    asterisk = Asterisk()
    phone = ringing(asterisk)
    asterisk.ready.clear()
    begun = asyncio.create_task(phone.begin())
    await asyncio.sleep(0)
    begun.cancel()
    ended = asyncio.create_task(phone.hang_up())
    await asyncio.sleep(0)
    assert asterisk.router.held() == {phone.channel_id}, "nobody takes it for an orphan"
    asterisk.ready.set()
    await asyncio.wait({begun, ended})
    assert asterisk.methods == ["POST", "DELETE"], "not the other way round"
    assert begun.cancelled() and not asterisk.router.held()


@pytest.mark.parametrize(
    ("event", "cause"),
    [
        (lambda id_: ChannelDestroyed(channel=Channel(id_), cause=17, cause_txt="busy"), 17),
        (lambda id_: Vanished(id=id_, reason="asterisk_lost"), 0),
    ],
)
async def test_who_is_not_reached_is_told_with_the_cause(event: Any, cause: int) -> None:
    asterisk = Asterisk()
    phone = ringing(asterisk)
    await phone.begin()
    asterisk.router.deliver(event(phone.channel_id))
    with pytest.raises(NotReached) as why:
        await phone.answered()
    assert why.value.cause == cause


async def test_an_answer_is_seen_and_a_refused_request_is_not_reached() -> None:
    asterisk = Asterisk()
    phone = ringing(asterisk)
    await phone.begin()
    asterisk.router.deliver(StasisStart(channel=Channel(phone.channel_id)))
    await asyncio.wait_for(phone.answered(), 1)
    await phone.hang_up()
    asterisk.fault = PbxError("no such endpoint", 400)
    with pytest.raises(NotReached, match="no such endpoint"):
        await ringing(asterisk).begin()


@pytest.mark.parametrize(
    ("endpoint", "state", "why", "remedy"),
    [
        ("PJSIP/anna", "offline", "PJSIP/anna is not registered", "register"),
        ("PJSIP/12025550142@trunk", "offline", "PJSIP/trunk is not registered", "register"),
        ("PJSIP/trunk/sip:1@10.0.0.1", "offline", "PJSIP/trunk is not registered", "register"),
        ("PJSIP/anna", "", "Asterisk knows no PJSIP/anna", "pjsip.conf"),
        ("PJSIP/anna", "online", "Allocation failed", "Asterisk's log"),
    ],
)
async def test_why_asterisk_cannot_ring_is_found_out_and_told_with_a_remedy(
    endpoint: str, state: str, why: str, remedy: str
) -> None:
    class Refusing(Asterisk):
        async def request(self, request: Request) -> Any:
            if request.method == "GET":
                if not state:
                    raise PbxError("Endpoint not found", 404)
                return {"state": state}
            raise PbxError("Asterisk refused: Allocation failed", 500)

    with pytest.raises(NotReached, match=why) as told:
        await ringing(Refusing(), endpoint).begin()
    assert remedy in told.value.remedy
    assert told.value.cause == 0


def test_causes_are_told_in_words() -> None:
    assert str(NotReached(17, "User busy")) == "it is busy"
    assert "connection to Asterisk" in str(NotReached(0, "asterisk_lost"))
    assert "102" in str(NotReached(102))
