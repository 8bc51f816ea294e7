"""One call, from StasisStart to its record: the one place that puts leg, media and conversation together."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import structlog

from voicebot.ari import requests
from voicebot.ari.events import Channel
from voicebot.call.calls_live import CallFeed, LiveCalls
from voicebot.call.conversation import Conversation
from voicebot.call.handle import CallHandle
from voicebot.call.handover import UNAVAILABLE_CONTEXT, ToPeople
from voicebot.call.introduction import Introduction
from voicebot.call.leg import LEFT_TALKING, Digit, Leg, MediaReplaced
from voicebot.call.live import Hub
from voicebot.call.people import Attendant, Company, Mender, People
from voicebot.call.record import CallRecord, InterruptedBy, Party, folder_for
from voicebot.call.record_keeping import outcome_without_dialog, record_for
from voicebot.call.recording import Recording
from voicebot.call.scribe import Scribe
from voicebot.call.services import Services
from voicebot.call.stage import Stage
from voicebot.config import Route, zone_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter, seed_of
from voicebot.dialog.turns import BotTurn, Event, Handover, HungUp, Understood
from voicebot.errors import CallEnded, PbxError, UserError
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.speech.characters import name_of_stranger
from voicebot.speech.stt import Transcript

log = structlog.get_logger(__name__)


class Call:
    """One call. `await run()` never raises for what callers, Asterisk or engines do; it returns the record.

    `people` are queues and conferences of our own; None: all are the dialplan's. `end(reason)` ends the call
    from outside (shutdown, limits). It is its own `MediaListener`: what is heard goes to the conversation
    that is held. Calls that we placed do a few things otherwise: see `OutboundCall`.
    """

    def __init__(
        self,
        call_id: str,
        channel: Channel,
        inbox: EventInbox,
        route: Route,
        dialog: Dialog,
        services: Services,
        people: People | None = None,
    ) -> None:
        self.id = call_id
        self._channel = channel
        self._inbox = inbox
        self._route = route
        self._dialog = dialog
        self._services = services
        self._people = people
        self._clock: Callable[[], float] = asyncio.get_running_loop().time
        self._leg: Leg | None = None
        self._attendant: Attendant | None = None
        self._with_persons = False
        self._live: CallFeed
        self.stage: Stage
        self._ending: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.record = record_for(
            call_id,
            services.config,
            route,
            dialog,
            caller=Party(
                number=name_of_stranger(channel.caller.number), name=name_of_stranger(channel.caller.name)
            ),
            called=Party(number=name_of_stranger(channel.dialplan.exten)),
            channel=channel.name,
        )
        self.handle = CallHandle(self.record, self.end)
        """The call, for those outside."""

    def end(self, reason: str) -> None:
        """Ask the call to end now, with this reason in its record."""
        if not self._ending.done():
            self._ending.set_result(reason)

    async def run(self) -> CallRecord:
        """Answer, converse, hang up, write the record."""
        began = self._clock()
        live = self._services.live
        if live is None:
            live = LiveCalls(Hub(time.time))
        self._live = live.begin(self.record, route=self._route.number)
        with structlog.contextvars.bound_contextvars(call=self.id):
            log.info("call began", called=self.record.called.number, dialog=self.record.dialog.name)
            try:
                await self._converse()
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
                self.record.duration_ms = round((self._clock() - began) * 1000)
                self.record.outcome = self.record.outcome or outcome_without_dialog(self.record.ended_by)
                self._inbox.close()
                try:
                    await self._keep_record()
                finally:
                    self._live.end()
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

    async def _converse(self) -> None:
        config = self._services.config
        interpreter = self._interpreter(self._dialog, self._route)
        vad = self._services.vad()
        port = self._services.media.open_port(self.id, config.media.codec, vad=vad, listener=self)
        leg = self._leg = self._make_leg(port)
        try:
            async with leg:
                self._answered()
                await self._attend(leg, port, interpreter, vad.hangover_ms)
        finally:
            if leg.ended is not None:
                self.record.hangup_cause = leg.ended.cause
                self.record.hangup_cause_text = leg.ended.cause_txt
            if leg.talks_on:  # whatever ended it for us in the same moment
                self.record.ended_by = LEFT_TALKING
            self.record.rtp = port.statistics().as_dict()
            self._take_result(interpreter)

    def _make_leg(self, port: MediaPort) -> Leg:
        advertise = self._services.config.media.advertise
        return Leg(
            self._services.ari, self._channel.id, port, self._inbox, advertise, video=self._route.video
        )

    def _interpreter(self, dialog: Dialog, route: Route) -> Interpreter:
        """Return a run of a dialog that begins now. Raises UserError where the route gives too little."""
        return Interpreter(
            dialog,
            route.given,
            language=route.language or None,
            call={
                "id": self.id,
                "number": self.record.caller.number,
                "called": self.record.called.number,
            },
            seed=seed_of(self.id),
            environment=self._services.environment,
            started=datetime.now(zone_of(self._services.config, route)),
        )

    async def _attend(self, leg: Leg, port: MediaPort, interpreter: Interpreter, hangover_ms: int) -> None:
        """Converse on the answered call until it ends."""
        live = self._live
        scribe = Scribe(self.record, self._clock(), self._services.observer, live)
        live.attach(port)
        stage = Stage(
            call_id=self.id,
            services=self._services,
            leg=leg,
            port=port,
            scribe=scribe,
            live=live,
            hangover_ms=hangover_ms,
            folder=folder_for(self._services.config.var, self.record.started_at),
            clock=self._clock,
            for_people=self._for_people,
            on_turn=self._on_turn,
            on_transcript=self._on_transcript,
            introduction=self._introduction(),
        )
        self.stage = stage
        recording = self.handle.answered(
            stage, lambda: self._make_recording(port.sample_rate, scribe), self._route.record
        )
        self._overhear(port)
        try:
            await self._until_ended(stage, leg, interpreter)
        except CallEnded as ended:
            if ended.reason == "shutdown" and live.view().state == "waiting":
                await self._apologise(leg)  # who waited for a person is not hung up without a word
            raise
        except Exception:
            await self._apologise(leg)
            raise
        finally:
            self.handle.over.set_result(None)
            live.detach()
            path = await recording.close()
            self.record.recording = path.name if path else None
            await self._before_hangup()

    async def _apologise(self, leg: Leg) -> None:
        """The caller cannot stay with us: the dialplan tells them, for we may not be able to."""
        try:
            await leg.hand_over(UNAVAILABLE_CONTEXT, "s")
        except (PbxError, ValueError) as error:
            log.warning("caller not told", error=str(error))

    async def _until_ended(self, stage: Stage, leg: Leg, interpreter: Interpreter) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._conduct_until_taken(stage, interpreter), name="conversation")
                group.create_task(self._follow(leg), name="leg events")
                group.create_task(self._until_told(), name="limits")
        except BaseExceptionGroup as group:
            ended, faults = group.split(CallEnded)
            if faults is not None and ended is not None:
                log.warning("call ended amid a fault", error=repr(_first_of(faults)))
            first = _first_of(ended or group)
            raise first from first.__cause__

    async def _conduct_until_taken(self, stage: Stage, interpreter: Interpreter) -> None:
        """Hold the conversations; whoever takes the call over ends them, and has the caller from then on."""
        handle = self.handle
        conducting = asyncio.create_task(self._conduct(stage, interpreter), name="conducting")
        either: set[asyncio.Future[Any]] = {conducting, handle.taken}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            self._cut_short_by = "supervisor" if handle.taken_over else self._cut_short_by
        finally:
            conducting.cancel()
            await asyncio.wait({conducting})
            how = None if conducting.cancelled() else conducting.exception()
        if how is not None:
            raise how
        self._with_persons = True
        if interpreter.outcome is None:
            self.record.outcome = "taken_over"
        stage.live.state("taken_over", person=handle.taken_by)
        await handle.left_alone
        raise CallEnded("supervisor")

    async def _talk(self, stage: Stage, interpreter: Interpreter, route: Route) -> None:
        """Hold a conversation to its end, which is always an exception."""
        conversation = self.handle.conversation = Conversation(stage, interpreter, route)
        stage.live.follow(interpreter)
        try:
            await conversation.run()
        except ToPeople as over:
            handover = over.handover
        finally:
            self.handle.conversation = None
            await conversation.close(self._cut_short_by)
            stage.live.follow(None)
        await self._meet_people(stage, handover)

    def _for_people(self, handover: Handover) -> bool:
        return self._people is not None and self._people.takes(handover)

    async def _meet_people(self, stage: Stage, handover: Handover) -> None:
        """Leave the caller to a queue or conference of ours, to the end of the call."""
        assert self._people is not None, "only people take a caller over"
        self._with_persons = True
        stage.live.privacy.handed_over()
        try:
            onward = await self._people.serve(self, handover)
        finally:
            self.attend(None)
            self.company = None
        if onward is not None:
            await stage.give_to_dialplan(onward)
        raise CallEnded("handover")

    @property
    def route(self) -> Route:
        """The route that the call came by."""
        return self._route

    def attend(self, attendant: Attendant | None) -> None:
        """Let `attendant` hear the caller where no dialog does."""
        self._attendant = attendant

    async def _follow(self, leg: Leg) -> None:
        async for event in leg.events():
            if isinstance(event, Digit):
                if (listener := self._listener) is not None:
                    listener.press(event.digit)
            elif isinstance(event, MediaReplaced):
                self.record.faults.append("media was lost and made anew")
                self.handle.media_replaced()
                if isinstance(self._attendant, Mender):
                    self._attendant.media_replaced()

    async def _until_told(self) -> None:
        """End the call at its longest duration, or when somebody asks for it."""
        longest_s = self._services.config.limits.call_s
        limit = asyncio.get_running_loop().call_later(longest_s, self._at_limit)
        try:
            raise CallEnded(await asyncio.shield(self._ending))
        finally:
            limit.cancel()

    def _at_limit(self) -> None:
        """Persons are not cut off: waits and conferences have limits of their own."""
        if not self._with_persons:
            self.end("limit")

    @property
    def company(self) -> Company | None:
        """The person who has the caller."""
        return self.handle.company

    @company.setter
    def company(self, company: Company | None) -> None:
        self.handle.company = company

    def _make_recording(self, sample_rate: int, scribe: Scribe) -> Recording:
        path = folder_for(self._services.config.var, self.record.started_at) / f"{self.id}.wav"
        reserve = self._services.config.limits.reserve_mb * 1_000_000
        return Recording(
            path, sample_rate, privacy=self._live.privacy, reserve_bytes=reserve, on_fault=scribe.fault
        )

    async def _keep_record(self) -> None:
        if path := await self._services.records.keep(self.record):
            done = self.record
            how = {"by": done.ended_by, "outcome": done.outcome, "goal": done.goal}
            log.info("call ended", **how, duration_ms=done.duration_ms, record=str(path))

    # --- what calls that we placed do otherwise ---------------------------------------------------------

    _cut_short_by: InterruptedBy = "hangup"
    """What ends a conversation that does not end itself."""

    def _answered(self) -> None:
        """The call is ours, and joined with our media."""
        self.record.started_at = datetime.now(UTC)

    async def _conduct(self, stage: Stage, interpreter: Interpreter) -> None:
        """Hold what conversations the call needs."""
        await self._talk(stage, interpreter, self._route)

    def _on_turn(self, turn: BotTurn, event: Event | None, understood: Understood | None) -> None:
        """The dialog is about to say something."""

    def _on_transcript(self, transcript: Transcript, language: str) -> None:
        """Something was recognised."""

    def _introduction(self) -> Introduction | None:
        """Return what follows whether callees have heard who calls."""
        return None

    def _overhear(self, port: MediaPort) -> None:
        """Both sides can be heard from now on."""

    async def _before_hangup(self) -> None:
        """All conversations have ended; the leg, if it was not hung up by others, still stands."""

    def _take_result(self, interpreter: Interpreter) -> None:
        if interpreter.outcome is None:
            interpreter.handle(HungUp(), self._clock())  # what it learnt stays; how it ended is not its word
        else:
            self.record.outcome, self.record.goal = interpreter.outcome, interpreter.goal
        self.record.slots = interpreter.slots

    # --- from the media tick ----------------------------------------------------------------------------

    @property
    def _listener(self) -> Conversation | Attendant | None:
        return self.handle.conversation or self._attendant

    def heard(self, frame: HeardFrame) -> None:
        if (listener := self._listener) is not None:
            listener.heard(frame)

    def prompt_started(self, prompt_id: int, at: float) -> None:
        if (listener := self._listener) is not None:
            listener.prompt_started(prompt_id, at)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        if (listener := self._listener) is not None:
            listener.prompt_finished(prompt_id, at)

    def keyed(self, digit: str) -> None:
        """Keys come as ARI events; the same key over RTP is not counted twice."""


def _first_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first: BaseException = group
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
