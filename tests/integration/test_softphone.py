"""Category: integration. The scripted caller against a real Asterisk, with this test in the gateway's place.

So that the tools that judge the gateway are themselves judged by something that is not ours.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest
from conftest import RealAsterisk

from voicebot.softphone import CallFailed, Softphone, SoftphoneCall
from voicebot.softphone.hearing import percentile
from voicebot.softphone.recording import read_ulaw
from voicebot.softphone.script import HangUp, Happened, Interrupt, Press, Say, WaitForBot, WaitForEnd, play

pytestmark = pytest.mark.integration

CALLER = Path(__file__).resolve().parents[1] / "data" / "caller"
LATE_P99_MS = 10.0
"""Far above what an idle machine needs, to hold on a busy one."""
ECHO_MS = 60.0
WAIT_S = 10.0


class Exchange:
    """Takes calls in the gateway's place and does with them what a test wants."""

    def __init__(self, session: aiohttp.ClientSession, events: aiohttp.ClientWebSocketResponse) -> None:
        self._session = session
        self._events = events

    async def event(self, kind: str) -> dict[str, Any]:
        """Wait for the next event of this kind."""
        async with asyncio.timeout(WAIT_S):
            while True:
                event: dict[str, Any] = await self._events.receive_json()
                if event["type"] == kind:
                    return event

    async def incoming(self) -> str:
        """Wait for a call; return its channel."""
        return str((await self.event("StasisStart"))["channel"]["id"])

    async def do(self, method: str, path: str, **parameters: str) -> None:
        async with self._session.request(method, f"/ari/{path}", params=parameters) as answer:
            assert answer.status < 300, await answer.text()

    async def connect(self, phone: Softphone) -> tuple[SoftphoneCall, str]:
        """Dial and answer; return the call and its channel."""
        call = phone.place("600")
        channel = await self.incoming()
        await self.do("POST", f"channels/{channel}/answer")
        await call.answered(WAIT_S)
        return call, channel

    async def echo(self, phone: Softphone) -> SoftphoneCall:
        """Dial, and return once the dialplan's echo is on."""
        call, channel = await self.connect(phone)
        where = {"context": "voicebot-handover", "extension": "nobody", "priority": "1"}
        since = time.monotonic()
        await self.do("POST", f"channels/{channel}/continue", **where)
        await call.bot_speaks(WAIT_S, since)
        await call.bot_quiet(700, WAIT_S)
        return call


@pytest.fixture
async def exchange(asterisk: RealAsterisk) -> AsyncIterator[Exchange]:
    login = {"Authorization": aiohttp.encode_basic_auth(asterisk.user, asterisk.password)}
    async with (
        aiohttp.ClientSession(f"{asterisk.ari_url}/", headers=login) as session,
        session.ws_connect(f"/ari/events?app={asterisk.app}") as events,
    ):
        yield Exchange(session, events)


@pytest.fixture
async def phone(asterisk: RealAsterisk) -> AsyncIterator[Softphone]:
    async with Softphone((asterisk.sip_host, asterisk.sip_port)) as phone:
        yield phone


async def test_what_is_said_comes_back_through_an_echo(
    exchange: Exchange, phone: Softphone, tmp_path: Path
) -> None:
    call = await exchange.echo(phone)
    words = CALLER / "yes-this-is-she.wav"
    said = await call.say(words)
    assert said.voiced_from_at is not None
    assert said.voiced_to_at is not None
    await call.bot_quiet(400, WAIT_S)
    came_back = call.bot_speech.first_audible(after=said.voiced_from_at)
    last = call.bot_speech.last_audible()
    assert came_back is not None
    assert last is not None
    assert (came_back - said.voiced_from_at) * 1000 < ECHO_MS
    assert 0 < (last - said.voiced_to_at) * 1000 < ECHO_MS
    echoed = b"".join(frame.payload for frame in call.received)
    assert read_ulaw(words)[1600:3200] in echoed, "not a sample is changed on the way"
    call.save_recording(tmp_path / "call.wav")
    assert (tmp_path / "call.wav").stat().st_size > 8000
    assert (await call.hang_up()).by == "us"


async def lateness(began: float, ticks: int) -> list[float]:
    """How late, in ms, the machine lets this process do what is due every 20 ms after `began`."""
    loop = asyncio.get_running_loop()
    late = []
    for number in range(1, ticks + 1):
        due = began + number * 0.02
        await asyncio.sleep(due - loop.time())
        late.append((loop.time() - due) * 1000)
    return late


async def test_frames_leave_on_the_20_ms_grid(exchange: Exchange, phone: Softphone) -> None:
    call, _ = await exchange.connect(phone)
    await call.pause(0.1)
    before = len(call.sent)
    machine = await lateness(call.sent[-1].at - call.sent[-1].late_ms / 1000, 100)
    sent = call.sent[before:]
    assert len(sent) > 90
    late = [frame.late_ms for frame in sent]
    assert percentile(late, 0.99) < LATE_P99_MS + percentile(machine, 0.99)
    assert np.median(np.diff([frame.at for frame in sent])) == pytest.approx(0.02, abs=0.0005)


async def test_keys_arrive_once_each_in_order(exchange: Exchange, phone: Softphone) -> None:
    call, channel = await exchange.connect(phone)
    await call.press("1290*#A")
    keys = [(await exchange.event("ChannelDtmfReceived"))["digit"] for _ in range(7)]
    assert "".join(keys) == "1290*#A"
    await exchange.do("POST", f"channels/{channel}/dtmf", dtmf="55#")
    await call.press("7")
    assert (await exchange.event("ChannelDtmfReceived"))["digit"] == "7"
    assert await call.keyed(3, WAIT_S) == "55#"


async def test_the_far_side_hangs_up_with_a_cause(exchange: Exchange, phone: Softphone) -> None:
    call, channel = await exchange.connect(phone)
    await exchange.do("DELETE", f"channels/{channel}", reason_code="41")
    ended = await call.over(WAIT_S)
    assert (ended.by, ended.cause) == ("them", 41)


@pytest.mark.parametrize(("reason", "status", "cause"), [("17", 486, 17), ("21", 403, 21), ("34", 503, 34)])
async def test_a_call_that_is_refused_says_why(
    exchange: Exchange, phone: Softphone, reason: str, status: int, cause: int
) -> None:
    call = phone.place("600")
    await exchange.do("DELETE", f"channels/{await exchange.incoming()}", reason_code=reason)
    with pytest.raises(CallFailed) as failed:
        await call.answered(WAIT_S)
    assert failed.value.ended == type(failed.value.ended)("refused", status, failed.value.ended.reason, cause)


async def test_a_number_that_does_not_exist(phone: Softphone) -> None:
    with pytest.raises(CallFailed) as failed:
        await phone.dial("nobody")
    assert failed.value.ended.status == 404


async def test_a_call_that_nobody_answers_is_cancelled(exchange: Exchange, phone: Softphone) -> None:
    with pytest.raises(CallFailed, match="no answer within"):
        await phone.dial("600", timeout=0.5)
    await exchange.event("StasisEnd")


@pytest.mark.parametrize("method", ["invite", "update"])
async def test_a_session_refresh_does_not_disturb_the_call(
    exchange: Exchange, phone: Softphone, asterisk: RealAsterisk, method: str
) -> None:
    call, channel = await exchange.connect(phone)
    # An Asterisk that refreshes in the moment of our ACK may hang up: it waits for the end of a prompt.
    await exchange.do("POST", f"channels/{channel}/play", media="sound:voicebot/handover")
    await exchange.do(
        "POST", f"channels/{channel}/variable", variable="PJSIP_SEND_SESSION_REFRESH()", value=method
    )
    before, since = len(call.received), time.monotonic()
    await exchange.do("POST", f"channels/{channel}/play", media="tone:ring;tonezone=us")
    await call.bot_speaks(WAIT_S, since)
    assert len(call.received) > before
    assert not call.ended.done()


async def test_a_scripted_caller(exchange: Exchange, phone: Softphone) -> None:
    call, channel = await exchange.connect(phone)
    done = {name: asyncio.Event() for name in ("WaitForBot", "Say", "Interrupt", "Press")}

    def tell(happened: Happened) -> None:
        if event := done.get(type(happened.step).__name__):
            event.set()

    steps = [
        WaitForBot(quiet_ms=700),
        Say(CALLER / "yes.wav", "yes"),
        Interrupt(CALLER / "cough.wav", after_ms=300),
        WaitForBot(quiet_ms=700),
        Press("1"),
        WaitForEnd(),
        HangUp(),
    ]
    await exchange.do("POST", f"channels/{channel}/play", media="sound:voicebot/handover")
    async with asyncio.timeout(2 * WAIT_S), asyncio.TaskGroup() as tasks:
        caller = tasks.create_task(play(call, steps, tell))
        await done["Say"].wait()
        await exchange.do("POST", f"channels/{channel}/play", media="sound:voicebot/handover")
        await done["Interrupt"].wait()
        await exchange.do("POST", f"channels/{channel}/play", media="sound:voicebot/handover")
        assert (await exchange.event("ChannelDtmfReceived"))["digit"] == "1"
        await done["Press"].wait()
        await exchange.do("DELETE", f"channels/{channel}", reason_code="16")
    story = caller.result()
    assert [each.step for each in story] == steps, "to the end; hanging up after the end does no harm"
    greeting, interruption = story[0], story[2]
    assert greeting.bot_from_at is not None
    assert greeting.bot_to_at is not None
    assert greeting.bot_to_at - greeting.bot_from_at > 1
    assert interruption.bot_from_at is not None
    assert interruption.onset_at is not None
    assert interruption.onset_at - interruption.bot_from_at == pytest.approx(0.3, abs=0.08)


async def test_leaving_the_phone_hangs_up_what_is_left(exchange: Exchange, asterisk: RealAsterisk) -> None:
    async with Softphone((asterisk.sip_host, asterisk.sip_port)) as phone:
        await exchange.connect(phone)
        await exchange.connect(phone)
    await exchange.event("StasisEnd")
    await exchange.event("StasisEnd")
