"""What the rules know of a dialog: its names with their types, and the dialogs that it includes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import CALL_VALUES, ENVIRONMENT, RUN_VALUES

RUNS_OUT = "done"
"""The word of an included dialog that comes to its last step without `return`."""
CANCELLED = "cancelled"
"""The word of an included dialog that the caller cancelled."""

_GIVEN = {
    "call.number": "phone",
    "call.called": "phone",
    "call.id": "text",
    "now": "datetime",
    "today": "date",
}


@dataclass(frozen=True)
class Surroundings:
    """What is known of the place where a dialog will run; None where it is not known.

    hooks:        names of the installed hooks
    environment:  names of the values under `env.`
    included:     the dialog is called by another one
    """

    hooks: Collection[str] | None = None
    environment: Collection[str] | None = None
    included: bool = False


@dataclass(frozen=True)
class Context:
    """A dialog under check."""

    dialog: Dialog
    surroundings: Surroundings = field(default_factory=Surroundings)

    @property
    def file(self) -> DialogFile:
        return self.dialog.file

    @cached_property
    def types(self) -> Mapping[str, str]:
        """Every name that the dialog declares or is given, with its type."""
        file = self.file
        types = dict(_GIVEN)
        for group in (file.needs, file.slots, file.values):
            types.update({name: declared.type for name, declared in group.items()})
        return types

    @cached_property
    def choices(self) -> Mapping[str, Collection[str]]:
        """The only values that a slot of type `choice` can have."""
        found: dict[str, set[str]] = {
            name: {*slot.choices, *self.dialog.lists.get(name, ())}
            for name, slot in self.file.slots.items()
            if slot.type == "choice" and (slot.choices or name in self.dialog.lists)
        }
        for step in self.file.steps.values():
            for slot in step.fill[:1]:
                if slot in found:
                    found[slot] |= {meaning for meaning, choice in step.choices.items() if not choice.goto}
            for name in step.set:
                found.pop(name, None)
        return found

    def types_in(self, step: Step | None) -> Mapping[str, str]:
        """The types as a step sees them: after a look-up `result` is a status, after a call a word."""
        if step is None or not (step.fetch or step.call):
            return self.types
        return {**self.types, "result": "number" if step.fetch else "text"}

    def names(self) -> list[str]:
        """Every name that an expression may use, for suggestions: the author's own first."""
        return list(dict.fromkeys((*self.file.needs, *self.file.slots, *self.file.values, *_ours)))

    def knows(self, name: str) -> bool:
        return name in self.types or name in RUN_VALUES or (name.startswith(ENVIRONMENT) and len(name) > 4)

    @cached_property
    def learnt(self) -> frozenset[str]:
        """The slots and values that some step learns, computes or looks up."""
        names = {
            name for name, need in self.file.values.items() if need.start is not None
        }  # known from the start
        for step in self.file.steps.values():
            names |= learns(step) | frozenset(step.llm.slots if step.llm else ())
        return frozenset(names)


_ours = (*CALL_VALUES, *RUN_VALUES)


def learns(step: Step) -> frozenset[str]:
    """Return what a step may learn, compute or look up."""
    names = {*step.fill, *step.set}
    for work in (step.fetch, step.hook, step.call):
        names |= set(work.keep) if work is not None else set()
    return frozenset(names)


def words_of(dialog: Dialog) -> frozenset[str]:
    """Return the words with which an included dialog may come back, as `result`."""
    words = {step.return_ for step in dialog.steps.values() if step.return_}
    last = list(dialog.steps.values())[-1]
    if not (last.leaves or "else" in last.goto.values()) or last.if_:
        words.add(RUNS_OUT)
    cancel = dialog.file.always.get("cancel")
    if cancel is None or not (cancel.off or cancel.goto):
        words.add(CANCELLED)
    return frozenset(words)
