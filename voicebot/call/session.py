"""One call's conversation: the only consumer of its inbox, the only owner of turn machine and interpreter.

The way of a reply: an event from the media tick or the leg -> `TurnMachine` -> `Deliver` -> `Interpreter` ->
a `BotTurn` -> `Speaking`. No locks: everything here runs in one task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from voicebot.call.hearing import Hearing
from voicebot.call.recording import Recording
from voicebot.call.scribe import Scribe
from voicebot.call.speaking import Speaking
from voicebot.dialog.turns import BotTurn, CallerInput, End, Handover, Listen, SpokenText, Understood
from voicebot.errors import CallEnded
from voicebot.turn import events as ev
from voicebot.turn.machine import TurnMachine

log = structlog.get_logger(__name__)


EARLY_ANSWER_S = 1.5
"""Speech that began so shortly before the end of a prompt without barge-in is the answer to it."""


class Dialogue(Protocol):
    """The interpreter, as a call sees it."""

    @property
    def understood(self) -> Understood | None: ...

    @property
    def step(self) -> str: ...

    def begin(self, now: float) -> BotTurn: ...

    def handle(self, given: CallerInput, now: float, heard: str | None = None) -> BotTurn: ...


class Session:
    """Runs the dialog of one answered call to its end.

    `hand_over` leaves the caller to a person; `inbox` may be filled from the media tick with `put_nowait`.
    """

    def __init__(
        self,
        *,
        inbox: asyncio.Queue[ev.Event],
        machine: TurnMachine,
        dialogue: Dialogue,
        hearing: Hearing,
        speaking: Speaking,
        scribe: Scribe,
        recording: Recording | None,
        resume_back_ms: int,
        hand_over: Callable[[Handover], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._inbox = inbox
        self._machine = machine
        self._dialogue = dialogue
        self._hearing = hearing
        self._speaking = speaking
        self._scribe = scribe
        self._recording = recording
        self._resume_back_ms = resume_back_ms
        self._hand_over = hand_over
        self._clock = clock
        self._then: Listen | End | Handover | None = None
        self._heard: str | None = None

    async def run(self) -> None:
        """Converse until the dialog ends. Always leaves by `CallEnded`."""
        await self._say(self._dialogue.begin(self._clock()))
        while True:
            await self._handle(await self._next_event())

    async def _next_event(self) -> ev.Event:
        deadline = self._machine.deadline
        if deadline is None:
            return await self._inbox.get()
        try:
            async with asyncio.timeout(max(0.0, deadline - self._clock())):
                return await self._inbox.get()
        except TimeoutError:
            return ev.TimeUp()

    async def _handle(self, event: ev.Event) -> None:
        now = self._clock()
        if isinstance(event, ev.KeyPressed):
            self._scribe.key(now)
        elif isinstance(event, ev.PromptsDone):
            if self._speaking.busy:
                return  # it is about prompts that a key or a word has overtaken in the inbox
            self._scribe.bot_ends(now)
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
                self._speaking.resume(self._resume_back_ms)
                self._scribe.bot_resumed()
            case ev.StopPrompts(by):
                self._heard = self._speaking.stop()
                self._scribe.bot_ends(now, heard=self._heard, interrupted_by=by)
            case ev.OpenUtterance():
                self._hearing.open()
            case ev.GuessUtterance():
                self._hearing.guess()
            case ev.FinishUtterance(number):
                self._hearing.finish(number)
            case ev.DropUtterance():
                self._hearing.drop()
            case ev.ForgiveNoise():
                self._scribe.noise()
            case ev.Deliver(given):
                await self._deliver(given, now)
            case ev.Finished():
                await self._finish()

    async def _deliver(self, given: CallerInput, now: float) -> None:
        assert isinstance(self._then, Listen), "only a turn that listens delivers"
        heard, self._heard = self._heard, None
        turn = self._dialogue.handle(given, now, heard)
        self._scribe.caller(given, self._then, self._dialogue.understood, self._hearing.span, now)
        await self._say(turn)

    async def _say(self, turn: BotTurn) -> None:
        assert isinstance(turn.then, Listen | End | Handover)
        self._then = turn.then
        listen = turn.then if isinstance(turn.then, Listen) else None
        if listen is not None:
            self._hearing.listen(listen)
        if self._recording is not None:
            said = any(isinstance(prompt, SpokenText) and prompt.sensitive for prompt in turn.prompts)
            self._recording.muted = said or (listen is not None and listen.sensitive)
        self._speaking.say(turn.prompts)
        self._scribe.bot_begins(self._dialogue.step, self._speaking.prompts)
        await self._handle(ev.TurnBegan(listen, len(turn.prompts)))

    async def _finish(self) -> None:
        if isinstance(self._then, Handover):
            await self._hand_over(self._then)
            raise CallEnded("handover")
        raise CallEnded("bot")
