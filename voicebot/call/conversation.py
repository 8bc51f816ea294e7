"""One dialog's run in a call: ears, mouth and mind, put together on the call's media port.

A call mostly has one. One that we placed may have more: a message for a machine, or the dialog anew for a
person who was taken for one. They follow each other; what all of them share is on the `Stage`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import structlog

from voicebot.call.control import COMMAND_LIMIT_S, Asked, Command
from voicebot.call.hearing import Hearing
from voicebot.call.record import InterruptedBy
from voicebot.call.scribe import shown
from voicebot.call.services import voice_of
from voicebot.call.session import InboxEvent, Session
from voicebot.call.speaking import Speaking
from voicebot.call.stage import Stage
from voicebot.config import Route
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import BotTurn, Event, Handover, SpokenPause, Understood, Utterance
from voicebot.errors import UserError
from voicebot.media.port import HeardFrame
from voicebot.speech.stt import OnPartial
from voicebot.turn import events as ev
from voicebot.turn.machine import TurnMachine, TurnRules

log = structlog.get_logger(__name__)


class Conversation:
    """One run of a dialog. `run()` always leaves by an exception, `CallEnded` where the dialog has ended;
    `close()` is due after it. A `MediaListener`.
    """

    def __init__(self, stage: Stage, interpreter: Interpreter, route: Route) -> None:
        self.interpreter = interpreter
        self._stage = stage
        self._events: asyncio.Queue[InboxEvent] = asyncio.Queue()
        self._bot_speaks = self._caller_speaks = False
        config = stage.services.config
        self._hearing = Hearing(
            stt=stage.services.stt,
            call_id=stage.call_id,
            sample_rate=stage.port.sample_rate,
            endpointer=stage.endpointer(),
            emit=self._emit,
            expected=lambda transcript: interpreter.expects(Utterance(transcript)),
            on_fault=stage.scribe.fault,
            on_partial=self._reader,
        )
        self._speaking = Speaking(
            tts=stage.services.tts,
            library=stage.services.library,
            playout=stage.port.playout,
            sample_rate=stage.port.sample_rate,
            voice=partial(voice_of, config, route),
            on_began=self._began,
            on_done=self._done,
            on_fault=stage.scribe.fault,
            numbers=stage.prompts,
            on_audible=self._audible,
            on_prompt=lambda spoken: stage.live.saying(shown(spoken)),
        )
        self._session = Session(
            inbox=self._events,
            machine=TurnMachine(TurnRules(config.bargein.confirm_ms)),
            dialogue=_Overheard(interpreter, stage),
            hearing=self._hearing,
            speaking=self._speaking,
            scribe=stage.scribe,
            privacy=stage.live.privacy,
            workers=stage.services.work,
            recorder=stage.recorder,
            cough_ms=config.bargein.confirm_ms,
            resume_back_ms=config.bargein.resume_back_ms,
            hand_over=stage.hand_over,
            clock=stage.clock,
            on_held=stage.live.held,
        )

    async def run(self) -> None:
        await self._session.run()

    async def ask(self, command: Command) -> None:
        """Have a command carried out from outside. Raises UserError where that is not possible."""
        asked = Asked(command)
        self._events.put_nowait(asked)
        try:
            async with asyncio.timeout(COMMAND_LIMIT_S):
                await asked.outcome
        except TimeoutError as error:
            raise UserError(
                "the call did not get to it in time", "look how it stands, and ask again"
            ) from error

    async def close(self, interrupted_by: InterruptedBy = "hangup") -> None:
        """Fall silent and deaf, and give up the work that goes on."""
        stage = self._stage
        try:
            await self._session.close()
        except Exception as error:  # a mistake of ours must not cost the record
            log.exception("work not ended")
            stage.scribe.fault(repr(error))
        heard = self._speaking.stop().text
        stage.scribe.bot_ends(stage.clock(), heard=heard, interrupted_by=interrupted_by)
        self._hearing.drop()
        stage.live.held(False)
        stage.live.floor("nobody")

    def press(self, digit: str) -> None:
        self._events.put_nowait(ev.KeyPressed(digit))

    def _emit(self, event: ev.Event) -> None:
        if isinstance(event, ev.Recognised):
            if isinstance(event.input, Utterance):
                self._stage.on_transcript(event.input.transcript, self.interpreter.language)
            if self._only_greets(event):
                event = replace(event, speech=False, expected=False)  # whoever rang up goes on
                assert self._stage.introduction is not None
                if self._stage.introduction.starts_over:
                    self._session.start_over()
        elif isinstance(event, ev.SpeechStarted | ev.SpeechEnded):
            self._caller_speaks = isinstance(event, ev.SpeechStarted)
            self._tell_floor()
        self._events.put_nowait(event)

    def _audible(self, audible: bool) -> None:
        if audible is not self._bot_speaks:
            self._bot_speaks = audible
            self._tell_floor()

    def _tell_floor(self) -> None:
        self._stage.live.floor("bot" if self._bot_speaks else "caller" if self._caller_speaks else "nobody")

    def _reader(self) -> OnPartial | None:
        """Return who reads an utterance while it is spoken; nobody, where it might hold a secret."""
        live = self._stage.live
        if not live.read or live.privacy.secret or self.interpreter.knows_secrets:
            return None
        return live.words

    def _only_greets(self, event: ev.Recognised) -> bool:
        """Whether a callee spoke into our first words, and not to be let go."""
        introduction = self._stage.introduction
        if introduction is None or not (event.speech or event.expected):
            return False
        return introduction.absorbs(self._hearing.utterance.began_at, self.interpreter.commanded(event.input))

    def _began(self, bargein: bool) -> None:
        if self._stage.introduction is not None:
            self._stage.introduction.prompt_began()
        self._emit(ev.PromptBegan(bargein))

    def _done(self) -> None:
        if self._stage.introduction is not None:
            self._stage.introduction.prompts_done()
        self._emit(ev.PromptsDone())

    # --- from the media tick ----------------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        self._hearing.heard(frame)

    def prompt_started(self, prompt_id: int, at: float) -> None:
        self._stage.scribe.bot_audible(at)
        self._speaking.prompt_started(prompt_id, at)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        self._speaking.prompt_finished(prompt_id, at)

    def keyed(self, digit: str) -> None:
        """Keys come as ARI events; the same key over RTP is not counted twice."""


class _Overheard:
    """A dialog whose turns are told to the call as well."""

    def __init__(self, interpreter: Interpreter, stage: Stage) -> None:
        self._interpreter, self._stage = interpreter, stage

    @property
    def understood(self) -> Understood | None:
        return self._interpreter.understood

    @property
    def step(self) -> str:
        return self._interpreter.step

    def begin(self, now: float) -> BotTurn:
        turn = self._interpreter.begin(now)
        if self._stage.introduction is not None:
            said = [prompt for prompt in turn.prompts if not isinstance(prompt, SpokenPause)]
            self._stage.introduction.begins(len(said))
        self._stage.on_turn(turn, None, None)
        self._stage.live.moved()
        return turn

    def handle(self, event: Event, now: float, heard: str | None = None) -> BotTurn:
        turn = self._interpreter.handle(event, now, heard)
        self._stage.on_turn(turn, event, self._interpreter.understood)
        self._stage.live.moved()
        return turn

    # --- from outside -----------------------------------------------------------------------------------

    def fork(self) -> Interpreter:
        """Return a copy to try something on; nobody is told of it."""
        return self._interpreter.fork()

    def correct(self, slot: str, value: object, now: float, heard: str | None = None) -> BotTurn:
        return self._led(self._interpreter.correct(slot, value, now, heard))

    def jump(self, step: str, now: float, heard: str | None = None) -> BotTurn:
        return self._led(self._interpreter.jump(step, now, heard))

    def say(self, text: str, now: float, heard: str | None = None) -> BotTurn:
        return self._led(self._interpreter.say(text, now, heard))

    def repeat(self, now: float, heard: str | None = None) -> BotTurn:
        return self._led(self._interpreter.repeat(now, heard))

    def hand_over(self, handover: Handover, now: float, heard: str | None = None) -> BotTurn:
        return self._led(self._interpreter.hand_over(handover, now, heard))

    def _led(self, turn: BotTurn) -> BotTurn:
        self._stage.on_turn(turn, None, None)
        self._stage.live.moved()
        return turn
