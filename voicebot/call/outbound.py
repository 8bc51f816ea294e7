"""What a call that we placed is about, and whom it tells what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Protocol

from pydantic_core import to_jsonable_python

from voicebot.call.record import CallRecord, OutboundRecord
from voicebot.campaign.attempt import AnsweredBy, CallResult
from voicebot.campaign.campaign import Answering
from voicebot.config import Route

CALL_BACK = "call_back"
"""A dialog that ends with this outcome tells in the slot of this name when to call again: a datetime, a date
(then at the time of day of this call), or a time (then on the next day that has it before it)."""
OPTED_OUT = "opted_out"
"""A dialog that ends with this outcome revokes the consent, as does the command of the same name."""
ABANDONED_AFTER_MS = 2000
"""A person who heard nothing for longer was abandoned (16 CFR 310.4(b)(4))."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """An attempt whose call was answered, as a gateway needs it.

    route:    the dialog, who listens and speaks, and the values given: as of an inbound call
    zone:     the callee's time zone: of `now` and `today`
    given:    the contact's own values, beside those of the route
    message:  the dialog that is spoken to a machine, where `answering` wants one
    proven, message_proven: the versions of both that may be held, since they were proven; empty: any
    """

    attempt: str
    campaign: str
    number: str
    caller_number: str
    route: Route
    answering: Answering
    zone: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    message: Route | None = None
    proven: str = ""
    message_proven: str = ""

    def route_of(self, route: Route) -> Route:
        """Return one of its routes, with the contact's values and zone."""
        changes: dict[str, Any] = {"given": {**route.given, **self.given}}
        if self.zone:
            changes["timezone"] = self.zone
        return route.model_copy(update=changes)


@dataclass(frozen=True, slots=True)
class Answer:
    """The moment of the answer.

    at, clock_at: on the wall clock, and on the event loop's (s)
    before_ms:    from then until the call came to us
    amd_status, amd_cause: of Asterisk's AMD(), empty where it was not asked
    """

    at: datetime
    clock_at: float
    before_ms: int = 0
    amd_status: str = ""
    amd_cause: str = ""


class Campaigns(Protocol):
    """Who knows our own calls. None of these raises for a database that is away: see `finished`."""

    async def assignment(self, attempt: str) -> Assignment | None:
        """Return what an answered attempt is about; None: unknown, closed, or nobody can tell in time."""

    async def opted_out(self, attempt: str, number: str, how: str) -> None:
        """Keep a revocation, before the call is hung up. Returns once it is on a disk."""

    async def finished(self, result: CallResult) -> None:
        """Keep what the call came to. Returns once it is on a disk: the database's, or else our own."""

    async def quiet(self) -> None:
        """Return once no call rings any more that this process has placed."""


def result_of(record: CallRecord, answer: Answer) -> CallResult:
    """Return what the record of an outbound call came to."""
    call = record.outbound
    assert call is not None
    return CallResult(
        attempt=call.attempt,
        answered_at=answer.at,
        ended_at=record.ended_at or datetime.now(UTC),
        answered_by=AnsweredBy(call.answered_by),
        outcome=record.outcome,
        goal=record.goal,
        opted_out=call.opted_out,
        first_audio_ms=call.first_audio_ms,
        message_left=call.message_left,
        call_back=call.call_back,
        slots=to_jsonable_python(record.slots, fallback=str),
        dialog_version=record.dialog.version,
        record=record.id,
        detail="; ".join([*record.faults[:1], *([call.judgements[-1].why] if call.judgements else [])]),
    )


def was_abandoned(call: OutboundRecord) -> bool:
    """Tell whether somebody, who may have been a person, heard nothing for too long."""
    if call.answered_by == "machine":
        return False
    return call.first_audio_ms is None or call.first_audio_ms > ABANDONED_AFTER_MS


def call_back_at(slots: Mapping[str, object], began: datetime, zone: tzinfo) -> datetime | None:
    """Return when the callee wants to be called again (UTC), by the slot `call_back`; None: never said.

    began: when this call was answered
    """
    wanted = slots.get(CALL_BACK)
    here = began.astimezone(zone)
    if isinstance(wanted, datetime):
        at = wanted if wanted.tzinfo is not None else wanted.replace(tzinfo=zone)
    elif isinstance(wanted, date):
        at = datetime.combine(wanted, here.timetz().replace(tzinfo=None), tzinfo=zone)
    elif isinstance(wanted, time):
        at = datetime.combine(here.date(), wanted.replace(tzinfo=None), tzinfo=zone)
        if at <= here:
            at = datetime.combine(here.date() + timedelta(days=1), wanted.replace(tzinfo=None), tzinfo=zone)
    else:
        return None
    return at.astimezone(UTC) if at > here else None
