"""One call's conversation: the only consumer of its inbox, the only owner of turn machine and interpreter.

The way of a reply: an event from the media tick or the leg -> `TurnMachine` -> `Deliver` -> `Interpreter` ->
a `BotTurn` -> `Speaking`. No locks: everything here runs in one task.

A turn may want work done before the dialog goes on. The machine then stays idle, so that words and keys mean
nothing; the prompts of the turn are played while the work is done, and what the dialog says next joins them.

Commands from outside come through the same inbox: see `interventions`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal, Protocol

import structlog

from voicebot.call.control import Asked
from voicebot.call.hearing import Hearing
from voicebot.call.interventions import Interventions, Leadable
from voicebot.call.message_taking import MessageTaking, Recorder
from voicebot.call.privacy import Privacy
from voicebot.call.scribe import Scribe
from voicebot.call.speaking import Beep, Speaking
from voicebot.call.working import TALKED_OVER_S, WorkDone, Workers, Working, WorkNews, WorkSaid
from voicebot.dialog.turns import (
    AskModel,
    BotTurn,
    CallerInput,
    End,
    Event,
    Handover,
    Listen,
    Prompt,
    RecordMessage,
    Replied,
    SpokenText,
    Understood,
    Work,
    WorkResult,
)
from voicebot.errors import CallEnded, UserError
from voicebot.turn import events as ev
from voicebot.turn.machine import TurnMachine, TurnRules

log = structlog.get_logger(__name__)

EARLY_ANSWER_S = 1.5
"""Speech that began so shortly before the end of a prompt without barge-in is the answer to it."""
FROM_THE_START_MS = 3_600_000
"""Further back than any prompt is long."""
MOST_WORK = 100
"""Pieces of work in a row, without an answer of the caller's between, before a dialog counts as stuck."""

InboxEvent = ev.Event | WorkNews | Asked


class Dialogue(Leadable, Protocol):
    """The interpreter, as a call sees it."""

    @property
    def understood(self) -> Understood | None: ...

    @property
    def step(self) -> str: ...

    def begin(self, now: float) -> BotTurn: ...

    def handle(self, event: Event, now: float, heard: str | None = None) -> BotTurn: ...


class Session:
    """Runs the dialog of one answered call to its end.

    `hand_over` leaves the caller to a person; `inbox` may be filled from the media tick with `put_nowait`;
    `workers` do what the dialog wants done, `recorder` makes what records a message.
    """

    def __init__(
        self,
        *,
        inbox: asyncio.Queue[InboxEvent],
        machine: TurnMachine,
        dialogue: Dialogue,
        hearing: Hearing,
        speaking: Speaking,
        scribe: Scribe,
        privacy: Privacy,
        workers: Workers,
        recorder: Recorder,
        resume_back_ms: int,
        hand_over: Callable[[Handover], Awaitable[None]],
        clock: Callable[[], float],
        cough_ms: int = TurnRules().cough_ms,
        on_held: Callable[[bool], None] = lambda held: None,
    ) -> None:
        self._inbox = inbox
        self._machine = machine
        self._dialogue = dialogue
        self._hearing = hearing
        self._speaking = speaking
        self._scribe = scribe
        self._privacy = privacy
        self._workers = workers
        self._messages = MessageTaking(recorder, hearing, inbox.put_nowait)
        self._resume_back_ms = resume_back_ms
        self._hand_over = hand_over
        self._clock = clock
        self._cough_ms = cough_ms
        self._then: Listen | Work | End | Handover | None = None
        self._heard: str | None = None
        self._starts_over = False
        self._working: Working | None = None
        self._works = 0  # begun so far
        self._in_a_row = 0  # since the caller was last heard
        self._outside = Interventions(self, dialogue, on_held)

    async def run(self) -> None:
        """Converse until the dialog ends. Always leaves by `CallEnded`."""
        await self._say(self._dialogue.begin(self._clock()))
        while True:
            await self._handle(await self._next_event())

    async def close(self) -> None:
        """The call is over: give up the work that goes on. A message that was begun is kept."""
        while not self._inbox.empty():
            if isinstance(asked := self._inbox.get_nowait(), Asked):
                asked.done(UserError("the dialog has ended", "look at the live calls"))
        working, self._working = self._working, None
        if working is None:
            return
        working.cancel()
        if (result := await self._messages.give_up("hangup")) is not None:
            now = self._clock()
            self._dialogue.handle(result, now)
            self._scribe.work(working.work, result, self._dialogue.understood, working.began_at, now)

    async def _next_event(self) -> InboxEvent:
        due = [self._machine.deadline, self._outside.deadline]
        due.append(self._working.deadline if self._working is not None else None)
        deadline = min((at for at in due if at is not None), default=None)
        if deadline is None:
            return await self._inbox.get()
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                return await self._inbox.get()
        except TimeoutError:
            return ev.TimeUp()

    async def _handle(self, event: InboxEvent) -> None:
        now = self._clock()
        if isinstance(event, WorkSaid | WorkDone):
            await self._handle_news(event, now)
            return
        if isinstance(event, Asked):
            await self._outside.carry_out(event, now)
            return
        if isinstance(event, ev.KeyPressed):
            self._scribe.key(now)
        elif isinstance(event, ev.PromptsDone):
            if self._speaking.busy:
                return  # it is about prompts that a key or a word has overtaken in the inbox
            self._scribe.bot_ends(now)
        if self._outside.held:
            if self._outside.deadline is not None and now >= self._outside.deadline:
                await self._outside.release(now)
            return
        if self._working is not None:
            await self._while_working(self._working, event, now)
            return
        await self._advance(event, now)
        if isinstance(event, ev.PromptsDone) and self._hearing.speaking_for(now) < EARLY_ANSWER_S:
            await self._advance(ev.SpeechStarted(), now)

    async def _advance(self, event: ev.Event, now: float) -> None:
        for command in self._machine.handle(event, now):
            await self._perform(command, now)

    async def _perform(self, command: ev.Command, now: float) -> None:
        match command:
            case ev.HoldPrompts():
                self._speaking.hold()
                self._scribe.bot_held(now)
            case ev.ResumePrompts():
                self._resume()
            case ev.StopPrompts(by):
                heard = self._speaking.stop()
                self._heard = heard.words
                self._scribe.bot_ends(now, heard=heard.text, interrupted_by=by)
            case ev.OpenUtterance():
                self._hearing.open()
            case ev.GuessUtterance():
                self._hearing.guess()
            case ev.FinishUtterance(number):
                self._hearing.finish(number)
            case ev.DropUtterance():
                self._hearing.drop()
            case ev.ForgiveNoise():
                self._starts_over = False
                self._scribe.noise()
            case ev.Deliver(given):
                await self._deliver(given, now)
            case ev.Finished():
                await self._finish()

    def start_over(self) -> None:
        """Should the prompt that is held be resumed, then from its beginning."""
        self._starts_over = True

    def _resume(self) -> None:
        self._speaking.resume(FROM_THE_START_MS if self._starts_over else self._resume_back_ms)
        self._starts_over = False
        self._scribe.bot_resumed()

    async def _deliver(self, given: CallerInput, now: float) -> None:
        assert isinstance(self._then, Listen), "only a turn that listens delivers"
        self._in_a_row = 0
        listened = replace(self._then, sensitive=True) if self._privacy.lasting else self._then
        self._privacy.answered()
        heard, self._heard = self._heard, None
        turn = self._dialogue.handle(given, now, heard)
        self._scribe.caller(given, listened, self._dialogue.understood, self._hearing.utterance, now)
        await self._say(turn)

    async def _say(self, turn: BotTurn) -> None:
        """Play the prompts of a turn, after what the bot is still saying, and do what the turn wants."""
        if self._outside.held:
            self._outside.keep(turn)
            return
        before, self._then = self._then, turn.then
        listen = turn.then if isinstance(turn.then, Listen) else None
        if listen is not None:
            self._hearing.listen(listen)
        self._speak(turn.prompts, self._dialogue.step)
        # At once, before any other task runs: whoever plays or records the prompts must know already.
        self._privacy.turn((spoken.prompt for spoken in self._speaking.prompts), before, turn.then)
        if isinstance(turn.then, Work):
            await self._begin_work(turn.then)
            return
        joined = self._speaking.playing
        await self._handle(ev.TurnBegan(listen, int(self._speaking.busy)))
        if joined is not None and self._working is None:
            await self._advance(ev.PromptBegan(joined.prompt.bargein), self._clock())

    def _speak(self, prompts: tuple[Prompt | Beep, ...], step: str, *, aside: bool = False) -> None:
        if self._speaking.busy:
            self._scribe.bot_adds(step, self._speaking.add(prompts, aside))
        else:
            self._scribe.bot_ends(self._clock())  # the news of it may still be in the inbox
            self._speaking.say(prompts, aside)
            self._scribe.bot_begins(step, self._speaking.prompts)

    async def _finish(self) -> None:
        if isinstance(self._then, Handover):
            await self._hand_over(self._then)
            raise CallEnded("handover")
        raise CallEnded("bot")

    # --- for interventions: it is `Interruptible` -------------------------------------------------------

    @property
    def then(self) -> Listen | Work | End | Handover | None:
        return self._then

    @property
    def working(self) -> Working | None:
        return self._working

    async def say(self, turn: BotTurn) -> None:
        await self._say(turn)

    def speak(self, prompts: tuple[Prompt, ...]) -> None:
        self._speak(prompts, self._dialogue.step, aside=True)

    async def take_floor(self, now: float) -> str | None:
        self._heard = None
        self._privacy.led_away()
        await self._advance(ev.Intervened(), now)
        if self._speaking.busy:
            await self._perform(ev.StopPrompts("supervisor"), now)
        self._hearing.drop()
        if self._working is not None:
            self._working.filler_at = self._working.interrupt_at = None
        heard, self._heard = self._heard, None
        return heard

    async def give_up_work(self) -> None:
        working, self._working = self._working, None
        if working is None:
            return
        working.cancel()
        if (result := await self._messages.give_up("supervisor")) is not None:
            self._scribe.work(working.work, result, None, working.began_at, self._clock())

    # --- work -------------------------------------------------------------------------------------------

    async def _begin_work(self, work: Work) -> None:
        now = self._clock()
        self._works += 1
        self._in_a_row += 1
        if self._in_a_row > MOST_WORK:
            raise UserError(
                f"the dialog works and works, and never listens (step `{work.step}`)",
                "let it give up after some attempts",
            )
        self._working = Working(self._works, work, self._workers, self._inbox.put_nowait, now)
        self._working.start()
        if not self._speaking.busy:
            self.wait_on(now)

    def wait_on(self, now: float) -> None:
        """All has been said for now, and work goes on."""
        working = self._working
        assert working is not None
        if not isinstance(working.work, RecordMessage):
            working.caller_waits(now)
        elif working.work.beep and not any(isinstance(each.prompt, Beep) for each in self._speaking.prompts):
            self._speak((Beep(),), working.work.step)  # after the prompts the beep, after it the message
        else:
            self._messages.begin(working.work, working.number)

    async def _while_working(self, working: Working, event: ev.Event, now: float) -> None:
        """Words and keys mean nothing, but to a model that speaks, and to a message."""
        talks = isinstance(working.work, AskModel) and bool(working.said) and self._speaking.busy
        match event:
            case ev.PromptsDone():
                self.wait_on(now)
            case ev.KeyPressed(digit):
                if not self._messages.press(digit) and talks:
                    await self._interrupt(working, "dtmf", now)
                    await self._handle(event)
            case ev.SpeechStarted() if talks:
                self._speaking.hold()
                self._scribe.bot_held(now)
                working.interrupt_at = now + TALKED_OVER_S
            case ev.SpeechEnded(voiced_ms) if working.interrupt_at is not None:
                if voiced_ms >= self._cough_ms:
                    await self._interrupt(working, "speech", now)
                    await self._advance(ev.SpeechStarted(), now)
                    await self._advance(event, now)
                else:
                    working.interrupt_at = None
                    self._resume()
            case ev.TimeUp() if working.interrupt_at is not None:
                if now >= working.interrupt_at:
                    await self._interrupt(working, "speech", now)
                    await self._advance(ev.SpeechStarted(), now)
            case ev.TimeUp() if working.filler_at is not None and now >= working.filler_at:
                self._speak(working.next_filler(), working.work.step, aside=True)

    async def _handle_news(self, news: WorkNews, now: float) -> None:
        working = self._working
        if working is None or news.number != working.number:
            return  # it was given up
        if isinstance(news, WorkDone):
            await self._work_done(working, news.result, now)
            return
        assert isinstance(working.work, AskModel)
        working.said.append(news.text)
        working.filler_at = None
        if self._outside.held:
            return  # it is said again on release
        language, sensitive = working.work.language, working.work.sensitive
        self._speak((SpokenText(news.text, language, static=False, sensitive=sensitive),), working.work.step)

    async def _work_done(self, working: Working, result: WorkResult, now: float) -> None:
        """Tell the dialog how its work went, and go on."""
        working.cancel()
        self._working = None
        self._messages.over()
        turn = self._dialogue.handle(result, now)
        self._scribe.work(working.work, result, self._dialogue.understood, working.began_at, now)
        held = working.interrupt_at is not None
        if held and not isinstance(turn.then, Listen):
            self._resume()
        await self._say(turn)
        if held and isinstance(turn.then, Listen):  # the caller speaks over the last words
            await self._advance(ev.SpeechStarted(), now)

    async def _interrupt(self, working: Working, by: Literal["speech", "dtmf"], now: float) -> None:
        """The caller has the floor: the model need not go on, and has said what was heard of it."""
        heard = self._speaking.stop()
        self._scribe.bot_ends(now, heard=heard.text, interrupted_by=by)
        working.interrupt_at = None
        await self._work_done(working, Replied(heard.words), now)
