"""Keys of a step that do not go together, or do nothing where they stand."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.model.dialog import DialogFile
from voicebot.dialog.model.step import LEAVES, WORKS, Step

_NEEDS_ASK = ("choices", "nomatch", "invalid", "help", "optional", "pause", "longest", "interdigit")
"""Keys that do nothing where nothing is asked."""
_NEEDS_ANSWER = ("noinput", "timeout", "terminator")
"""Keys that do nothing where neither a question is asked nor a message recorded."""


def shapes(context: Context) -> Iterator[Finding]:
    for name, step in context.file.steps.items():
        yield from _together(name, step)
        yield from _alone(name, step, context.file)
        yield from _slots(name, step, context.file)


def _value(step: Step, key: str) -> object:
    return getattr(step, {"return": "return_", "if": "if_"}.get(key, key))


def _finding(name: str, what: str, remedy: str, key: str = "", code: str = "step") -> Finding:
    path: Path = ("steps", name, key) if key else ("steps", name)
    return Finding(path, what, remedy, code, at_key=True)


def _together(name: str, step: Step) -> Iterator[Finding]:
    for keys, about in ((WORKS, "waits for one thing"), (LEAVES, "leads to one place")):
        there = [key for key in keys if _value(step, key)]
        for key in there[1:]:
            what = f"has both `{there[0]}` and `{key}`; a step {about}"
            yield _finding(name, what, "keep one of them, or make two steps", key)
    if not step.model_dump(exclude_defaults=True):
        yield _finding(name, "does nothing", "give it `say`, `ask`, `goto` or `end`")


def _alone(name: str, step: Step, file: DialogFile) -> Iterator[Finding]:
    answers = bool(step.ask or step.record)
    if step.ask and not (step.fill or step.choices):
        remedy = "give it `fill` or `choices`, or write `say`"
        yield _finding(name, "asks, but takes no answer", remedy, "ask")
    if step.fill and not (answers or step.llm):
        yield _finding(name, "`fill` needs a question", "give the step an `ask`, or a `record`", "fill")
    for key in _NEEDS_ASK:
        if _given(step, key) and not step.ask:
            what = f"`{key}` does nothing where nothing is asked"
            remedy = "give the step an `ask`" if key == "choices" else "take it away, or `ask`"
            yield _finding(name, what, remedy, key)
    for key in _NEEDS_ANSWER:
        if _given(step, key) and not answers:
            what = f"`{key}` does nothing where nothing is asked"
            yield _finding(name, what, "take it away, or `ask`", key)
    if step.failed and not step.waits:
        what = "`failed` does nothing where nothing can fail"
        yield _finding(name, what, "take it away", "failed")
    if step.goal and not step.leaves:
        yield _finding(name, "`goal` belongs to `end` or `transfer`", "put it there", "goal")
    if step.confirm and not (step.ask and (step.fill or step.choices)):
        yield _finding(name, "`confirm` needs a slot to fill", "give it `fill`", "confirm")
    if step.optional and step.ask and not step.fill:
        yield _finding(name, "`optional` needs a slot to fill", "give it `fill`", "optional")
    if step.fill and step.llm:
        what = "`fill` does nothing in free talk"
        yield _finding(name, what, "name the slots that it may fill under `llm: {slots: [...]}`", "fill")
    if step.language is not None and not file.languages and step.language == file.language:
        what = "the dialog is held in this language anyway"
        yield Finding(("steps", name, "language"), what, "take it away", "step", warning=True, at_key=True)


def _given(step: Step, key: str) -> bool:
    return key in step.model_fields_set and getattr(step, key) not in (None, (), {}, False)


def _slots(name: str, step: Step, file: DialogFile) -> Iterator[Finding]:
    path: Path = ("steps", name, "fill")
    if step.record is not None and not step.ask:
        if len(step.fill) != 1:
            what = "`record` needs one slot for the message"
            yield _finding(name, what, "declare `message: recording` and `fill: message`", "record", "slot")
        for at, slot in enumerate(step.fill[:1]):
            if slot in file.slots and file.slots[slot].type != "recording":
                what = f"`{slot}` is of type {file.slots[slot].type}, not recording"
                yield Finding((*path, at), what, f"declare `{slot}: recording`", "slot")
    if step.ask or step.llm:
        for at, slot in enumerate(step.fill):
            if slot in file.slots and file.slots[slot].type == "recording":
                what = f"`{slot}` is a recording, which no answer is"
                yield Finding((*path, at), what, "give the step `record: true` in place of `ask`", "slot")
    for at, slot in enumerate(step.fill):
        if slot in step.fill[:at]:
            yield Finding((*path, at), f"`{slot}` stands here twice", "take one away", "slot")
    if len(step.fill) > 1:
        for at, slot in enumerate(step.fill):
            if slot in file.slots and file.slots[slot].open:
                what = f"`{slot}` may be anything, so the other slots of this step cannot be told from it"
                remedy = "ask for it in a step of its own"
                yield Finding((*path, at), what, remedy, "slot", warning=True)
