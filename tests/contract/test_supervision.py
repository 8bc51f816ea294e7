"""Category: simulator and integration. A supervisor on a bot's call: what the caller hears, what is kept."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.contract.gateway import nothing_left
from tests.contract.pbx import Caller, Pbx
from tests.contract.talk import DATA, Bot
from voicebot.audio import g711
from voicebot.audio.frames import to_pcm
from voicebot.audio.wav import read_wav
from voicebot.call.people import Presenter
from voicebot.call.record import HIDDEN, BotTurnRecord
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.softphone.line import ReceivedFrame
from voicebot.switchboard.supervisors.supervisors import Microphone, Supervisors

DIALOG = str(DATA / "dialogs" / "supervised.yaml")
YES = DATA / "caller" / "yes.wav"
SOON_S = 3.0
TURN_S = 8.0
QUIET_MS = 400
BOT_HZ = 220
VOICE_HZ = 900


class House:
    """A gateway with one supervisor."""

    def __init__(self, pbx: Pbx, folder: Path, **changes: Any) -> None:
        route = {"dialog": DIALOG, **changes.pop("route", {})}
        self.bot = Bot(pbx, folder, route=route, **changes)
        self.supervisors = Supervisors(lambda: self.bot.gateway.calls)

    async def __aenter__(self) -> House:
        await self.bot.__aenter__()
        of = self.supervisors
        self.bot.gateway.look_after(of.close, of.quiet, of.depart)
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self.supervisors.close()
        await self.bot.__aexit__(*error)

    @property
    def id(self) -> str:
        (call,) = self.bot.gateway.calls
        return call.id


def pitch(frames: Sequence[ReceivedFrame], since: float) -> float:
    """Return the strongest frequency that was heard since then; 0 for silence."""
    audible = [frame for frame in frames if frame.at > since and frame.audible]
    if len(audible) < 5:
        return 0.0
    pcm = g711.decode(np.frombuffer(b"".join(frame.payload for frame in audible), np.uint8))
    spectrum = np.abs(np.fft.rfft(pcm))
    return float(np.argmax(spectrum) * 8000 / len(pcm))


def hum(ms: int, hz: int = VOICE_HZ) -> bytes:
    at = np.arange(16 * ms) / 16000
    return to_pcm((8000 * np.sin(2 * math.pi * hz * at)).astype(np.int16))


async def speak(microphone: Microphone, seconds: float) -> None:
    """Speak in real time, as a browser does."""
    for _ in range(round(seconds / 0.02)):
        microphone.feed(hum(20))
        await asyncio.sleep(0.02)


def now() -> float:
    return asyncio.get_running_loop().time()


async def asked(caller: Caller) -> None:
    """Wait until the bot has asked its question."""
    await caller.bot_speaks(SOON_S, since=0.0)
    await caller.bot_quiet(QUIET_MS, TURN_S)


async def test_a_supervisor_corrects_leads_and_speaks_through_the_bot(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        house.bot.will_hear("monday")
        caller = await pbx.dial("600")
        await asked(caller)
        supervisors, call_id = house.supervisors, house.id
        answer = await caller.say(YES)
        await caller.bot_speaks(SOON_S, since=answer.voiced_to_at)
        assert supervisors.may(call_id).slots[0].value == "monday"
        await supervisors.correct(call_id, "day", "friday", "anna")
        await supervisors.say(call_id, "A colleague has put that right.", "anna")
        with pytest.raises(UserError, match="between 1 and 8"):
            await supervisors.correct(call_id, "people", "nine hundred", "anna")
        await supervisors.correct(call_id, "people", 4, "anna")
        await supervisors.correct(call_id, "pin", "4271", "bert")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await house.bot.record()
        assert (record.outcome, record.slots) == ("booked", {"day": "friday", "people": 4})
        assert [(i.by, i.what, i.detail) for i in record.interventions] == [
            ("anna", "correct", "day = friday"),
            ("anna", "say", "A colleague has put that right."),
            ("anna", "correct", "people = 4"),
            ("bert", "correct", f"pin = {HIDDEN}"),
        ]
        said = [turn for turn in record.turns if isinstance(turn, BotTurnRecord)]
        assert any("A colleague" in turn.text for turn in said)
        assert {turn.interrupted_by for turn in said} == {None, "supervisor"}
        assert "4271" not in str(record) and record.faults == []
        await nothing_left(pbx)


async def test_a_jump_and_an_end(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.jump(house.id, "people", "anna")
        (call,) = house.bot.gateway.calls
        assert call.handle.mind is not None and call.handle.mind.step == "people"
        await asked(caller)
        await house.supervisors.end(house.id, "anna")
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await house.bot.record()
        assert (record.ended_by, [i.what for i in record.interventions]) == ("supervisor", ["jump", "end"])
        with pytest.raises(UserError, match="no live call"):
            await house.supervisors.say(record.id, "Hello?", "anna")
        await nothing_left(pbx)


async def test_a_held_bot_is_silent_and_deaf_and_asks_again_when_released(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.hold(house.id, "anna")
        await caller.bot_quiet(QUIET_MS, TURN_S)
        held_at = now()
        await caller.say(YES)
        await caller.press("1")
        await caller.pause(0.5)
        assert pitch(caller.received, held_at) == 0.0
        await house.supervisors.release(house.id, "anna")
        await caller.bot_speaks(SOON_S, since=held_at)
        with pytest.raises(UserError, match="not held"):
            await house.supervisors.release(house.id, "anna")
        await caller.hang_up()
        record = await house.bot.record()
        assert [turn.who for turn in record.turns] == ["bot", "bot"], "nothing was heard while it was held"
        assert [i.what for i in record.interventions] == ["hold", "release"]


async def test_a_supervisor_barges_in_by_microphone_and_the_bot_waits(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        microphone = await house.supervisors.microphone(house.id, "barge", "anna")
        (call,) = house.bot.gateway.calls
        began = now()
        assert (call.handle.live.view().supervisors, call.handle.live.view().held) == (("anna",), True)
        await speak(microphone, 0.8)
        await caller.pause(0.5)  # longer than what parts two stretches of speech
        assert pitch(caller.received, began + 0.1) == pytest.approx(VOICE_HZ, abs=15)
        await microphone.close()
        silent_from = now()
        await caller.bot_speaks(SOON_S, since=silent_from)
        await caller.pause(0.3)
        assert pitch(caller.received, silent_from + 0.1) == pytest.approx(BOT_HZ, abs=15)
        assert (call.handle.live.view().supervisors, call.handle.live.view().held) == ((), False)
        await caller.hang_up()
        record = await house.bot.record()
        assert [(i.by, i.what) for i in record.interventions] == [("anna", "barge"), ("anna", "leave")]
        await nothing_left(pbx)


async def test_the_bot_waits_until_the_last_of_several_supervisors_has_left(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        anna = await house.supervisors.microphone(house.id, "barge", "anna")
        bert = await house.supervisors.microphone(house.id, "barge", "bert")
        (call,) = house.bot.gateway.calls
        with pytest.raises(UserError, match="let them leave first"):
            await house.supervisors.release(house.id, "carl")
        with pytest.raises(UserError, match="use `say`"):
            await house.supervisors.microphone(house.id, "whisper", "carl")
        await anna.close()
        assert call.handle.live.is_held and call.handle.live.view().supervisors == ("bert",)
        await house.supervisors.hold(house.id, "carl")
        await bert.close()
        assert call.handle.live.is_held, "held by hand as well"
        await house.supervisors.release(house.id, "carl")
        assert not call.handle.live.is_held
        await caller.hang_up()
        await house.bot.record()
        await nothing_left(pbx)


async def test_a_supervisor_hands_a_caller_of_the_bot_over(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        transfer = house.supervisors.transfer
        for to, kind in (("reception", "attended"), ("conference:cellar", "blind"), ("1; rm", "blind")):
            with pytest.raises(UserError):
                await transfer(house.id, to, kind, "anna")  # type: ignore[arg-type]
        await transfer(house.id, "reception", "blind", "anna")
        record = await house.bot.record()
        assert (record.outcome, record.ended_by) == ("transferred", "handover")
        assert [(i.what, i.detail) for i in record.interventions] == [("transfer", "reception")]
        await caller.hang_up()
        await nothing_left(pbx)


async def test_a_supervisor_takes_a_call_over_and_it_goes_on_between_the_two(
    pbx: Pbx, tmp_path: Path
) -> None:
    async with House(pbx, tmp_path, route={"record": True}) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        microphone = await house.supervisors.microphone(house.id, "take_over", "anna")
        (call,) = house.bot.gateway.calls
        await speak(microphone, 0.6)
        assert (call.handle.live.view().state, call.handle.mind) == ("taken_over", None)
        with pytest.raises(UserError, match="no bot has this call"):
            await house.supervisors.jump(house.id, "people", "bert")
        with pytest.raises(UserError, match="anna has taken this call over"):
            await house.supervisors.microphone(house.id, "take_over", "bert")
        with call.handle.live.listen() as ear:
            saying = asyncio.create_task(caller.say(YES))
            frames = [await anext(aiter(ear)) for _ in range(1)]
            heard = await asyncio.wait_for(_until_loud(ear), SOON_S)
            await saying
        assert frames and heard
        await microphone.close()
        await asyncio.wait_for(caller.ended, TURN_S)
        record = await house.bot.record()
        assert (record.outcome, record.ended_by) == ("taken_over", "supervisor")
        assert isinstance(record.turns[0], BotTurnRecord) and record.turns[0].interrupted_by == "supervisor"
        assert record.recording is not None
        await nothing_left(pbx)


async def _until_loud(ear: Any) -> bool:
    async for caller, _ in ear:
        if np.abs(np.frombuffer(caller, "<i2")).max() > 1000:
            return True
    return False


async def test_a_caller_who_hangs_up_on_a_supervisor_is_gone(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        microphone = await house.supervisors.microphone(house.id, "take_over", "anna")
        await speak(microphone, 0.1)
        await caller.hang_up()
        record = await house.bot.record()
        assert (record.outcome, record.ended_by) == ("taken_over", "caller")
        assert microphone.closed
        microphone.feed(hum(20))
        await microphone.close()
        await nothing_left(pbx)


async def test_recording_is_begun_paused_and_stopped_from_outside(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await caller.pause(0.3)
        record_it = house.supervisors.recording
        await record_it(house.id, "start", "anna")
        await caller.pause(0.6)
        await record_it(house.id, "pause", "anna")
        await caller.pause(0.6)
        with pytest.raises(UserError, match="recording is paused"):
            await record_it(house.id, "start", "anna")
        await record_it(house.id, "resume", "anna")
        await caller.pause(0.6)
        await record_it(house.id, "stop", "anna")
        await caller.pause(0.4)
        await caller.hang_up()
        record = await house.bot.record()
        assert [gap.why for gap in record.recording_gaps] == ["not_begun", "paused", "stopped"]
        assert record.recording is not None
        (path,) = (house.bot.config.var / "calls").glob(f"*/{record.recording}")
        wav = read_wav(path)  # mixed to one
        rate = wav.sample_rate
        not_begun, paused, stopped = record.recording_gaps
        margin = 60

        def loud(from_ms: int, to_ms: int) -> bool:
            piece = wav.samples[(from_ms + margin) * rate // 1000 : (to_ms - margin) * rate // 1000]
            return bool(np.abs(piece.astype(int)).max() > 500)

        assert not loud(0, cast(int, not_begun.to_ms))
        assert loud(cast(int, not_begun.to_ms), paused.from_ms)
        assert not loud(paused.from_ms, cast(int, paused.to_ms))
        assert loud(cast(int, paused.to_ms), stopped.from_ms)
        assert not loud(stopped.from_ms, len(wav.samples) * 1000 // rate)
        assert abs(len(wav.samples) / rate * 1000 - record.duration_ms) < 700


async def test_a_recording_that_is_resumed_in_a_sensitive_step_stays_silent(pbx: Pbx, tmp_path: Path) -> None:
    async with House(pbx, tmp_path, route={"record": True}) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.jump(house.id, "pin", "anna")
        jumped = now()
        for action in ("pause", "resume", "stop", "start"):
            await house.supervisors.recording(house.id, action, "anna")  # type: ignore[arg-type]
        (call,) = house.bot.gateway.calls
        from_ms = call.handle.stage.scribe.ms(jumped)
        await caller.say(YES)
        await caller.pause(0.5)
        await house.supervisors.jump(house.id, "people", "anna")
        assert call.handle.live.privacy.secret, "the caller may still be at it"
        await caller.hang_up()
        record = await house.bot.record()
        (path,) = (house.bot.config.var / "calls").glob(f"*/{record.recording}")
        wav = read_wav(path)
        after = wav.samples[(from_ms + 60) * wav.sample_rate // 1000 :]
        assert len(after) and not np.abs(after.astype(int)).max()


class WaitingRoom:
    """A queue of ours in which nobody comes but by the test's hand."""

    def __init__(self) -> None:
        self.entered: asyncio.Future[Presenter] = asyncio.get_running_loop().create_future()

    def takes(self, handover: Handover) -> bool:
        return handover.queue

    async def serve(self, presenter: Presenter, handover: Handover) -> None:
        self.entered.set_result(presenter)
        await asyncio.Event().wait()


async def test_who_is_transferred_out_of_a_sensitive_step_is_not_recorded_until_met(
    pbx: Pbx, tmp_path: Path
) -> None:
    queue = WaitingRoom()
    async with House(pbx, tmp_path, route={"record": True}, people=lambda gateway: queue) as house:
        caller = await pbx.dial("600")
        await caller.bot_speaks(SOON_S, since=0.0)
        await house.supervisors.jump(house.id, "pin", "anna")
        await asked(caller)
        (call,) = house.bot.gateway.calls
        scribe = call.handle.stage.scribe
        asked_ms = scribe.ms(now())
        await house.supervisors.transfer(house.id, "queue:support", "blind", "anna")
        presenter = await asyncio.wait_for(queue.entered, SOON_S)
        with call.handle.live.listen() as ear:
            await caller.say(YES)  # they are still at their number
            frames = await ear.some()
        assert not any(any(side) for each in frames for side in each)
        presenter.stage.live.state("with_person", person="anna")
        met_ms = scribe.ms(now())
        await caller.say(YES)
        await caller.hang_up()
        record = await house.bot.record()
    (path,) = (house.bot.config.var / "calls").glob(f"*/{record.recording}")
    wav = read_wav(path)
    heard = np.abs(wav.samples.astype(int))
    waiting, with_person = (at * wav.sample_rate // 1000 for at in (asked_ms + 60, met_ms + 60))
    assert not heard[waiting : with_person - wav.sample_rate // 10].max()
    assert heard[with_person:].max() > 500
