"""What the conversations of one call share: its leg, its media, its record, and those who look on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from voicebot.call.calls_live import CallFeed
from voicebot.call.handover import ToPeople, context_of, variables_of
from voicebot.call.introduction import Introduction
from voicebot.call.leg import Leg
from voicebot.call.message import EndedBy, MessageRecorder
from voicebot.call.scribe import Scribe
from voicebot.call.services import Services
from voicebot.dialog.turns import BotTurn, Event, Handover, RecordMessage, Understood
from voicebot.media.port import MediaPort
from voicebot.speech.endpointer import Endpointer
from voicebot.speech.stt import Transcript


def _ignore(*_: object) -> None:
    return


def _nobody(_: Handover) -> bool:
    return False


@dataclass(slots=True)
class Stage:
    """What the conversations of one call share. folder: where messages are recorded.

    live:          tells whoever watches what happens, and knows what they must not hear
    for_people:    whether a hand-over is to people of ours, not to the dialplan's
    on_turn:       is told each turn of a dialog, before it is spoken, what it follows, and how that was taken
    on_transcript: is told what was recognised, and in which language
    introduction:  what callees have heard of who calls; None: they called us
    """

    call_id: str
    services: Services
    leg: Leg
    port: MediaPort
    scribe: Scribe
    live: CallFeed
    hangover_ms: int
    folder: Path
    clock: Callable[[], float]
    for_people: Callable[[Handover], bool] = _nobody
    on_turn: Callable[[BotTurn, Event | None, Understood | None], None] = _ignore
    on_transcript: Callable[[Transcript, str], None] = _ignore
    introduction: Introduction | None = None
    messages: Iterator[int] = field(default_factory=lambda: count(1))
    prompts: Iterator[int] = field(default_factory=lambda: count(1))

    def endpointer(self) -> Endpointer:
        vad = self.services.config.vad
        return Endpointer(
            self.port.sample_rate,
            onset_ms=vad.onset_ms,
            preroll_ms=vad.preroll_ms,
            hangover_ms=self.hangover_ms,
        )

    def recorder(self, work: RecordMessage, ended: Callable[[EndedBy], None]) -> MessageRecorder:
        """Return what records the call's next message, to a file of its own."""
        return MessageRecorder(
            self.folder.resolve() / f"{self.call_id}-message-{next(self.messages)}.wav",
            work,
            self.port.sample_rate,
            self.endpointer(),
            reserve_bytes=self.services.config.limits.reserve_mb * 1_000_000,
            ended=ended,
            on_fault=self.scribe.fault,
        )

    async def hand_over(self, handover: Handover) -> None:
        """Leave the caller to the dialplan. Raises `ToPeople` where they are for people of ours."""
        if self.for_people(handover):
            raise ToPeople(handover)
        await self.give_to_dialplan(handover)

    async def give_to_dialplan(self, handover: Handover) -> None:
        variables = variables_of(handover, self.call_id)
        await self.leg.hand_over(context_of(handover), handover.destination, variables)
