"""The bot in a conference: a dialog whose ear is the mix of all, and whose mouth is the room's own leg.

It is a participant among many, so it keeps its peace. What its present step does not understand was not said
to it: no "sorry, what was that". Nor does it ever ask whether anybody is still there.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from voicebot.call.calls_live import LiveCalls
from voicebot.call.conversation import Conversation
from voicebot.call.handover import ToPeople
from voicebot.call.leg import Leg
from voicebot.call.live import Hub
from voicebot.call.record import Party, folder_for
from voicebot.call.record_keeping import record_for
from voicebot.call.scribe import Scribe
from voicebot.call.services import Services
from voicebot.call.stage import Stage
from voicebot.config import Route, zone_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter, seed_of
from voicebot.dialog.turns import BotTurn, Event, Handover, HungUp, Listen, Utterance
from voicebot.errors import CallEnded, UserError
from voicebot.switchboard.conferences.room import LiveRoom
from voicebot.turn import events as ev

PATIENCE_MS = 86_400_000
"""How long a silent room may be silent."""

log = structlog.get_logger(__name__)


class PatientInterpreter(Interpreter):
    """A dialog that never takes silence for an answer."""

    def begin(self, now: float) -> BotTurn:
        return _patient(super().begin(now))

    def handle(self, event: Event, now: float, heard: str | None = None) -> BotTurn:
        return _patient(super().handle(event, now, heard))


def _patient(turn: BotTurn) -> BotTurn:
    if isinstance(turn.then, Listen):
        return replace(turn, then=replace(turn.then, noinput_ms=PATIENCE_MS))
    return turn


class QuietConversation(Conversation):
    """A conversation with a room: what the dialog did not expect was not said to it."""

    @property
    def speaking(self) -> bool:
        """Whether it says something, or is about to."""
        return self._speaking.busy

    def _emit(self, event: ev.Event) -> None:
        if isinstance(event, ev.Recognised) and not event.expected:
            event = replace(event, speech=False)
            if not isinstance(event.input, Utterance):
                log.info("the bot of a conference did not hear", why=str(event.input))
        super()._emit(event)


class RoomStage(Stage):
    """What a bot in a room stands on. There is no caller to hand over: the bot leaves instead."""

    async def hand_over(self, handover: Handover) -> None:
        raise CallEnded("handover")


class RoomBot:
    """One dialog in one room. `run()` returns when the dialog or the room is over, or it is cancelled."""

    def __init__(self, room: LiveRoom, route: Route, dialog: Dialog, services: Services) -> None:
        """Raises UserError where the dialog needs values that its route does not give."""
        self.dialog = dialog.name
        self._room = room
        self._services = services
        self._clock = asyncio.get_running_loop().time
        self._record = record_for(
            f"{room.token}{int(time.time()) & 0xFFFFFFFF:08x}",
            services.config,
            route,
            dialog,
            caller=Party(name=f"conference {room.name}"),
            called=Party(number=room.name),
            channel=f"conference/{room.name}",
        )
        live = LiveCalls(Hub(time.time)).begin(self._record)  # it is no call: nobody watches it as one
        port = room.media.port
        stage = RoomStage(
            call_id=self._record.id,
            services=services,
            leg=Leg(
                services.ari, room.media.media_id, port, room.media.inbox
            ),  # never entered: it is the room's
            port=port,
            scribe=Scribe(self._record, self._clock(), services.observer, live),
            live=live,
            hangover_ms=room.media.hangover_ms,
            folder=folder_for(services.config.var, self._record.started_at),
            clock=self._clock,
            prompts=room.prompts,
        )
        self._interpreter = PatientInterpreter(
            dialog,
            route.given,
            language=route.language or None,
            call={"id": self._record.id, "number": "", "called": room.name},
            seed=seed_of(self._record.id),
            environment=services.environment,
            started=datetime.now(zone_of(services.config, route)),
        )
        self._conversation = QuietConversation(stage, self._interpreter, route)

    async def run(self) -> None:
        room, conversation = self._room, self._conversation
        room.media.ears.append(conversation)
        room.bot_speaks = lambda: conversation.speaking
        try:
            await conversation.run()
        except CallEnded as ended:
            self._record.ended_by = ended.reason
        except ToPeople:
            self._record.ended_by = "handover"
        except UserError as error:
            self._record.ended_by = "error"
            self._record.faults.append(str(error))
        except Exception as error:  # a mistake of ours ends the bot, not the conference
            log.exception("the bot of a conference failed", conference=room.name)
            self._record.ended_by = "error"
            self._record.faults.append(repr(error))
        finally:
            room.media.ears.remove(conversation)
            room.bot_speaks = lambda: False
            await conversation.close()
            await self._keep_record()

    async def _keep_record(self) -> None:
        """What was said and learnt is kept as a call's is."""
        record = self._record
        if self._interpreter.outcome is None:
            self._interpreter.handle(HungUp(), self._clock())
        record.outcome = self._interpreter.outcome or "left"
        record.goal = self._interpreter.goal
        record.ended_by = record.ended_by or "conference"
        record.slots = self._interpreter.slots
        record.ended_at = datetime.now(UTC)
        record.duration_ms = round((record.ended_at - record.started_at).total_seconds() * 1000)
        await self._services.records.keep(record)
