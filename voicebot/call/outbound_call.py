"""A call that we placed: who answered decides what is said, and what came of it is told to its campaign."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from voicebot.ari.events import Channel
from voicebot.audio.frames import to_samples
from voicebot.audio.levels import level_db
from voicebot.call.answering import NO_MESSAGE, AnswerWatch
from voicebot.call.call import Call
from voicebot.call.eavesdropping import Eavesdropper
from voicebot.call.introduction import Introduction
from voicebot.call.outbound import (
    ABANDONED_AFTER_MS,
    CALL_BACK,
    OPTED_OUT,
    Answer,
    Assignment,
    Campaigns,
    call_back_at,
    result_of,
    was_abandoned,
)
from voicebot.call.people import People
from voicebot.call.record import CallRecord, OutboundRecord, Party
from voicebot.call.services import Services
from voicebot.call.stage import Stage
from voicebot.config import zone_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import BotTurn, End, Event, Keys, Understood, Utterance
from voicebot.errors import CallEnded
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.speech.stt import Transcript

log = structlog.get_logger(__name__)

AUDIBLE_DB = -50.0
"""A packet of ours that is louder can be heard."""
OPT_OUT_LIMIT_S = 5.0
"""So long a hangup waits for a disk to have the revocation."""
FINISH_LIMIT_S = 15.0
MOST_REVISIONS = 2
"""How often the dialog is begun anew for a person who was taken for a machine."""
MOST_MESSAGES = 2
"""How often the message is begun: anew where the beep comes only then."""


class OutboundCall(Call):
    """One call that was answered. `message` is the dialog for machines, where there is one.

    The revocation of a callee is on a disk before we hang up; the result once `run()` has returned.
    """

    def __init__(
        self,
        call_id: str,
        channel: Channel,
        inbox: EventInbox,
        dialog: Dialog,
        services: Services,
        *,
        assignment: Assignment,
        campaigns: Campaigns,
        answer: Answer,
        message: Dialog | None = None,
        people: People | None = None,
    ) -> None:
        route = assignment.route_of(assignment.route)
        super().__init__(call_id, channel, inbox, route, dialog, services, people)
        self._assignment = assignment
        self._campaigns = campaigns
        self._answer = answer
        self._message = message
        self._revoking: asyncio.Task[None] | None = None
        self._eavesdropper: Eavesdropper | None = None
        self._machine = False
        self._watch = AnswerWatch(
            assignment.answering,
            answered_at=answer.clock_at,
            sample_rate=16000 if services.config.media.codec == "g722" else 8000,
            amd_status=answer.amd_status,
            amd_cause=answer.amd_cause,
            clock=self._clock,
        )
        self._first: Interpreter | None = None
        self._last: Interpreter | None = None
        self._placed = OutboundRecord(
            campaign=assignment.campaign,
            attempt=assignment.attempt,
            before_ms=answer.before_ms,
            abandoned=True,  # until they hear us
        )
        self.record.direction = "outbound"
        self.record.outbound = self._placed
        self.record.started_at = answer.at
        self.record.caller = Party(number=assignment.caller_number)
        self.record.called = Party(number=assignment.number)

    async def run(self) -> CallRecord:
        """Converse, hang up, write the record, tell the campaign."""
        record = await super().run()
        telling = asyncio.ensure_future(self._campaigns.finished(result_of(record, self._answer)))
        done, _ = await asyncio.wait({telling}, timeout=FINISH_LIMIT_S)
        if not done or telling.exception() is not None:
            why = repr(telling.exception()) if done else "time-out"
            log.critical("result of a call not kept", call=self.id, attempt=self._placed.attempt, error=why)
        return record

    # --- who answered -----------------------------------------------------------------------------------

    async def _conduct(self, stage: Stage, interpreter: Interpreter) -> None:
        """Talk as to a person; when a machine answered, do as the campaign wants."""
        policy = self._assignment.answering
        for revision in range(MOST_REVISIONS + 1):
            dialog = interpreter if not revision else self._interpreter(self._dialog, self._route)
            self._first = self._last = dialog
            talking = self._talk(stage, dialog, self._route)
            if policy.detector == "off" or policy.machine == "go_on" or revision == MOST_REVISIONS:
                await talking
            await self._until(talking, self._machine_answered())
            self._machine = True
            log.info("a machine answered", why=self._watch.why)
            if policy.machine == "hang_up" or self._message is None or self._watch.why in NO_MESSAGE:
                raise CallEnded("machine")
            self._eavesdropper = Eavesdropper(stage, dialog.language, self._on_transcript)
            try:
                await self._leave_message(stage, self._message)
            finally:
                self._eavesdropper.close()
                self._eavesdropper = None
            self._machine = False
            log.info("a person has come to it", why=self._watch.why)

    async def _machine_answered(self) -> None:
        """Wait until it turns out to be a machine; people on the line, and who holds the bot, know better."""
        await self._watch.machine()
        if self._with_persons or self.handle.live.is_held:
            await asyncio.get_running_loop().create_future()

    async def _leave_message(self, stage: Stage, dialog: Dialog) -> None:
        """Speak the message when the machine records, and hang up. Returns only if a person came to it."""
        route = self._assignment.message
        assert route is not None
        cleared = await self._watch.until_clear(self._assignment.answering.beep_s)
        log.info("machine waited for", how=cleared)
        for begun in range(MOST_MESSAGES):
            if cleared == "person":
                return
            if cleared == "talking":
                raise CallEnded("machine")
            filled = self._assignment.route_of(route)
            self._last = self._interpreter(dialog, filled)
            watches = {"person": self._watch.person(), "beep": self._watch.beep()}
            if cleared == "beep" or begun == MOST_MESSAGES - 1:
                watches.pop("beep").close()
            try:
                which = await self._until(self._talk(stage, self._last, filled), *watches.values())
            except CallEnded as ended:
                self._placed.message_left = ended.reason == "bot"
                raise
            cleared = "person" if which == 0 else "beep"

    async def _until(self, talking: Coroutine[Any, Any, None], *watches: Coroutine[Any, Any, None]) -> int:
        """Talk until one of the watches returns, and say which; raises what ended the talking before."""
        talk = asyncio.create_task(talking, name="talking")
        watching = [asyncio.create_task(each, name="watching") for each in watches]
        try:
            await asyncio.wait({talk, *watching}, return_when=asyncio.FIRST_COMPLETED)
            self._cut_short_by = "machine"
        finally:
            for task in (talk, *watching):
                task.cancel()
            await asyncio.gather(talk, *watching, return_exceptions=True)
            self._cut_short_by = "hangup"
        if not talk.cancelled():
            talk.result()
        fired = [number for number, task in enumerate(watching) if not task.cancelled()]
        watching[fired[0]].result()
        return fired[0]

    def heard(self, frame: HeardFrame) -> None:
        self._watch.heard(frame)
        if self._eavesdropper is not None:
            self._eavesdropper.heard(frame)
        super().heard(frame)

    def _on_transcript(self, transcript: Transcript, language: str) -> None:
        self._watch.recognised(transcript.text, language)

    def _introduction(self) -> Introduction:
        return Introduction(self._answer.clock_at + self._answer.before_ms / 1000)

    def _overhear(self, port: MediaPort) -> None:
        """Notice our first audible packet."""

        def take(callee: bytes, ours: bytes) -> None:
            if self._placed.first_audio_ms is None and level_db(to_samples(ours)) >= AUDIBLE_DB:
                self._placed.first_audio_ms = self._watch.ms(self._clock())
                self._placed.callee_first_ms = self._watch.speech_ended_ms
                asyncio.get_running_loop().call_soon(port.remove_tap, take)

        port.add_tap(take)

    def _answered(self) -> None:
        """It was answered before it came to us."""

    # --- what the callee wants --------------------------------------------------------------------------

    def _on_turn(self, turn: BotTurn, event: Event | None, understood: Understood | None) -> None:
        by_key = isinstance(event, Keys)
        if understood is not None and understood.kind in ("match", "command", "correction"):
            self._watch.understood(by_key)
        command = understood is not None and (understood.kind, understood.meaning) == ("command", OPTED_OUT)
        ends = isinstance(turn.then, End) and turn.then.outcome == OPTED_OUT
        if (command or ends) and self._revoking is None:
            how = "key" if by_key else "voice" if isinstance(event, Utterance) else "dialog"
            self._placed.opted_out = True
            self._revoking = asyncio.create_task(
                self._campaigns.opted_out(
                    self._assignment.attempt, self._assignment.number, f"by {how} in call {self.id}"
                ),
                name="opt-out",
            )

    async def _before_hangup(self) -> None:
        """Whoever wants no more calls will get none, whatever happens from here on."""
        if self._revoking is None:
            return
        done, _ = await asyncio.wait({self._revoking}, timeout=OPT_OUT_LIMIT_S)
        error = self._revoking.exception() if done else "time-out"
        if error is not None:
            log.critical("opt-out not kept", call=self.id, number=self._assignment.number, error=repr(error))
            self.record.faults.append(f"opt-out not kept: {error!r}")

    def _left_at_once(self) -> bool:
        """Whether the callee hung up before our silence could count as one."""
        ended = self._leg.ended if self._leg is not None else None
        by_callee = ended is not None and ended.reason == "caller"
        return by_callee and self._watch.ms(self._clock()) < ABANDONED_AFTER_MS

    # --- what came of it --------------------------------------------------------------------------------

    def _take_result(self, interpreter: Interpreter) -> None:
        first, last = self._first or interpreter, self._last or interpreter
        super()._take_result(first)
        if self._machine and self._revoking is None:  # whatever the dialog made of its greeting
            left = last is not first and last.outcome is not None
            self.record.outcome = last.outcome or "" if left else "machine"
            self.record.goal, self.record.slots = False, {}
        call = self._placed
        call.answered_by = self._watch.by.value
        call.judgements = self._watch.judgements
        call.abandoned = was_abandoned(call) and not self._left_at_once()
        if self.record.outcome == CALL_BACK:
            zone = zone_of(self._services.config, self._route)
            call.call_back = call_back_at(self.record.slots, self._answer.at, zone)
