"""One offer of one caller to one agent, from the first ring to the moment the two can talk.

Pure: `handle(event, now)` moves on as `TRANSITIONS` says; `outcome` is set once it is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Literal, TypeVar, cast

KEY_S = 6.0
"""For so long we wait for a key after the whisper, before it is said once more."""
WHISPERS = 2
"""How often the whisper is said."""
WHISPER_LIMIT_S = 120.0
"""A whisper that never ends must not hold the caller."""
Q850_BUSY = frozenset((17,))
Q850_REJECTED = frozenset((21,))
Q850_NO_ANSWER = frozenset((16, 18, 19))
"""ITU-T Q.850; 16 is how Asterisk ends what it stopped ringing itself."""

Outcome = Literal[
    "accepted",  # and joined
    "declined",  # another key, or the telephone refused
    "no_key",  # somebody answered, and pressed nothing: perhaps a mailbox
    "no_answer",
    "busy",
    "unreachable",
    "hung_up",  # while the whisper was said
    "withdrawn",  # the caller has gone, or somebody else has them
    "lost",  # the agent went in the very moment of the join
]


class Stage(Enum):
    RINGING = "ringing"
    WHISPERING = "whispering"  # the agent hears what it is about
    ASKED = "asked"  # we wait for the key
    JOINING = "joining"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class NotAnswered:
    """The channel ended before somebody answered; Q.850 cause, 0 where it could not be rung at all.

    `why`: in words for people.
    """

    cause: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Whispered:
    """The whisper was heard to its end."""


@dataclass(frozen=True, slots=True)
class Key:
    digit: str


@dataclass(frozen=True, slots=True)
class Gone:
    """The agent has hung up."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    pass


@dataclass(frozen=True, slots=True)
class Joined:
    pass


@dataclass(frozen=True, slots=True)
class TimeUp:
    pass


Event = Answered | NotAnswered | Whispered | Key | Gone | Withdrawn | Joined | TimeUp
E = TypeVar("E")


class Offer:
    """`whisper` False: who answers has the call. `deadline` is when `TimeUp` is due.

    `why`: why the telephone was not reached, where it was not.
    """

    def __init__(self, now: float, *, ring_s: float, accept_key: str = "1", whisper: bool = True) -> None:
        self.stage = Stage.RINGING
        self.outcome: Outcome | None = None
        self.deadline: float | None = now + ring_s
        self.whispers = 0
        self.why = ""
        self._accept_key = accept_key
        self._whisper = whisper

    def handle(self, event: Event, now: float) -> Stage:
        """Take `event` in; return where the offer is then. What means nothing now is ignored."""
        if isinstance(event, TimeUp) and (self.deadline is None or now < self.deadline):
            return self.stage
        change = TRANSITIONS.get((self.stage, type(event)))
        if change is not None:
            change(self, event, now)
        return self.stage

    def _go(self, stage: Stage, deadline: float | None = None) -> None:
        self.stage, self.deadline = stage, deadline

    def _end(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._go(Stage.OVER)

    def _answered(self, _event: Answered, now: float) -> None:
        if self._whisper:
            self._say(now)
        else:
            self._go(Stage.JOINING)

    def _say(self, now: float) -> None:
        self.whispers += 1
        self._go(Stage.WHISPERING, now + WHISPER_LIMIT_S)

    def _not_answered(self, event: NotAnswered, now: float) -> None:
        self.why = event.why
        if event.cause in Q850_BUSY:
            self._end("busy")
        elif event.cause in Q850_REJECTED:
            self._end("declined")
        else:
            self._end("no_answer" if event.cause in Q850_NO_ANSWER else "unreachable")

    def _rang_out(self, _event: TimeUp, now: float) -> None:
        self._end("no_answer")

    def _whispered(self, _event: Whispered, now: float) -> None:
        self._go(Stage.ASKED, now + KEY_S)

    def _key(self, event: Key, now: float) -> None:
        if event.digit == self._accept_key:
            self._go(Stage.JOINING)
        else:
            self._end("declined")

    def _no_key(self, _event: TimeUp, now: float) -> None:
        if self.whispers < WHISPERS:
            self._say(now)
        else:
            self._end("no_key")

    def _stuck(self, _event: TimeUp, now: float) -> None:
        self._end("no_key")

    def _gone(self, _event: Gone, now: float) -> None:
        self._end("hung_up")

    def _lost(self, _event: Gone, now: float) -> None:
        self._end("lost")

    def _withdrawn(self, _event: Withdrawn, now: float) -> None:
        self._end("withdrawn")

    def _joined(self, _event: Joined, now: float) -> None:
        self._end("accepted")


def _row(change: Callable[[Offer, E, float], None]) -> Callable[[Offer, Event, float], None]:
    return cast("Callable[[Offer, Event, float], None]", change)


TRANSITIONS: dict[tuple[Stage, type[Event]], Callable[[Offer, Event, float], None]] = {
    (Stage.RINGING, Answered): _row(Offer._answered),
    (Stage.RINGING, NotAnswered): _row(Offer._not_answered),
    (Stage.RINGING, TimeUp): _row(Offer._rang_out),
    (Stage.RINGING, Withdrawn): _row(Offer._withdrawn),
    (Stage.WHISPERING, Whispered): _row(Offer._whispered),
    (Stage.WHISPERING, Key): _row(Offer._key),
    (Stage.WHISPERING, TimeUp): _row(Offer._stuck),
    (Stage.WHISPERING, Gone): _row(Offer._gone),
    (Stage.WHISPERING, Withdrawn): _row(Offer._withdrawn),
    (Stage.ASKED, Key): _row(Offer._key),
    (Stage.ASKED, TimeUp): _row(Offer._no_key),
    (Stage.ASKED, Gone): _row(Offer._gone),
    (Stage.ASKED, Withdrawn): _row(Offer._withdrawn),
    (Stage.JOINING, Joined): _row(Offer._joined),
    (Stage.JOINING, Gone): _row(Offer._lost),
    (Stage.JOINING, Withdrawn): _row(Offer._withdrawn),
}
