"""Where a call stands in its dialog: the open dialogs, what they know, and how the caller came here.

Everything that a conversation changes is in `Run`, so that it can be copied (`fork`) and compared (`key`).
"""

from __future__ import annotations

import copy
import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import Slot, Value
from voicebot.dialog.model.step import Step
from voicebot.dialog.running.journal import Journal
from voicebot.dialog.running.patience import Patience
from voicebot.dialog.turns import BotTurn, End, Fetched, HookDone, Message, Prompt, Understood, Work

EPOCH = datetime(2027, 1, 1, 10, 0, tzinfo=UTC)
"""The wall clock at the beginning of a call, where nobody says it."""

MOST_REMEMBERED = 50
"""Answers that a caller can go back to or correct; older ones are forgotten."""

MOST_REPLIES = 8
"""Look-ups and hooks of which a call remembers how they went."""

_CLOCK_NAMES = frozenset(("now", "today"))


@dataclass(slots=True)
class Frame:
    """One open dialog: the root, or one that a step has called.

    values:  everything that its conditions and prompts can name
    learnt:  the names that the conversation has learnt or computed
    ahead:   slots that were filled from outside before they were asked for: their step passes over them once
    """

    dialog: Dialog
    step: str
    values: dict[str, object]
    learnt: set[str] = field(default_factory=set)
    ahead: frozenset[str] = frozenset()

    def copy(self) -> Frame:
        return Frame(self.dialog, self.step, dict(self.values), set(self.learnt), self.ahead)

    def learn(self, name: str, value: object) -> None:
        self.values[name] = value
        self.learnt.add(name)

    def slot(self, name: str) -> Slot:
        return self.dialog.file.slots[name]


class Answered(NamedTuple):
    """A question that was answered: where the call stood before it, and what the answer brought.

    frames:  copies, as they were when the question was asked
    asked:   the slots that it was for
    fills:   slot -> value
    choice:  the choice that was taken, "" for none
    """

    frames: tuple[Frame, ...]
    asked: tuple[str, ...]
    fills: Mapping[str, object]
    choice: str = ""

    @property
    def frame(self) -> Frame:
        return self.frames[-1]


@dataclass(frozen=True, slots=True)
class Confirming:
    """Values that wait for a yes."""

    fills: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Completing:
    """A date that waits for its time of day, or the other way round.

    other: the time in the other half of the day, where it was not said which
    """

    slot: str
    part: object
    other: object = None


@dataclass(frozen=True, slots=True)
class Cancelling:
    """A wish to stop that waits for a yes."""


Pending = Confirming | Completing | Cancelling


class Taken(NamedTuple):
    """One way that the call has taken, for coverage.

    way:     `goto`, `next`, `choice:<name>`, `failed`, `command:<name>`, `if` (passed over), `end`, `return`,
             `transfer`, `call`, `returned`, `noinput`, `nomatch`, `invalid`, `confirm`, `match`
    target:  the step that follows, "" for none
    """

    dialog: str
    step: str
    way: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Go:
    """Run on from `step` after `prompts`."""

    step: str
    prompts: tuple[Prompt, ...] = ()


Next = Go | BotTurn


@dataclass(slots=True)
class Run:
    """All that changes in the course of a call.

    frames:    open dialogs, the root first
    asked:     slots that the present question is for (several in one breath)
    question:  the prompts of the present question; `said` with all that led to it
    replay:    answers that are given again by themselves after a correction
    held:      what steps on the way have to say meanwhile: nobody hears it again unless the way changes
    replies:   work that was done, with how it went: on the way after a correction it is not done twice
    again:     whether the run is on its way after a correction
    """

    frames: list[Frame]
    patience: Patience
    language: str
    seed: int
    started: datetime
    begun: float = 0.0
    asked: tuple[str, ...] = ()
    pending: Pending | None = None
    working: Work | None = None
    question: tuple[Prompt, ...] = ()
    said: tuple[Prompt, ...] = ()
    trail: list[Answered] = field(default_factory=list)
    replay: list[Answered] = field(default_factory=list)
    held: tuple[Prompt, ...] = ()
    replies: list[tuple[Work, Fetched | HookDone]] = field(default_factory=list)
    again: bool = False
    messages: tuple[Message, ...] = ()
    talk_began: float = 0.0
    chosen: int = 0
    turns_said: dict[tuple[str, str, str], int] = field(default_factory=dict)
    understood: Understood | None = None
    taken: list[Taken] = field(default_factory=list)
    journal: Journal = field(default_factory=Journal)
    outcome: str | None = None
    goal: bool = False
    last: BotTurn = field(default_factory=lambda: BotTurn((), End("error", reason="not begun")))

    @property
    def frame(self) -> Frame:
        """The innermost open dialog."""
        return self.frames[-1]

    @property
    def root(self) -> Frame:
        return self.frames[0]

    @property
    def dialogs(self) -> tuple[Dialog, ...]:
        """The open dialogs, the innermost first."""
        if len(self.frames) == 1:
            return (self.frames[0].dialog,)
        return tuple([frame.dialog for frame in reversed(self.frames)])

    @property
    def dialog(self) -> Dialog:
        return self.frames[-1].dialog

    @property
    def step(self) -> Step:
        frame = self.frames[-1]
        return frame.dialog.file.steps[frame.step]

    def wall(self, now: float) -> datetime:
        """Return the wall clock at `now`."""
        return self.started + timedelta(seconds=now - self.begun)

    def tell_time(self, now: float) -> None:
        """Let the values `now` and `today` be those of this moment."""
        self.tell_time_of(self.wall(now))

    def tell_time_of(self, moment: datetime) -> None:
        """Let the values `now` and `today` be those of `moment`."""
        self.frame.values["now"] = moment
        self.frame.values["today"] = moment.date()

    def took(self, way: str, target: str = "") -> None:
        frame = self.frames[-1]
        self.taken.append(Taken(frame.dialog.file.dialog, frame.step, way, target))

    def remember(self, fills: Mapping[str, object], choice: str = "") -> None:
        """Keep an answer, with where the call stood before it."""
        self.trail.append(Answered(tuple(frame.copy() for frame in self.frames), self.asked, fills, choice))
        del self.trail[:-MOST_REMEMBERED]

    def keep_reply(self, event: Fetched | HookDone) -> None:
        """Keep how the present work went."""
        if self.working is not None and not event.error:
            self.replies = [*self.replies[-MOST_REPLIES + 1 :], (self.working, event)]

    def known_reply(self, work: object) -> Fetched | HookDone | None:
        """Return how the same work went before, on the way after a correction."""
        if not (self.again or self.replay):
            return None
        return next((event for done, event in reversed(self.replies) if done == work), None)

    def variant(self, key: tuple[str, str, str], count: int, *, in_turn: bool) -> int:
        """Choose one of `count` variants: the next one, or by chance, which is the seed's."""
        if count == 1:
            return 0
        if in_turn:
            at = self.turns_said.get(key, 0)
            self.turns_said[key] = at + 1
            return at % count
        self.chosen += 1
        return zlib.crc32(f"{self.seed}:{self.chosen}".encode()) % count

    def fork(self) -> Run:
        """Return an independent copy. What is frozen is shared."""
        other = copy.copy(self)
        other.frames = [frame.copy() for frame in self.frames]
        other.patience = self.patience.copy()
        other.trail, other.replay = list(self.trail), list(self.replay)
        other.turns_said, other.taken = dict(self.turns_said), list(self.taken)
        other.journal = self.journal.copy()
        return other

    def key(self) -> Hashable:
        """Return what decides how the conversation goes on: equal keys behave alike.

        Left out are clock, journal, chance, and of the way back all but its last question.
        """
        return (
            tuple(
                (frame.dialog.version, frame.step, frozenset(_comparable(frame.values)), frame.ahead)
                for frame in self.frames
            ),
            self.patience.key(),
            self.language,
            self.asked,
            self.pending,
            type(self.working).__name__,
            len(self.messages),
            self.outcome,
            self.trail[-1].frame.step if self.trail else "",
            tuple(answered.frame.step for answered in self.replay),
        )


def _comparable(values: Mapping[str, object]) -> list[tuple[str, object]]:
    kept = []
    for name, value in values.items():
        if name in _CLOCK_NAMES or value is None:
            continue
        kept.append((name, value if isinstance(value, Hashable) else repr(value)))
    return kept


def interruptible(prompts: tuple[Prompt, ...]) -> tuple[Prompt, ...]:
    """Return prompts that are said again: whoever has heard them once may interrupt."""
    return tuple(replace(prompt, bargein=True) for prompt in prompts)
