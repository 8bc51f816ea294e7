"""Category: simulator and integration. Look-ups, messages and queues; dialogs saved between calls."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.real import RealPbx
from tests.contract.talk import DATA, Bot
from tests.simulator.pbx import SimulatedPbx
from voicebot.audio.wav import read_wav
from voicebot.call.record import BotTurnRecord, CallRecord

DIALOG = DATA / "dialogs" / "work.yaml"
LONG = DATA / "caller" / "another-day.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 500
LOOPBACK = {"fetch": {"allow": ["127.0.0.1"]}, "dialogs": {"env": ["SHOP"]}}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def said(record: CallRecord) -> list[str]:
    return [turn.text for turn in record.turns if isinstance(turn, BotTurnRecord)]


@asynccontextmanager
async def shop(monkeypatch: pytest.MonkeyPatch, answer: Answer) -> AsyncIterator[None]:
    """A web service whose address the dialog knows as `env.SHOP`."""
    site = web.Application()
    site.router.add_get("/orders/{number}", answer)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    monkeypatch.setenv("SHOP", f"http://127.0.0.1:{runner.addresses[0][1]}")
    try:
        yield
    finally:
        await runner.cleanup()


def bot(pbx: Pbx, folder: Path, **changes: Any) -> Bot:
    route = {"dialog": str(DIALOG), **changes.pop("route", {})}
    return Bot(pbx, folder, route=route, **{"llm": {"url": "http://127.0.0.1:9/v1"}, **changes})


async def chooses(caller: Caller, key: str) -> None:
    """Wait for the menu and press a key."""
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.press(key)


async def test_a_caller_who_waits_hears_a_filler_and_then_the_answer(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = bot(pbx, tmp_path, **LOOPBACK)

    async def answer(request: web.Request) -> web.Response:
        while "Just a second." not in [turn.text for turn in gateway.turns]:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
        return web.json_response({"status": "ready", "number": request.match_info["number"]})

    async with shop(monkeypatch, answer), gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await gateway.record()
        assert said(record)[1:] == ["I look it up.", "Just a second.", "Your order is ready."]
        assert (record.outcome, record.goal) == ("told", True)
        (work,) = record.work
        assert (work.kind, work.name, work.status) == ("fetch", "GET 127.0.0.1", 200)
        assert work.result == {"status": "ready", "number": "17"}
        filler = record.turns[-2]
        assert work.start_ms < filler.start_ms < filler.end_ms <= work.end_ms < filler.end_ms + 1000
        await nothing_left(pbx)


async def test_a_service_that_is_away_leads_to_the_failure_branch(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP", "http://127.0.0.1:9")
    async with bot(pbx, tmp_path, **LOOPBACK) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await gateway.record()
        assert said(record)[1:] == ["I look it up. I cannot see your order now."]
        assert record.outcome == "away"
        assert "no connection" in record.work[0].error


async def test_a_caller_who_hangs_up_during_a_look_up_leaves_nothing_behind(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.set()
        await over.wait()
        return web.Response()

    async with shop(monkeypatch, answer), bot(pbx, tmp_path, **LOOPBACK) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "1")
        await asyncio.wait_for(asked.wait(), SOON_S)
        await caller.hang_up()
        record = await gateway.record()
        over.set()
        assert (record.outcome, record.ended_by) == ("hangup", "caller")
        await nothing_left(pbx)


@pytest.mark.parametrize("ending", ["silence", "key", "hangup"])
async def test_a_message_is_recorded_after_the_beep(pbx: Pbx, tmp_path: Path, ending: str) -> None:
    async with bot(pbx, tmp_path) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "2")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.say(LONG)
        await caller.say(LONG)
        if ending == "key":
            await caller.press("#")
        elif ending == "hangup":
            await caller.hang_up()
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await gateway.record()
        (work,) = record.work
        assert (work.kind, work.ended_by) == ("message", ending)
        (path,) = tmp_path.rglob("*.wav")
        assert path.name == work.recording == f"{record.id}-message-1.wav"
        assert record.slots == {"message": str(path)}
        if ending != "hangup":
            assert record.outcome == "recorded"
        wav = read_wav(path)
        spoken = read_wav(LONG)
        length_s = len(wav.samples) / wav.sample_rate
        assert length_s == pytest.approx(2 * len(spoken.samples) / spoken.sample_rate, abs=1.5)
        assert work.length_ms == pytest.approx(length_s * 1000, abs=20)
        loudness = np.sqrt(np.mean(wav.samples.astype(float) ** 2))
        expected = np.sqrt(np.mean(spoken.samples.astype(float) ** 2))
        assert 0.5 < loudness / expected < 1.5
        await nothing_left(pbx)


async def test_who_says_nothing_is_asked_again_and_then_let_go(pbx: Pbx, tmp_path: Path) -> None:
    async with bot(pbx, tmp_path) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "2")
        await asyncio.wait_for(caller.ended, 15)
        record = await gateway.record()
        assert {work.recording for work in record.work} == {None}
        assert len(record.work) == 2
        assert record.outcome == "no_message"
        assert list(tmp_path.rglob("*.wav*")) == []


async def test_a_caller_is_handed_over_to_a_queue(pbx: Pbx, tmp_path: Path) -> None:
    async with bot(pbx, tmp_path) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "3")
        record = await gateway.record()
        assert (record.outcome, record.ended_by) == ("transferred", "handover")
        if isinstance(pbx, SimulatedPbx):
            ((_, context, extension, variables),) = pbx.handed_over
            assert (context, extension) == ("voicebot-queue", "reception")
            assert variables["VOICEBOT_SUMMARY"].startswith("Wants a person, called from ")
            assert variables["VOICEBOT_CALL"] == record.id
        else:
            assert isinstance(pbx, RealPbx)
            await caller.bot_quiet(800, TURN_S)  # nobody is there: a sentence, then an echo
            before = time.monotonic()
            await caller.say(LONG)
            await caller.bot_speaks(SOON_S, since=before)
        assert not caller.ended.done()
        await caller.hang_up()
        await nothing_left(pbx)


async def test_what_is_sensitive_in_a_look_up_leaves_no_trace(
    pbx: Pbx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"number": f"{request.match_info['number']} and CANARY"})

    async with (
        shop(monkeypatch, answer),
        bot(pbx, tmp_path, route={"record": True}, **LOOPBACK) as gateway,
    ):
        caller = await pbx.dial("600")
        await chooses(caller, "5")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.press("49173205")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await gateway.record()
    assert record.outcome == "paid"
    assert record.slots == {}
    assert [work.status for work in record.work] == [200]
    logged = capfd.readouterr()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    for canary in ("49173205", "CANARY"):
        assert canary.encode() not in kept
        assert canary not in logged.out + logged.err


async def test_a_hash_key_after_the_last_digit_is_no_answer_to_the_next_question(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with bot(pbx, tmp_path) as gateway:
        caller = await pbx.dial("600")
        await chooses(caller, "6")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.press("1234#")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        await caller.press("1")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await gateway.record()
        assert (record.outcome, record.slots["code"]) == ("coded", "1234")
        assert said(record)[2:] == ["Shall we go on? One for yes, and two for no.", "Thank you."]
        await nothing_left(pbx)


@asynccontextmanager
async def model(*replies: list[str]) -> AsyncIterator[dict[str, Any]]:
    """A stub of a language model that streams these replies one after the other; the settings for it."""
    left = list(replies)

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append((await request.json())["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for piece in left.pop(0):
            delta: dict[str, Any] = {"content": piece}
            if piece.startswith("go_to_"):
                delta = {
                    "tool_calls": [{"index": 0, "id": "c1", "function": {"name": piece, "arguments": ""}}]
                }
            if piece in ("..", "..."):
                await asyncio.sleep(1.5 * (len(piece) - 1))
                continue
            if request.transport is None or request.transport.is_closing():
                break  # the caller has interrupted
            await response.write(f"data: {json.dumps({'choices': [{'delta': delta}]})}\n\n".encode())
        else:
            await response.write(b"data: [DONE]\n\n")
        return response

    asked: list[list[dict[str, Any]]] = []
    site = web.Application()
    site.router.add_post("/v1/chat/completions", answer)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield {"llm": {"url": f"http://127.0.0.1:{runner.addresses[0][1]}/v1"}, "asked": asked}
    finally:
        await runner.cleanup()


async def test_a_model_talks_is_interrupted_and_leads_back(pbx: Pbx, tmp_path: Path) -> None:
    long = "We open at nine every day of the week but on Sundays we are closed. "
    async with model([long, "And ", "...", "never heard."], ["go_to_person"]) as settings:
        asked = settings.pop("asked")
        async with bot(pbx, tmp_path, **settings) as gateway:
            gateway.will_hear("when do you open", "my parcel is lost")
            caller = await pbx.dial("600")
            await chooses(caller, "4")
            await caller.bot_quiet(QUIET_MS, TURN_S)
            spoken = await caller.say(LONG)
            assert spoken.ended_at is not None
            began = await caller.bot_speaks(SOON_S, since=spoken.ended_at)
            assert began - spoken.ended_at < 2.5, "the first sentence is spoken while the model goes on"
            await caller.pause(0.5)
            await caller.say(LONG)
            record = await gateway.record()
            assert (record.outcome, record.ended_by) == ("transferred", "handover")
            cut = next(
                turn for turn in record.turns if isinstance(turn, BotTurnRecord) and "nine" in turn.text
            )
            assert cut.interrupted_by == "speech"
            assert 0 < len(cut.heard) < len(long.strip())
            assert asked[1][-2] == {"role": "assistant", "content": cut.heard}
            assert asked[1][-1] == {"role": "user", "content": "my parcel is lost"}
            assert [work.kind for work in record.work] == ["reply", "reply"]
            await caller.hang_up()
            await nothing_left(pbx)


async def test_a_model_is_not_told_of_the_words_that_filled_its_wait(pbx: Pbx, tmp_path: Path) -> None:
    long = "We open at nine every day of the week but on Sundays we are closed. "
    async with model(["..", long], ["go_to_person"]) as settings:
        asked = settings.pop("asked")
        async with bot(pbx, tmp_path, **settings) as gateway:
            gateway.will_hear("when do you open", "my parcel is lost")
            caller = await pbx.dial("600")
            await chooses(caller, "4")
            await caller.bot_quiet(QUIET_MS, TURN_S)
            said_at = (await caller.say(LONG)).voiced_to_at
            await caller.bot_speaks(SOON_S, said_at)  # the filler; the reply follows within the same breath
            await caller.pause(1.5)
            await caller.say(LONG)
            record = await gateway.record()
            words = asked[1][-2]["content"]
            assert long.startswith(words) and 0 < len(words) < len(long)
            assert any(text.startswith("Let me think about that for you. We open") for text in said(record))
            await caller.hang_up()
            await nothing_left(pbx)


async def test_a_dialog_saved_between_two_calls_is_live_for_the_second(pbx: Pbx, tmp_path: Path) -> None:
    path = tmp_path / "hello.yaml"

    async def save(text: str) -> None:
        await asyncio.to_thread(path.write_text, text)

    async def call(gateway: Bot, count: int) -> CallRecord:
        caller = await pbx.dial("600")
        await asyncio.wait_for(caller.ended, TURN_S)
        return max(await gateway.records(count), key=lambda record: record.started_at)

    first = "dialog: hello\nsteps:\n  hi: {say: This is the first version., end: one}\n"
    await save(first)
    async with bot(pbx, tmp_path / "var", route={"dialog": str(path)}) as gateway:
        assert (await call(gateway, 1)).outcome == "one"
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await save(first.replace("end: one", "end: two"))
        await asyncio.wait_for(caller.ended, TURN_S)
        keeps = max(await gateway.records(2), key=lambda record: record.started_at)
        assert keeps.outcome == "one", "a call keeps the version that it began with"
        second = await call(gateway, 3)
        assert second.outcome == "two"
        assert second.dialog.version != keeps.dialog.version
        await save(first.replace("end: one", "goto: nowhere"))
        assert (await call(gateway, 4)).outcome == "two", "a bad file keeps the old one"
        (state,) = gateway.gateway.dialogs
        assert "nowhere" in str(state.problems[0])
        await nothing_left(pbx)
