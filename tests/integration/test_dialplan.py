"""Category: integration. What a caller hears from the shipped dialplan: the gateway is away; a hand-over."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.integration.conftest import RealAsterisk
from voicebot.softphone.phone import Softphone

pytestmark = pytest.mark.integration

HEARS_WITHIN_S = 3.0
HEARD_OUT_WITHIN_S = 10.0
CAUSE_TEMPORARY_FAILURE = 41


@pytest.fixture(scope="module", autouse=True)
def told_before(asterisk: RealAsterisk) -> int:
    """How much other modules' calls have left in the log."""
    return len(asterisk.log)


async def test_a_caller_is_told_that_the_gateway_is_away(asterisk: RealAsterisk) -> None:
    async with Softphone((asterisk.sip_host, asterisk.sip_port)) as phone:
        call = await phone.dial("600")
        await call.bot_speaks(timeout=HEARS_WITHIN_S)
        ended = await asyncio.wait_for(call.ended, HEARD_OUT_WITHIN_S)
    assert (ended.by, ended.cause) == ("them", CAUSE_TEMPORARY_FAILURE)
    assert sum(part.end - part.start for part in call.bot_speech.segments) > 2.0, "the whole sentence"


@pytest.mark.parametrize("number", ["+12025550100", "*97", "1", "123456789012345678901234"])
async def test_any_number_finds_the_way(asterisk: RealAsterisk, number: str) -> None:
    async with Softphone((asterisk.sip_host, asterisk.sip_port)) as phone:
        call = await phone.dial(number)
        await call.bot_speaks(timeout=HEARS_WITHIN_S)


@pytest.mark.parametrize(
    ("context", "extension"),
    [
        ("voicebot-handover", "reception"),
        ("voicebot-queue", "reception"),  # nobody is in it
        ("voicebot-queue", "no-such-queue"),
    ],
)
async def test_a_call_handed_over_reaches_the_destination(
    asterisk: RealAsterisk, context: str, extension: str
) -> None:
    """The gateway sends the channel on: without a person the caller hears a sentence and an echo."""
    login = {"Authorization": aiohttp.encode_basic_auth(asterisk.user, asterisk.password)}
    async with (
        aiohttp.ClientSession(f"{asterisk.ari_url}/", headers=login) as ari,
        ari.ws_connect(f"/ari/events?app={asterisk.app}") as events,
        Softphone((asterisk.sip_host, asterisk.sip_port)) as phone,
    ):
        call = phone.place("600")
        start = await events.receive_json(timeout=5)
        assert start["type"] == "StasisStart"
        assert start["args"] == ["600"]
        where = {"context": context, "extension": extension, "priority": "1"}
        async with ari.post(f"/ari/channels/{start['channel']['id']}/continue", params=where) as answer:
            assert answer.status == 204
        await call.answered(timeout=5)
        await call.bot_speaks(timeout=HEARS_WITHIN_S)
        await call.bot_quiet(800, timeout=HEARD_OUT_WITHIN_S)
        assert "Echo" in asterisk.cli("core show channels")
        await call.hang_up()


async def test_a_queue_with_somebody_in_it_brings_both_together(asterisk: RealAsterisk) -> None:
    asterisk.cli("dialplan add extension 1,1,Answer, into somebody")
    asterisk.cli("dialplan add extension 1,2,Echo, into somebody")
    asterisk.cli("queue add member Local/1@somebody to reception")
    login = {"Authorization": aiohttp.encode_basic_auth(asterisk.user, asterisk.password)}
    try:
        async with (
            aiohttp.ClientSession(f"{asterisk.ari_url}/", headers=login) as ari,
            ari.ws_connect(f"/ari/events?app={asterisk.app}") as events,
            Softphone((asterisk.sip_host, asterisk.sip_port)) as phone,
        ):
            call = phone.place("600")
            start = await events.receive_json(timeout=5)
            where = {"context": "voicebot-queue", "extension": "reception", "priority": "1"}
            async with ari.post(f"/ari/channels/{start['channel']['id']}/continue", params=where) as answer:
                assert answer.status == 204
            await call.answered(timeout=5)
            async with asyncio.timeout(HEARS_WITHIN_S):
                while "somebody" not in asterisk.cli("core show channels concise"):
                    await call.pause(0.05)
            assert "!Queue!reception" in asterisk.cli("core show channels concise")
            await call.hang_up()
    finally:
        asterisk.cli("queue remove member Local/1@somebody from reception")
        asterisk.cli("dialplan remove context somebody")


def test_calls_leave_no_complaint_in_the_log(asterisk: RealAsterisk, told_before: int) -> None:
    """After the calls above: a missing sound or module would be told there."""
    told = asterisk.log[told_before:]
    complaints = [line for line in told.splitlines() if "WARNING" in line or "ERROR" in line]
    assert [
        line for line in complaints if "extensions.conf" in line or "file.c" in line or "pbx.c" in line
    ] == []
