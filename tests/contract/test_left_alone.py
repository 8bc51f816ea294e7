"""Category: simulator and integration. Two persons talk on though the gateway that joined them has died."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.contract.gateway import Gateway, nothing_left
from tests.contract.pbx import Pbx
from tests.contract.phones import Phones
from tests.contract.talk import DATA
from voicebot.ari import requests
from voicebot.ari.events import StasisStart
from voicebot.ari.ids import Kind
from voicebot.pbx.link import Link
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner

WORDS: Path = DATA / "caller" / "yes.wav"
SOON_S = 5.0


async def join_and_die(pbx: Pbx, phones: Phones) -> tuple[SoftphoneCall, SoftphoneCall]:
    """Bring a caller and anna together, as a queue does, and vanish without a word."""
    gateway = Gateway(pbx.settings)
    ari = await gateway.ari.__aenter__()
    caller = pbx.place("600")
    leg, port = await gateway.leg()
    await leg.__aenter__()
    person, inbox = ari.new_id(Kind.PERSON), ari.subscribe()
    inbox.expect(person)
    channel = phones.channel("anna")
    await ari.request(requests.originate(app=ari.app, channel_id=person, endpoint=channel, timeout_s=10))
    anna = await phones.taken("anna")
    async with asyncio.timeout(SOON_S):
        while not isinstance(await inbox.get(), StasisStart):
            pass
    await ari.request(requests.add_channels(leg.bridge_id, person))
    await ari.request(requests.remove_channels(leg.bridge_id, leg.media_id))
    port.close()
    await ari.__aexit__(None, None, None)
    assert isinstance(caller, SoftphoneCall)
    return caller, anna


@pytest.mark.parametrize("who", ["caller", "anna"])
async def test_the_next_gateway_leaves_them_alone_until_one_hangs_up(pbx: Pbx, who: str) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        caller, anna = await join_and_die(pbx, phones)
        gateway = Gateway(pbx.settings)
        async with gateway.ari:
            await gateway.until(Link.CONNECTED, SOON_S)
            await nothing_left(pbx, but=3)  # the two and their bridge
            for speaks, hears in ((caller, anna), (anna, caller)):
                began = time.monotonic()
                await speaks.say(WORDS)
                assert hears.bot_speech.first_audible(began) is not None
            first, other = (caller, anna) if who == "caller" else (anna, caller)
            await first.hang_up()
            await asyncio.wait_for(other.ended, SOON_S)
            await nothing_left(pbx)


async def test_whom_the_other_has_left_meanwhile_is_not_left_in_silence(pbx: Pbx) -> None:
    async with Phones(pbx, anna=Manner(ring_s=0.1)) as phones:
        caller, anna = await join_and_die(pbx, phones)
        await caller.hang_up()
        gateway = Gateway(pbx.settings)
        async with gateway.ari:
            await asyncio.wait_for(anna.ended, SOON_S)
            await nothing_left(pbx)
