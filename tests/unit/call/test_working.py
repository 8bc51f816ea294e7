"""unit: a call while its dialog's work is done. Media tick and clock are turned by hand."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator
from typing import Any, cast

import numpy as np
import pytest

from tests.unit.call.test_speaking import FakeLibrary
from voicebot.audio.playout import Playout, PromptFinished, PromptStarted
from voicebot.call.message import EndedBy
from voicebot.call.privacy import Privacy
from voicebot.call.record import HIDDEN, BotTurnRecord, CallRecord
from voicebot.call.scribe import Scribe
from voicebot.call.session import InboxEvent, Session
from voicebot.call.speaking import Speaking
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
    DtmfExpectation,
    End,
    Event,
    Fetch,
    Fetched,
    HookDone,
    Keys,
    Listen,
    MessageRecorded,
    Prompt,
    RecordMessage,
    Replied,
    RunHook,
    SpokenText,
    Understood,
    Work,
)
from voicebot.errors import CallEnded, UserError
from voicebot.speech.stt import Expectation
from voicebot.speech.tts import Samples, Voice
from voicebot.turn import events as ev
from voicebot.turn.machine import Floor, TurnMachine

pytestmark = pytest.mark.unit

RATE = 8000
WORD_FRAMES = 10
FILLER = ((SpokenText("wait", "en"),), (SpokenText("still wait", "en"),))
LISTEN = Listen("ask", Expectation(), DtmfExpectation(keys="1", max_digits=1))


def say(text: str, **more: Any) -> tuple[Prompt, ...]:
    return (SpokenText(text, "en", **more),) if text else ()


class Tts:
    """Every prompt is ready; a word lasts WORD_FRAMES ticks."""

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        return np.full(len(text.split()) * WORD_FRAMES * RATE // 50, 1000, dtype=np.int16)

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncGenerator[Samples, None]:
        raise AssertionError("it was ready")
        yield


class Script:
    """A dialog that gives its turns one after the other and notes what it was told."""

    understood: Understood | None = None
    step = "step"

    def __init__(self, *turns: BotTurn) -> None:
        self.turns = list(turns)
        self.told: list[tuple[Event, str | None]] = []

    def begin(self, now: float) -> BotTurn:
        return self.turns.pop(0)

    def handle(self, event: Event, now: float, heard: str | None = None) -> BotTurn:
        self.told.append((event, heard))
        return self.turns.pop(0)


class Ear:
    """What the session needs of a call's hearing."""

    utterance = None
    tap = None

    def __init__(self) -> None:
        self.speaking_s = math.inf
        self.done: list[str] = []

    def listen(self, listen: Listen) -> None:
        self.done.append("listen")

    def open(self) -> None:
        self.done.append("open")

    def finish(self, number: int) -> None:
        self.done.append("finish")

    def drop(self) -> None:
        self.done.append("drop")

    def speaking_for(self, now: float) -> float:
        return self.speaking_s


class Desk:
    """Work is done when the test says so."""

    def __init__(self) -> None:
        self.result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.pieces: asyncio.Queue[str | Replied] = asyncio.Queue()
        self.cancelled = False

    async def fetch(self, work: Fetch) -> Fetched:
        try:
            return cast(Fetched, await self.result)
        except asyncio.CancelledError:
            self.cancelled = True
            raise

    async def run_hook(self, work: RunHook) -> HookDone:
        if work.name == "broken":
            raise ZeroDivisionError
        return HookDone(error="it does not work")

    async def ask(self, work: AskModel) -> AsyncGenerator[str | Replied, None]:
        try:
            while True:
                yield await self.pieces.get()
        finally:
            self.cancelled = True


class Recorder:
    """Records nothing; ends when told."""

    def __init__(self, work: RecordMessage, ended: Any) -> None:
        self.ended, self.keys = ended, ""

    def take(self, frame: object) -> None:
        return

    def press(self, key: str) -> None:
        self.keys += key
        self.ended("key")

    async def finish(self, by: EndedBy) -> MessageRecorded:
        return MessageRecorded("/var/a-message-1.wav", 2000, by)


class Talk:
    """A session whose media tick and clock the test turns by hand."""

    def __init__(self, *turns: BotTurn) -> None:
        self.now = 100.0
        self.inbox: asyncio.Queue[InboxEvent] = asyncio.Queue()
        self.playout = Playout(RATE)
        self.script, self.hearing, self.desk = Script(*turns), Ear(), Desk()
        self.machine = TurnMachine()
        self.recorders: list[Recorder] = []
        self.privacy = Privacy()
        self.speaking = Speaking(
            tts=cast(Any, Tts()),
            library=FakeLibrary(),
            playout=self.playout,
            sample_rate=RATE,
            voice=Voice,
            on_began=lambda bargein: self.inbox.put_nowait(ev.PromptBegan(bargein)),
            on_done=lambda: self.inbox.put_nowait(ev.PromptsDone()),
            on_fault=print,
        )
        self.record = CallRecord.model_validate({"id": "a1", "started_at": "2027-03-01T12:00:00Z"})
        self.session = Session(
            inbox=self.inbox,
            machine=self.machine,
            dialogue=self.script,
            hearing=cast(Any, self.hearing),
            speaking=self.speaking,
            scribe=Scribe(self.record, 100.0),
            privacy=self.privacy,
            workers=self.desk,
            recorder=self.make_recorder,
            resume_back_ms=0,
            hand_over=cast(Any, None),
            clock=lambda: self.now,
        )
        self.running = asyncio.create_task(self.session.run())

    def make_recorder(self, work: RecordMessage, ended: Any) -> Any:
        self.recorders.append(Recorder(work, ended))
        return self.recorders[-1]

    async def tick(self, words: float = 1) -> None:
        """Let the media tick run for as long as so many words take."""
        for _ in range(round(words * WORD_FRAMES)):
            self.playout.next_frame()
            self.now += 0.02
            happened, self.playout.events = self.playout.events, []
            for event in happened:
                if isinstance(event, PromptStarted):
                    self.speaking.prompt_started(event.prompt_id, self.now)
                elif isinstance(event, PromptFinished):
                    self.speaking.prompt_finished(event.prompt_id, self.now)
            await self.settle()

    async def wait(self, seconds: float) -> None:
        """Let time pass without a sound."""
        self.now += seconds
        self.inbox.put_nowait(ev.TimeUp())
        await self.settle()

    async def happens(self, *events: ev.Event) -> None:
        for event in events:
            self.inbox.put_nowait(event)
        await self.settle()

    async def done(self, result: Fetched) -> None:
        self.desk.result.set_result(result)
        await self.settle()

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    @property
    def said(self) -> str:
        return " | ".join(spoken.text for spoken in self.speaking.prompts)

    @property
    def turns(self) -> list[str]:
        return [turn.text for turn in self.record.turns if isinstance(turn, BotTurnRecord)]


def fetch(**more: Any) -> Fetch:
    return Fetch("look_up", "GET", "http://a.test/x", filler=FILLER, **more)


OK = Fetched(200, {"a": 1})


async def test_work_begins_with_the_prompts_and_what_follows_joins_them() -> None:
    talk = Talk(BotTurn(say("one moment here please"), fetch()), BotTurn(say("your order is ready"), LISTEN))
    await talk.settle()
    await talk.tick(1)
    await talk.done(OK)
    assert talk.script.told == [(OK, None)]
    assert talk.said == "one moment here please | your order is ready"
    await talk.tick(3)
    assert talk.machine.floor is Floor.BOT
    await talk.tick(4)
    assert talk.machine.floor is Floor.OPEN
    assert talk.turns == ["one moment here please your order is ready"]
    (work,) = talk.record.work
    assert (work.kind, work.name, work.status, work.result) == ("fetch", "GET a.test", 200, {"a": 1})
    talk.running.cancel()


async def test_a_prompt_that_may_not_be_interrupted_stays_so_when_the_next_turn_listens() -> None:
    talk = Talk(BotTurn(say("you must hear this", bargein=False), fetch()), BotTurn(say("and this"), LISTEN))
    await talk.settle()
    await talk.tick(1)
    await talk.done(OK)
    await talk.happens(ev.KeyPressed("1"), ev.SpeechStarted())
    assert talk.machine.floor is Floor.BOT
    await talk.tick(4)
    talk.script.turns.append(BotTurn(say("bye"), End("done")))
    await talk.happens(ev.KeyPressed("1"))
    assert talk.script.told[-1] == (Keys("1"), "you must hear this and")
    talk.running.cancel()


async def test_a_caller_who_waits_hears_fillers_until_the_work_is_done() -> None:
    talk = Talk(BotTurn(say("one moment"), fetch()), BotTurn(say("done"), LISTEN))
    await talk.settle()
    await talk.tick(2)
    await talk.wait(0.4)
    assert not talk.speaking.busy
    await talk.wait(0.11)
    assert talk.said == "wait"
    await talk.tick(1)
    await talk.wait(2.9)
    assert not talk.speaking.busy
    await talk.wait(0.2)
    for _ in range(2):
        assert talk.said == "still wait", "the last one again"
        await talk.tick(2)
        await talk.wait(4.9)
        assert not talk.speaking.busy
        await talk.wait(0.2)
    await talk.tick(2)
    await talk.done(OK)
    assert talk.said == "done"
    await talk.tick(1)
    assert talk.turns == ["one moment", "wait", "still wait", "still wait", "still wait", "done"]
    assert talk.machine.floor is Floor.OPEN
    talk.running.cancel()


async def test_words_and_keys_during_work_mean_nothing() -> None:
    talk = Talk(BotTurn(say("one moment"), fetch()), BotTurn(say("bye"), End("done")))
    await talk.settle()
    await talk.happens(ev.KeyPressed("1"), ev.SpeechStarted(), ev.SpeechEnded(900), ev.KeyPressed("0"))
    assert (talk.script.told, talk.hearing.done) == ([], [])
    assert talk.speaking.busy
    await talk.done(OK)
    await talk.tick(3)
    with pytest.raises(CallEnded):
        await talk.running


async def test_work_follows_work_and_a_fault_of_ours_is_a_failure_of_the_work() -> None:
    talk = Talk(
        BotTurn((), fetch()), BotTurn((), RunHook("step", "broken")), BotTurn(say("sorry"), End("failed"))
    )
    await talk.settle()
    await talk.done(OK)
    assert talk.script.told[1] == (HookDone(error="ZeroDivisionError"), None)
    assert [work.kind for work in talk.record.work] == ["fetch", "hook"]
    await talk.tick(1)
    with pytest.raises(CallEnded):
        await talk.running


async def test_a_hang_up_cancels_the_work() -> None:
    talk = Talk(BotTurn((), fetch()))
    await talk.settle()
    talk.running.cancel()
    await talk.session.close()
    await talk.settle()
    assert talk.desk.cancelled
    assert talk.script.told == []


async def test_a_dialog_that_works_without_end_is_stopped() -> None:
    talk = Talk(*[BotTurn((), RunHook("step", "hook"))] * 200)
    with pytest.raises(UserError, match="never listens"):
        await asyncio.wait_for(talk.running, 5)


# --- what is sensitive ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "muted"),
    [
        (BotTurn(say("one moment"), fetch(sensitive=True)), True),
        (BotTurn(say("your card 4111", sensitive=True), fetch()), True),
        (BotTurn(say("one moment"), fetch()), False),
    ],
)
async def test_the_recording_is_silent_while_anything_sensitive_goes_on(first: BotTurn, muted: bool) -> None:
    talk = Talk(first, BotTurn(say("done"), LISTEN))
    await talk.settle()
    assert talk.privacy.secret is muted
    said_sensitive = first.prompts[0].sensitive if isinstance(first.prompts[0], SpokenText) else False
    await talk.done(Fetched(200, "4111"))
    assert talk.privacy.secret is said_sensitive, "a sensitive prompt is still played"
    if muted and not said_sensitive:
        assert talk.record.work[0].result is None
        assert talk.record.work[0].name == "GET"
    talk.running.cancel()


async def test_work_after_a_sensitive_question_is_begun_in_silence() -> None:
    card = Listen("card", Expectation(), DtmfExpectation(keys="1", max_digits=1), sensitive=True)
    talk = Talk(BotTurn((), card), BotTurn((), fetch()), BotTurn(say("done"), LISTEN))
    await talk.happens(ev.KeyPressed("1"))
    assert talk.privacy.secret
    await talk.done(OK)
    assert not talk.privacy.secret
    talk.running.cancel()


# --- language models ------------------------------------------------------------------------------------


def ask(**more: Any) -> AskModel:
    return AskModel("chat", (), filler=FILLER, language="en", **more)


async def test_a_models_first_sentence_is_spoken_while_it_goes_on() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN))
    await talk.settle()
    for piece in ("We open ", "at nine. ", "And "):
        talk.desk.pieces.put_nowait(piece)
    await talk.settle()
    assert talk.said == "We open at nine."
    await talk.tick(1)
    talk.desk.pieces.put_nowait("close at five.")
    talk.desk.pieces.put_nowait(Replied("We open at nine. And close at five."))
    await talk.settle()
    assert talk.said == "We open at nine. | And close at five."
    assert talk.script.told == [(Replied("We open at nine. And close at five."), None)]
    assert talk.machine.floor is Floor.BOT
    talk.script.turns.append(BotTurn(say("bye"), End("done")))
    await talk.happens(ev.KeyPressed("1"))
    assert talk.script.told[-1] == (Keys("1"), "We")
    talk.running.cancel()


async def test_a_model_is_interrupted_by_speech_and_knows_what_was_heard() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN))
    await talk.settle()
    talk.desk.pieces.put_nowait("One two three four. Five ")
    await talk.settle()
    await talk.tick(2)
    await talk.happens(ev.SpeechStarted())
    assert talk.playout.held
    await talk.wait(0.61)
    assert talk.script.told == [(Replied("One two"), None)]
    assert talk.desk.cancelled
    assert talk.machine.floor is Floor.CALLER
    assert talk.hearing.done == ["listen", "open"]
    assert talk.turns == ["One two three four."]
    talk.running.cancel()


async def test_a_model_does_not_hear_that_it_let_the_caller_wait() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN))
    await talk.settle()
    await talk.wait(0.9)
    assert not talk.speaking.busy, "its first sentence is mostly there by now"
    await talk.wait(0.2)
    assert talk.said == "wait"
    talk.desk.pieces.put_nowait("One two three four. Five ")
    await talk.settle()
    await talk.tick(3)
    await talk.happens(ev.KeyPressed("1"))
    assert talk.script.told[0] == (Replied("One two"), None)
    assert talk.turns == ["wait One two three four."]
    talk.running.cancel()


async def test_half_a_sentence_of_a_model_that_fails_is_not_said() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn(say("sorry"), End("failed")))
    await talk.settle()
    talk.desk.pieces.put_nowait("It is open. But I was about to ")
    talk.desk.pieces.put_nowait(Replied(error="no reply"))
    await talk.settle()
    assert talk.said == "It is open. | sorry"
    talk.running.cancel()


async def test_a_short_answer_interrupts_a_model_and_a_cough_does_not() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN))
    await talk.settle()
    talk.desk.pieces.put_nowait("One two three four. Five ")
    await talk.settle()
    await talk.tick(1)
    await talk.happens(ev.SpeechStarted(), ev.SpeechEnded(120))
    assert not talk.playout.held
    assert talk.script.told == []
    await talk.tick(1)
    await talk.happens(ev.SpeechStarted(), ev.SpeechEnded(400))
    assert talk.script.told == [(Replied("One two"), None)]
    assert talk.hearing.done[-2:] == ["open", "finish"]
    assert talk.machine.floor is Floor.WEIGHING
    talk.running.cancel()


async def test_a_caller_speaks_over_the_last_words_of_a_model() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN))
    await talk.settle()
    talk.desk.pieces.put_nowait("One two three four. ")
    talk.desk.pieces.put_nowait("Five ")
    await talk.settle()
    await talk.tick(1)
    await talk.happens(ev.SpeechStarted())
    talk.desk.pieces.put_nowait(Replied("One two three four. Five"))
    await talk.settle()
    assert talk.machine.floor is Floor.HELD
    assert talk.playout.held
    talk.running.cancel()


async def test_a_key_interrupts_a_model() -> None:
    talk = Talk(BotTurn((), ask()), BotTurn((), LISTEN), BotTurn(say("bye"), End("done")))
    await talk.settle()
    talk.desk.pieces.put_nowait("One two three four. Five ")
    await talk.settle()
    await talk.tick(2)
    await talk.happens(ev.KeyPressed("1"))
    assert [event for event, _ in talk.script.told] == [Replied("One two"), Keys("1")]
    talk.running.cancel()


async def test_a_models_sensitive_words_are_not_written_down() -> None:
    talk = Talk(BotTurn((), ask(sensitive=True)), BotTurn((), LISTEN))
    await talk.settle()
    assert talk.privacy.secret
    talk.desk.pieces.put_nowait("It is 4111. Yes ")
    talk.desk.pieces.put_nowait(Replied("It is 4111. Yes"))
    await talk.settle()
    await talk.tick(5)
    assert talk.turns == [f"{HIDDEN} {HIDDEN}"]
    assert "4111" not in talk.record.model_dump_json()
    talk.running.cancel()


# --- messages -------------------------------------------------------------------------------------------

MESSAGE: Work = RecordMessage("message", 60_000, 1000, 3000, 5000)
BEEP_WORDS = 1.5


async def test_a_message_is_recorded_after_the_prompts_and_the_beep() -> None:
    talk = Talk(BotTurn(say("after the tone"), MESSAGE), BotTurn(say("thanks"), End("done", goal=True)))
    await talk.settle()
    await talk.tick(3)
    assert talk.recorders == []
    assert talk.speaking.busy, "the beep"
    await talk.happens(ev.KeyPressed("#"))
    await talk.tick(BEEP_WORDS)
    (recorder,) = talk.recorders
    assert recorder.keys == ""
    assert talk.hearing.tap == recorder.take
    await talk.happens(ev.KeyPressed("#"))
    assert talk.hearing.tap is None
    assert talk.script.told == [(MessageRecorded("/var/a-message-1.wav", 2000, "key"), None)]
    (work,) = talk.record.work
    assert (work.kind, work.recording, work.length_ms) == ("message", "a-message-1.wav", 2000)
    assert talk.turns == ["after the tone"]
    await talk.tick(1)
    with pytest.raises(CallEnded):
        await talk.running


@pytest.mark.parametrize("ending", [False, True])
async def test_a_message_is_kept_when_the_caller_hangs_up(ending: bool) -> None:
    talk = Talk(BotTurn((), RecordMessage("message", 60_000, 1000, 3000, 5000, beep=False)))
    talk.script.turns.append(BotTurn((), End("done")))
    await talk.settle()
    if ending:  # the file is being finished in this very moment
        talk.recorders[0].ended("silence")
    talk.running.cancel()
    await talk.session.close()
    by = "silence" if ending else "hangup"
    assert talk.script.told == [(MessageRecorded("/var/a-message-1.wav", 2000, by), None)]
    assert [work.ended_by for work in talk.record.work] == [by]


async def test_a_caller_who_hangs_up_before_the_beep_has_left_no_message() -> None:
    talk = Talk(BotTurn(say("after the tone"), MESSAGE))
    await talk.settle()
    talk.running.cancel()
    await talk.session.close()
    assert talk.script.told == []
