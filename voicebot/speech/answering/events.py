"""What is told of who answered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SURE = 0.8
"""Confidence from which on a machine may be hung up on; see docs/answering.md for what it costs."""


class Answerer(StrEnum):
    """Who took the call, as far as can be told by now. The values are those of a campaign's AnsweredBy."""

    PERSON = "person"
    MACHINE = "machine"
    UNKNOWN = "unknown"


class Why(StrEnum):
    """The strongest evidence of a judgement.

    SILENCE:        nobody has spoken yet
    SHORT_GREETING: a few words, then they wait for us
    WAITING:        a longer greeting, but then they wait, and no beep came
    LONG_GREETING:  they speak on and on
    BEEP:           a single steady tone, as before a recording
    GREETING_WORDS: what was said belongs to this kind of answerer
    SCREENING:      a robot that asks who calls, before it lets us through to a person
    MENU:           a robot that asks for keys
    ANNOUNCEMENT:   the operator's: the call did not reach anybody
    INVALID:        the operator's: there is no such number
    FAX:            a fax machine or a modem
    """

    SILENCE = "silence"
    SHORT_GREETING = "short_greeting"
    WAITING = "waiting"
    LONG_GREETING = "long_greeting"
    BEEP = "beep"
    GREETING_WORDS = "greeting_words"
    SCREENING = "screening"
    MENU = "menu"
    ANNOUNCEMENT = "announcement"
    INVALID = "invalid"
    FAX = "fax"


@dataclass(frozen=True, slots=True)
class Judged:
    """A judgement; it holds until the next one, which may say the opposite.

    confidence: 0.5 (a guess) to 1
    at_ms:      when it was made, on the clock that `heard` was given
    """

    by: Answerer
    confidence: float
    why: Why
    at_ms: int


@dataclass(frozen=True, slots=True)
class Beep:
    """A recording begins: the time to leave a message is now.

    at_ms: end of the tone, some 60 ms before this is told
    hz:    to the nearest of the bank's lines
    ms:    its length
    """

    at_ms: int
    hz: float
    ms: int


AnswerEvent = Judged | Beep
