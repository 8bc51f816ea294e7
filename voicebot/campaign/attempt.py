"""One attempt to reach somebody: its life, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

ATTEMPT_ID_BYTES = 16
"""An attempt's id is so many random bytes in lower-case hex: the name of its call file, the extension it
dials through, and the key under which the dialplan remembers that it was dialled."""


class AttemptState(StrEnum):
    """Where an attempt is. Only OPEN_STATES take up room on a trunk.

    CLAIMED:  the row is committed; nothing has left us yet
    HANDED:   Asterisk has it: a call file in its spool, or an Originate it accepted
    DIALLING: the dialplan went past its fence: the number is being called
    ANSWERED: somebody, or something, took the call
    CLOSED:   it has a disposition, and stays as it is
    """

    CLAIMED = "claimed"
    HANDED = "handed"
    DIALLING = "dialling"
    ANSWERED = "answered"
    CLOSED = "closed"


OPEN_STATES = (AttemptState.CLAIMED, AttemptState.HANDED, AttemptState.DIALLING, AttemptState.ANSWERED)


class Disposition(StrEnum):
    """What became of an attempt.

    The first group was never dialled, so it does not count as a call; the last one may have been.
    """

    EXPIRED = "expired"  # Asterisk came to it too late; the fence held
    CANCELLED = "cancelled"  # taken back in time: a stop, a revocation
    NOT_HANDED = "not_handed"  # Asterisk refused it, or could not be reached

    ANSWERED = "answered"  # a person, or nobody could tell
    MACHINE = "machine"
    ABANDONED = "abandoned"  # a person answered and heard nothing in time
    OPTED_OUT = "opted_out"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    INVALID = "invalid"  # no such number
    REJECTED = "rejected"
    CONGESTION = "congestion"
    TRUNK_FAILURE = "trunk_failure"
    CODEC_ERROR = "codec_error"

    INTERRUPTED = "interrupted"  # a crash hides what happened: never dialled again by itself


NOT_DIALLED = frozenset((Disposition.EXPIRED, Disposition.CANCELLED, Disposition.NOT_HANDED))
REACHED = frozenset((Disposition.ANSWERED, Disposition.MACHINE, Disposition.ABANDONED, Disposition.OPTED_OUT))
TRUNK_TROUBLE = frozenset((Disposition.CONGESTION, Disposition.TRUNK_FAILURE))
"""What a circuit breaker counts."""


class AnsweredBy(StrEnum):
    """Who took the call, as far as one can tell by now."""

    PERSON = "person"
    MACHINE = "machine"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    """An attempt to be dialled: all that a spool or an Originate needs. It was committed before this exists.

    dial:       a channel for Dial(), such as PJSIP/+12025550142@trunk
    due:        when it is to be dialled; now, or later for a scheduled call
    expires:    the dialplan's fence dials nothing after it
    ring_s:     how long it may ring
    ask_amd:    whether Asterisk's AMD() listens first
    """

    attempt: str
    campaign: str
    number: str
    dial: str
    caller_number: str
    caller_name: str
    due: datetime
    expires: datetime
    ring_s: int
    ask_amd: bool = False


@dataclass(frozen=True, slots=True)
class DialResult:
    """How the dialling of one attempt ended, told by the hangup cause (Q.850) and SIP status, if any."""

    attempt: str
    disposition: Disposition
    at: datetime
    cause: int | None = None
    sip: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class CallResult:
    """What an answered attempt came to, told by the gateway that held the conversation.

    answered_by:    revisable in mid-call; this is the last word
    first_audio_ms: from the answer to the first sound of ours that was sent; None: none was
    call_back:      when the callee asked to be called again
    record:         id of the call record
    """

    attempt: str
    answered_at: datetime
    ended_at: datetime
    answered_by: AnsweredBy
    outcome: str
    goal: bool = False
    opted_out: bool = False
    first_audio_ms: int | None = None
    message_left: bool = False
    call_back: datetime | None = None
    slots: Mapping[str, Any] = field(default_factory=dict)
    dialog_version: str = ""
    record: str = ""
    detail: str = ""
