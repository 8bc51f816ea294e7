"""One call, from StasisStart to its record: the one place that puts leg, ears, mouth and dialog together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

import structlog

from voicebot.ari import requests
from voicebot.ari.events import Channel
from voicebot.call.handover import UNAVAILABLE_CONTEXT, context_of, variables_of
from voicebot.call.hearing import Hearing
from voicebot.call.leg import Ari, Digit, Leg, MediaReplaced
from voicebot.call.message import EndedBy, MessageRecorder
from voicebot.call.record import CallRecord, DialogReference, Party, folder_for, write_record
from voicebot.call.recording import Recording
from voicebot.call.scribe import Observer, Scribe
from voicebot.call.session import InboxEvent, Recorder, Session
from voicebot.call.speaking import PromptLibrary, Speaking
from voicebot.call.working import Workers
from voicebot.config import Config, Route, zone_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter, seed_of
from voicebot.dialog.turns import Handover, HungUp, RecordMessage, Utterance
from voicebot.errors import CallEnded, PbxError, UserError
from voicebot.media.loop import MediaLoop
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.speech.endpointer import Endpointer
from voicebot.speech.stt import SttService
from voicebot.speech.tts import TtsService, Voice
from voicebot.speech.vad import Vad
from voicebot.turn import events as ev
from voicebot.turn.machine import TurnMachine, TurnRules

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Services:
    """What a call needs of the process around it."""

    config: Config
    ari: Ari
    media: MediaLoop
    stt: SttService
    tts: TtsService
    library: PromptLibrary
    vad: Callable[[], Vad]
    work: Workers
    environment: Mapping[str, str]
    observer: Observer | None = None


class _Listener:
    """Stands between the media tick and the parts of a call, which exist only once the port does."""

    def __init__(self) -> None:
        self.hearing: Hearing | None = None
        self.speaking: Speaking | None = None
        self.scribe: Scribe | None = None

    def heard(self, frame: HeardFrame) -> None:
        if self.hearing is not None:
            self.hearing.heard(frame)

    def prompt_started(self, prompt_id: int, at: float) -> None:
        if self.scribe is not None:
            self.scribe.bot_audible(at)
        if self.speaking is not None:
            self.speaking.prompt_started(prompt_id, at)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        if self.speaking is not None:
            self.speaking.prompt_finished(prompt_id, at)

    def keyed(self, digit: str) -> None:
        """Keys come as ARI events; the same key over RTP is not counted twice."""


class Call:
    """One call. `await run()` never raises for what callers, Asterisk or engines do; it returns the record.

    `end(reason)` ends it from outside (shutdown, limits).
    """

    def __init__(
        self,
        call_id: str,
        channel: Channel,
        inbox: EventInbox,
        route: Route,
        dialog: Dialog,
        services: Services,
    ) -> None:
        self.id = call_id
        self._channel = channel
        self._inbox = inbox
        self._route = route
        self._dialog = dialog
        self._services = services
        self._leg: Leg | None = None
        self._ending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.record = CallRecord(
            id=call_id,
            started_at=datetime.now(UTC),
            caller=Party(number=channel.caller.number, name=channel.caller.name),
            called=Party(number=channel.dialplan.exten),
            channel=channel.name,
            dialog=DialogReference(
                name=dialog.name,
                file=route.dialog,
                version=dialog.version,
                language=route.language or dialog.language,
            ),
            stt=route.stt,
            tts=route.tts,
            codec=services.config.media.codec,
        )

    def end(self, reason: str) -> None:
        """Ask the call to end now, with this reason in its record."""
        if not self._ending.done():
            self._ending.set_result(reason)

    async def run(self) -> CallRecord:
        """Answer, converse, hang up, write the record."""
        clock = asyncio.get_running_loop().time
        began = clock()
        with structlog.contextvars.bound_contextvars(call=self.id):
            log.info("call began", called=self.record.called.number, dialog=self.record.dialog.name)
            try:
                await self._converse(clock)
            except CallEnded as ended:
                self.record.ended_by = self.record.ended_by or ended.reason
            except (PbxError, UserError) as error:
                log.error("call failed", error=str(error))
                self._note_failure(error)
            except Exception as error:  # a mistake of ours ends this call, and no other
                log.exception("call failed")
                self._note_failure(error)
            finally:
                if self._leg is None:
                    await self._give_back()
                self.record.ended_at = datetime.now(UTC)
                self.record.duration_ms = round((clock() - began) * 1000)
                self.record.outcome = self.record.outcome or _default_outcome(self.record.ended_by)
                self._inbox.close()
                await self._keep_record()
        return self.record

    def _note_failure(self, error: Exception) -> None:
        self.record.ended_by = "error"
        ours = not isinstance(error, PbxError | UserError)
        self.record.faults.append(repr(error) if ours else str(error))

    async def _give_back(self) -> None:
        """Nothing was done for the caller yet: let the dialplan go on, whose fallback speaks to them."""
        try:
            await self._services.ari.request(requests.continue_in_dialplan(self._channel.id))
        except PbxError as error:
            log.warning("call could not be given back", error=str(error))

    async def _converse(self, clock: Callable[[], float]) -> None:
        config = self._services.config
        interpreter = Interpreter(
            self._dialog,
            self._route.given,
            language=self._route.language or None,
            call={"id": self.id, "number": self._channel.caller.number, "called": self.record.called.number},
            seed=seed_of(self.id),
            environment=self._services.environment,
            started=datetime.now(zone_of(config, self._route)),
        )
        listener = _Listener()
        vad = self._services.vad()
        port = self._services.media.open_port(self.id, config.media.codec, vad=vad, listener=listener)
        leg = Leg(self._services.ari, self._channel.id, port, self._inbox, config.media.advertise)
        self._leg = leg
        try:
            async with leg:
                self.record.started_at = datetime.now(UTC)
                await self._talk(leg, port, listener, interpreter, vad.hangover_ms, clock)
        finally:
            if leg.ended is not None:
                self.record.hangup_cause = leg.ended.cause
                self.record.hangup_cause_text = leg.ended.cause_txt
            self.record.rtp = port.statistics().as_dict()
            self._take_result(interpreter, clock())

    async def _talk(
        self,
        leg: Leg,
        port: MediaPort,
        listener: _Listener,
        interpreter: Interpreter,
        hangover_ms: int,
        clock: Callable[[], float],
    ) -> None:
        """Give the answered call ears, a mouth and a mind, until it ends."""
        services = self._services
        events: asyncio.Queue[InboxEvent] = asyncio.Queue()
        scribe = Scribe(self.record, clock(), services.observer)
        endpointer = partial(
            Endpointer,
            port.sample_rate,
            onset_ms=services.config.vad.onset_ms,
            preroll_ms=services.config.vad.preroll_ms,
            hangover_ms=hangover_ms,
        )
        hearing = Hearing(
            stt=services.stt,
            call_id=self.id,
            sample_rate=port.sample_rate,
            endpointer=endpointer(),
            emit=events.put_nowait,
            expected=lambda transcript: interpreter.expects(Utterance(transcript)),
            on_fault=scribe.fault,
        )
        speaking = Speaking(
            tts=services.tts,
            library=services.library,
            playout=port.playout,
            sample_rate=port.sample_rate,
            voice=partial(voice_of, services.config, self._route),
            on_began=lambda bargein: events.put_nowait(ev.PromptBegan(bargein)),
            on_done=lambda: events.put_nowait(ev.PromptsDone()),
            on_fault=scribe.fault,
        )
        recording = self._start_recording(port.sample_rate, scribe)
        session = Session(
            inbox=events,
            machine=TurnMachine(TurnRules(services.config.bargein.confirm_ms)),
            dialogue=interpreter,
            hearing=hearing,
            speaking=speaking,
            scribe=scribe,
            recording=recording,
            workers=services.work,
            recorder=self._recorders(port.sample_rate, endpointer, scribe),
            cough_ms=services.config.bargein.confirm_ms,
            resume_back_ms=services.config.bargein.resume_back_ms,
            hand_over=lambda handover: self._hand_over(leg, handover),
            clock=clock,
        )
        listener.hearing, listener.speaking, listener.scribe = hearing, speaking, scribe
        port.tap = recording.take if recording is not None else None
        try:
            await self._until_ended(session, leg, events)
        except CallEnded:
            raise
        except Exception:
            await self._apologise(leg)
            raise
        finally:
            listener.hearing = listener.speaking = None
            port.tap = None
            try:
                await session.close()
            except Exception as error:  # a mistake of ours must not cost the record
                log.exception("work not ended")
                scribe.fault(repr(error))
            scribe.bot_ends(clock(), heard=speaking.stop().text, interrupted_by="hangup")
            hearing.drop()
            if recording is not None:
                path = await recording.close()
                self.record.recording = path.name if path else None

    async def _apologise(self, leg: Leg) -> None:
        """Something of ours broke in mid-call: the dialplan tells the caller, for we may not be able to."""
        try:
            await leg.hand_over(UNAVAILABLE_CONTEXT, "s")
        except (PbxError, ValueError) as error:
            log.warning("caller not told", error=str(error))

    async def _until_ended(self, session: Session, leg: Leg, events: asyncio.Queue[InboxEvent]) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(session.run(), name="session")
                group.create_task(self._follow(leg, events), name="leg events")
                group.create_task(self._until_told(), name="limits")
        except BaseExceptionGroup as group:
            ended, faults = group.split(CallEnded)
            if faults is not None and ended is not None:
                log.warning("call ended amid a fault", error=repr(_first_of(faults)))
            first = _first_of(ended or group)
            raise first from first.__cause__

    async def _follow(self, leg: Leg, events: asyncio.Queue[InboxEvent]) -> None:
        async for event in leg.events():
            if isinstance(event, Digit):
                events.put_nowait(ev.KeyPressed(event.digit))
            elif isinstance(event, MediaReplaced):
                self.record.faults.append("media was lost and made anew")

    async def _until_told(self) -> None:
        """End the call at its longest duration, or when somebody asks for it."""
        try:
            async with asyncio.timeout(self._services.config.limits.call_s):
                reason = await asyncio.shield(self._ending)
        except TimeoutError:
            reason = "limit"
        raise CallEnded(reason)

    async def _hand_over(self, leg: Leg, handover: Handover) -> None:
        await leg.hand_over(context_of(handover), handover.destination, variables_of(handover, self.id))

    def _recorders(self, sample_rate: int, endpointer: Callable[[], Endpointer], scribe: Scribe) -> Recorder:
        """Return what makes the recorders of this call's messages, each with a file of its own."""
        folder = folder_for(self._services.config.var, self.record.started_at)
        numbers = count(1)

        def make(work: RecordMessage, ended: Callable[[EndedBy], None]) -> MessageRecorder:
            return MessageRecorder(
                folder.resolve() / f"{self.id}-message-{next(numbers)}.wav",
                work,
                sample_rate,
                endpointer(),
                reserve_bytes=self._services.config.limits.reserve_mb * 1_000_000,
                ended=ended,
                on_fault=scribe.fault,
            )

        return make

    def _start_recording(self, sample_rate: int, scribe: Scribe) -> Recording | None:
        if not self._route.record:
            return None
        path = folder_for(self._services.config.var, self.record.started_at) / f"{self.id}.wav"
        reserve = self._services.config.limits.reserve_mb * 1_000_000
        return Recording(path, sample_rate, reserve_bytes=reserve, on_fault=scribe.fault)

    def _take_result(self, interpreter: Interpreter, now: float) -> None:
        if interpreter.outcome is None:
            interpreter.handle(HungUp(), now)  # what it learnt stays; how the call ended is not its word
        else:
            self.record.outcome, self.record.goal = interpreter.outcome, interpreter.goal
        self.record.slots = interpreter.slots

    async def _keep_record(self) -> None:
        try:
            path: Path = await asyncio.to_thread(write_record, self._services.config.var, self.record)
        except (OSError, ValueError) as error:  # a full disk; a text that is none
            log.error("call record lost", error=str(error), outcome=self.record.outcome)
            return
        log.info(
            "call ended",
            by=self.record.ended_by,
            outcome=self.record.outcome,
            goal=self.record.goal,
            duration_ms=self.record.duration_ms,
            record=str(path),
        )


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first


def voice_of(config: Config, route: Route, language: str) -> Voice:
    """Return who speaks `language` on a route."""
    speech = route.speech(language)
    tts = config.tts[speech.tts]
    return Voice(language, speech.voice or tts.voice, tts.rate)


def _default_outcome(ended_by: str) -> str:
    return {"caller": "hangup", "": "error"}.get(ended_by, ended_by)
