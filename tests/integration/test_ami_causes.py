"""Category: integration. What becomes of calls through a SIP trunk, as a real Asterisk tells it over AMI."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import UnionType
from typing import Any

import pytest

from tests.integration.conftest import RealAsterisk
from tests.simulator.pbx.ami_callee import RINGS, Callees, Manner
from voicebot.ami.actions import Originate
from voicebot.ami.events import Event, LiveChannels, OriginateResponse
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.causes import of_file
from voicebot.campaign.following import (
    GRACE,
    Answered,
    Dialling,
    Ended,
    Following,
    Progress,
    Ringing,
    Unclear,
)
from voicebot.pbx.ami_client import AmiClient

pytestmark = pytest.mark.integration

SOON_S = 10.0
RING_S = 1
MOST_EVENTS = 20
BURST = 200
BURST_RING_S = 20
RELOAD = "module reload res_pjsip.so"
TRUNK = """
[trunk](loopback)
aors = trunk

[trunk]
type = aor
contact = sip:127.0.0.1:{port}
qualify_frequency = 0
"""


class Campaign:
    """Attempts through one Asterisk, originated and followed, one after the other."""

    def __init__(self, pbx: RealAsterisk, ami: AmiClient) -> None:
        self.pbx, self.ami = pbx, ami
        self.following = Following()
        self.events: list[Event] = []
        self.progress: list[Progress] = []
        self._changed = asyncio.Event()

    async def read(self) -> None:
        with self.ami.subscribe() as events:
            async for event in events:
                self.events.append(event)
                self.progress += self.following.event(event, datetime.now(UTC))
                self._changed.set()

    async def originate(
        self, dial: str, *, attempt: str = "", expires_s: float = 60, ring_s: int = RING_S
    ) -> str:
        """Have `dial` dialled, as a campaign with `way: originate` does."""
        attempt = attempt or uuid.uuid4().hex
        action_id = uuid.uuid4().hex
        self.following.expect(attempt, action_id)
        variables = {
            "VOICEBOT_ATTEMPT": attempt,
            "VOICEBOT_DIAL": dial,
            "VOICEBOT_RING": str(ring_s),
            "VOICEBOT_EXPIRES": str(int(time.time() + expires_s)),
            "VOICEBOT_AMD": "0",
        }
        local = f"Local/{attempt}@voicebot-dial/n"
        await self.ami.action(
            Originate(local, "voicebot-answered", attempt, variables=variables), action_id=action_id
        )
        return attempt

    async def seen(self, kind: type | UnionType, attempt: str = "") -> Any:
        """Return the first event or progress of this kind (of this attempt), waiting for it if need be."""
        async with asyncio.timeout(SOON_S):
            while True:
                for found in (*self.progress, *self.events):
                    if isinstance(found, kind) and getattr(found, "attempt", "") in (attempt, ""):
                        return found
                await self.changed()

    async def changed(self) -> None:
        """Wait for the next event."""
        self._changed.clear()
        await self._changed.wait()

    async def end_of(self, attempt: str) -> Ended | Unclear:
        found: Ended | Unclear = await self.seen(Ended | Unclear, attempt)
        return found

    def ended_file(self, attempt: str) -> dict[str, str]:
        """What the dialplan wrote, as `key=value` words; `tech` is the rest of the line."""
        line = (self.pbx.state / "spool" / "voicebot" / "ended" / attempt).read_text().strip()
        words, _, tech = line.partition(" tech=")
        return dict(word.partition("=")[::2] for word in words.split()) | {"tech": tech}


@pytest.fixture
async def callees(pbx: RealAsterisk) -> AsyncIterator[Callees]:
    """Everybody whom the trunk `trunk` reaches."""
    pjsip = pbx.state / "etc" / "pjsip.conf"
    shipped = pjsip.read_text()
    async with Callees() as people:
        pjsip.write_text(shipped + TRUNK.format(port=people.port))
        pbx.cli(RELOAD)
        try:
            yield people
        finally:
            pjsip.write_text(shipped)
            pbx.cli(RELOAD)


@pytest.fixture
async def campaign(pbx: RealAsterisk, callees: Callees) -> AsyncIterator[Campaign]:
    known = pbx.facts
    address = known["ami_host"], known["ami_port"]
    async with AmiClient(*address, known["dialler_user"], known["dialler_password"]) as ami:
        campaign = Campaign(pbx, ami)
        reader = asyncio.create_task(campaign.read())
        try:
            yield campaign
        finally:
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)


@pytest.mark.parametrize(
    ("status", "cause", "expected"),
    [
        (302, 23, Disposition.NO_ANSWER),
        (404, 1, Disposition.INVALID),
        (484, 28, Disposition.INVALID),
        (486, 17, Disposition.BUSY),
        (600, 17, Disposition.BUSY),
        (480, 19, Disposition.NO_ANSWER),
        (408, 18, Disposition.NO_ANSWER),
        (403, 21, Disposition.REJECTED),
        (603, 21, Disposition.REJECTED),
        (503, 34, Disposition.CONGESTION),
        (500, 38, Disposition.TRUNK_FAILURE),
        (502, 27, Disposition.TRUNK_FAILURE),
        (488, 58, Disposition.CODEC_ERROR),
    ],
)
async def test_a_refusal(
    campaign: Campaign, callees: Callees, status: int, cause: int, expected: Disposition
) -> None:
    callees.otherwise = Manner(refuse=status)
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended)
    assert (end.result.disposition, end.result.cause, end.result.sip) == (expected, cause, status)
    assert [type(each) for each in campaign.progress] == [Dialling, Ended]
    assert callees.invited == ["+12025550142"]
    left = campaign.ended_file(attempt)
    assert of_file(left["status"], int(left["cause"]), left["tech"]) is expected, "both ways agree"


async def test_ringing_in_vain(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = RINGS
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.NO_ANSWER
    assert [type(each) for each in campaign.progress] == [Dialling, Ringing, Ended]
    left = campaign.ended_file(attempt)
    assert of_file(left["status"], int(left["cause"]), left["tech"]) is Disposition.NO_ANSWER


async def test_a_trunk_that_says_nothing(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = Manner(silent=True)
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.TRUNK_FAILURE
    left = campaign.ended_file(attempt)
    assert of_file(left["status"], int(left["cause"]), left["tech"]) is Disposition.TRUNK_FAILURE


async def test_no_such_trunk(campaign: Campaign) -> None:
    attempt = await campaign.originate("PJSIP/+12025550142@nowhere")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.TRUNK_FAILURE


async def test_an_answer_and_a_hang_up(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = Manner(answer_s=0.05, hang_up_s=0.3)
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.ANSWERED
    assert [type(each) for each in campaign.progress] == [Dialling, Ringing, Answered, Ended]
    assert end.answered_at is not None
    assert 0.2 < (end.result.at - end.answered_at).total_seconds() < 2
    assert not campaign.following.attempts


async def test_a_call_file_is_followed_alike(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = Manner(refuse=486)
    attempt = uuid.uuid4().hex
    spool = campaign.pbx.state / "spool"
    aside = spool / f"{attempt}.call"
    aside.write_text(
        f"Channel: Local/{attempt}@voicebot-dial/n\nContext: voicebot-answered\nExtension: {attempt}\n"
        f"Setvar: VOICEBOT_ATTEMPT={attempt}\nSetvar: VOICEBOT_DIAL=PJSIP/+12025550142@trunk\n"
        f"Setvar: VOICEBOT_RING={RING_S}\nSetvar: VOICEBOT_EXPIRES={int(time.time()) + 60}\n"
    )
    aside.rename(spool / "outgoing" / aside.name)
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.BUSY


async def test_too_late_is_not_dialled(campaign: Campaign, callees: Callees) -> None:
    attempt = await campaign.originate("PJSIP/+12025550142@trunk", expires_s=-10)
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.EXPIRED
    assert callees.invited == []


async def test_a_second_try_of_the_same_attempt_is_not_dialled(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = Manner(refuse=486)
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    await campaign.end_of(attempt)
    campaign.progress.clear()
    await campaign.originate("PJSIP/+12025550142@trunk", attempt=attempt)
    assert isinstance(await campaign.end_of(attempt), Unclear)
    assert callees.invited == ["+12025550142"]


async def test_a_crash_of_asterisk_leaves_a_ringing_call_unclear(
    campaign: Campaign, callees: Callees
) -> None:
    callees.otherwise = RINGS
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    await campaign.seen(Ringing, attempt)
    await asyncio.to_thread(campaign.pbx.restart, crash=True)
    await campaign.seen(LiveChannels)
    found = campaign.following.settle(datetime.now(UTC) + GRACE)
    assert [(type(each), each.attempt) for each in found] == [(Unclear, attempt)]


async def test_a_call_that_lives_through_a_lost_connection_goes_on(
    campaign: Campaign, callees: Callees
) -> None:
    attempt = await campaign.originate("PJSIP/+12025550142@trunk")
    await campaign.seen(Answered, attempt)
    (session,) = re.findall(
        r"^ *voicebot-dial\S* +\S+ +\d+ +\d+ +(\d+)", campaign.pbx.cli("manager show connected"), re.M
    )
    campaign.pbx.cli(f"manager kick session {session}")
    listed: LiveChannels = await campaign.seen(LiveChannels)
    assert len(listed.channels) == 3
    assert campaign.following.settle(datetime.now(UTC) + GRACE) == ()
    newcomer = Following()
    found = newcomer.event(listed, datetime.now(UTC))
    assert [(type(each), each.attempt) for each in found] == [(Dialling, attempt), (Answered, attempt)]
    callees.hang_up("+12025550142")
    end = await campaign.end_of(attempt)
    assert isinstance(end, Ended) and end.result.disposition is Disposition.ANSWERED


async def test_a_burst_of_calls_ends_each_once(campaign: Campaign, callees: Callees) -> None:
    """Under load OriginateResponse overtakes the events of channels, and nothing may be concluded from it."""
    callees.otherwise = Manner(refuse=486)
    # A busy Asterisk takes more than a second to send so many INVITEs.
    dialled = (
        campaign.originate(f"PJSIP/+1202555{number:04}@trunk", ring_s=BURST_RING_S) for number in range(BURST)
    )
    attempts = await asyncio.gather(*dialled)
    await asyncio.gather(*(campaign.end_of(attempt) for attempt in attempts))
    async with asyncio.timeout(SOON_S):
        while sum(isinstance(event, OriginateResponse) for event in campaign.events) < BURST:
            await campaign.changed()
    ends = [each for each in campaign.progress if isinstance(each, (Ended, Unclear))]
    assert Counter(each.attempt for each in ends) == Counter(attempts)
    assert {each.result.disposition for each in ends if isinstance(each, Ended)} == {Disposition.BUSY}
    assert len(callees.invited) == BURST


async def test_a_call_is_told_in_few_events(campaign: Campaign, callees: Callees) -> None:
    callees.otherwise = Manner(answer_s=0.0, hang_up_s=0.1)
    attempts = [await campaign.originate(f"PJSIP/+1202555{number:04}@trunk") for number in range(20)]
    for attempt in attempts:
        await campaign.end_of(attempt)
    kinds = Counter(type(event).__name__ for event in campaign.events)
    assert len(campaign.events) <= MOST_EVENTS * len(attempts), kinds
    assert "UnknownEvent" not in kinds, "the filter lets nothing pass that nobody reads"
