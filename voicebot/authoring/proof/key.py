"""When two states of a call are the same, as far as anything that can still happen is concerned."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from voicebot.authoring.proof.facts import BEYOND, Facts, Matter, facts_of, name_of, places_from
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.running.state import Completing, Confirming, Pending

Values = dict[str, object]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a call stands, as `Interpreter.state()` tells it.

    frames:     of each open dialog, the root first: version, step, values
    failures:   silences and misunderstandings in this step
    silences, unheard: in a row
    """

    frames: tuple[tuple[str, str, Values], ...]
    failures: int
    silences: int
    unheard: int
    failed_from: frozenset[str]
    language: str
    asked: tuple[str, ...]
    pending: Pending | None
    rest: Hashable = field(default=())

    @property
    def step(self) -> str:
        return self.frames[-1][1]

    @property
    def values(self) -> Values:
        return self.frames[-1][2]

    @property
    def fresh(self) -> bool:
        """Whether nothing has failed yet where the call stands."""
        return not (self.failures or self.silences or self.unheard)


def standing(interpreter: Interpreter) -> Standing:
    """Read the state of an interpreter (see `Run.key`)."""
    state: Any = interpreter.state()
    frames, patience, language, asked, pending, working, messages, outcome, *_ = state
    failures, silences, unheard, failed_from = patience
    return Standing(
        tuple((version, step, dict(values)) for version, step, values, *_ in frames),
        sum(count for _, count in failures),
        silences,
        unheard,
        failed_from,
        language,
        asked,
        pending,
        (working, messages, outcome),
    )


class Keys:
    """Makes keys of states: `base` leaves out how much patience is used up.

    Where the caller came from is left out: to go back, and to correct, are followed from the shortest way
    to a state only.
    """

    def __init__(self, dialogs: Iterable[Dialog]) -> None:
        self._dialogs = {dialog.version: dialog for dialog in dialogs}
        returned = _returned(self._dialogs.values())
        self._facts = {
            version: facts_of(dialog, returned.get(version, frozenset()))
            for version, dialog in self._dialogs.items()
        }

    def base(self, at: Standing, start: int, clock: Values) -> Hashable:
        """Return the key of where a call stands. `start` numbers how it began, `clock` has now and today."""
        frames = tuple(
            self._frame(version, step, values, clock, root=number == 0)
            for number, (version, step, values) in enumerate(at.frames)
        )
        failed = at.failed_from & self._ahead(at) if at.failed_from else at.failed_from
        return (start, frames, failed, at.language, at.asked, self._pending(at, clock), at.rest)

    def _ahead(self, at: Standing) -> frozenset[str]:
        """Return the places that the call may still come to: only there it matters what has failed before."""
        version, step, _ = at.frames[-1]
        found = frozenset((f"{self._dialogs[version].name}/{step}",))
        return found.union(*(places_from(self._dialogs[version], step) for version, step, _ in at.frames))

    def _frame(self, version: str, step: str, values: Values, clock: Values, *, root: bool) -> Hashable:
        facts = self._facts[version]
        matters = facts.matters[step]
        kept = _kept(matters, facts, values, clock)
        if not root:
            needs = self._dialogs[version].file.needs
            kept |= {(name, _hashable(values.get(name))) for name in needs if name in facts.deciding}
        known = frozenset(name for name in facts.known[step] if values.get(name) is not None)
        return version, step, kept, known

    def _pending(self, at: Standing, clock: Values) -> Hashable:
        pending = at.pending
        if isinstance(pending, Confirming):
            facts = self._facts[at.frames[-1][0]]
            slots = frozenset(slot for slot, _ in pending.fills)
            tests = frozenset(matter for matter in facts.tests if name_of(matter) in slots)
            return "confirming", slots, _kept(tests, facts, {**at.values, **dict(pending.fills)}, clock)
        if isinstance(pending, Completing):
            return "completing", pending.slot, type(pending.part).__name__
        return type(pending).__name__


def place_of(base: Hashable) -> Hashable:
    """Return where a call stands by its `base`, whatever else is known that is only spoken of."""
    assert isinstance(base, tuple)
    return (base[0], tuple(frame[:3] for frame in base[1]), *base[2:])


def _kept(matters: frozenset[Matter], facts: Facts, values: Values, clock: Values) -> frozenset[object]:
    """Return what matters of values, so that it can be compared."""
    kept: list[object] = []
    for matter in matters:
        name = name_of(matter)
        value = values.get(name)
        if not isinstance(matter, str):
            if bool(matter.run({**values, **clock} if facts.clocked else values)):
                kept.append(matter.text)
        elif value is not None:
            if name in facts.counts and isinstance(value, int | float) and not isinstance(value, bool):
                value = _clamped(float(value), facts, name, values)
            kept.append((name, _hashable(value)))
    return frozenset(kept)


def _hashable(value: object) -> Hashable:
    return value if isinstance(value, Hashable) else repr(value)


def _returned(dialogs: Iterable[Dialog]) -> dict[str, frozenset[str]]:
    """Return version of a dialog -> its results that decide something in one that calls it."""
    found: dict[str, frozenset[str]] = {}
    for dialog in dialogs:
        deciding = facts_of(dialog).deciding
        for step in dialog.steps.values():
            inner = dialog.included.get(step.call.dialog) if step.call else None
            if step.call and inner is not None:
                names = {theirs for own, theirs in step.call.keep.items() if own in deciding}
                found[inner.version] = found.get(inner.version, frozenset()) | names
    return found


def _clamped(value: float, facts: Facts, name: str, values: Values) -> float:
    """Return a count; beyond all that it is compared with, one is like the other."""
    low, high = facts.counts[name]
    for other in facts.compared[name].names if name in facts.compared else ():
        bound = values.get(other)
        if isinstance(bound, int | float):
            low, high = min(low, bound - BEYOND), max(high, bound + BEYOND)
    return min(max(value, low), high)
