"""Which values a dialog says, sends or compares before anybody told them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from voicebot.authoring.proof.exploring import Visit
from voicebot.authoring.proof.facts import request_texts, template_names
from voicebot.authoring.proof.key import Standing
from voicebot.dialog.expressions.expressions import parse_expression
from voicebot.dialog.expressions.nodes import Binary, Literal, Logic, Name, Node, Unary, children
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.say import Say
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import CALL_VALUES, ENVIRONMENT
from voicebot.dialog.turns import End, Handover, Listen

_ALWAYS_KNOWN = frozenset((*CALL_VALUES, "now", "today", "result"))
_STAYING = frozenset(("noinput", "nomatch", "invalid", "confirm", "match", "command:repeat", "command:help"))
_ORDERS = frozenset(("<", "<=", ">", ">="))


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value that is read while it is unknown. `place` is `say`, `nomatch`, `fetch`, `if`, ..."""

    dialog: str
    step: str
    place: str
    name: str

    @property
    def compared(self) -> bool:
        """Whether it is only compared: what is unknown is false, which may be meant."""
        return self.place in ("if", "goto")


def unknown_in(visit: Visit, dialogs: Mapping[str, Dialog]) -> Iterator[Unknown]:
    """Yield what was unknown when it was read on this way. `dialogs`: name -> dialog."""
    if not visit.new and all(taken.way in _STAYING for taken in visit.taken):
        return  # nothing was come to that has not been looked at
    versions = {dialog.version: name for name, dialog in dialogs.items()}
    before = _known(visit.before, versions)
    after = _known(visit.after, versions)
    known: dict[str, set[str]] = {name: set(names) for name, names in before.items()}
    entered = visit.before is None
    for at, taken in enumerate(visit.taken):
        dialog = dialogs.get(taken.dialog)
        step = dialog.steps.get(taken.step) if dialog else None
        if (
            dialog is None
            or step is None
            or taken.way in ("noinput", "nomatch", "invalid", "confirm", "match")
        ):
            continue
        if taken.dialog not in known:  # opened on this way; what it was given is known
            known[taken.dialog] = set(dialog.file.needs)
        here = known[taken.dialog]
        again = (
            at > 0 and visit.taken[at - 1].dialog == taken.dialog and visit.taken[at - 1].step == taken.step
        )
        if entered and not again:
            yield from _entering(dialog, taken.step, step, here, passed=taken.way == "if")
        if taken.way not in ("if", "call", "failed") and not taken.way.startswith("command:"):
            _learn(step, here, after.get(taken.dialog), before.get(taken.dialog, frozenset()))
            yield from _leaving(dialog, taken.step, step, here)
        entered = True
    if visit.after is not None and not isinstance(visit.turn.then, End | Handover):
        version, name, _ = visit.after.frames[-1]
        dialog = dialogs.get(versions.get(version, ""))
        if dialog is not None:
            here = set(after.get(dialog.name, frozenset()))
            if visit.kind not in ("command", "correction"):  # which bring back what was known before
                here &= known.setdefault(dialog.name, set(dialog.file.needs))
            if entered:
                yield from _entering(dialog, name, dialog.steps[name], here, passed=False)
            if isinstance(visit.turn.then, Listen):
                yield from _listening(dialog, name, dialog.steps[name], here)


def _known(at: Standing | None, versions: Mapping[str, str]) -> dict[str, frozenset[str]]:
    if at is None:
        return {}
    return {
        versions[version]: frozenset(name for name, value in values.items() if value is not None)
        for version, _, values in at.frames
        if version in versions
    }


def _learn(step: Step, here: set[str], after: frozenset[str] | None, before: frozenset[str]) -> None:
    """Take in what a step has learnt; `after` is None where its dialog is closed by now."""
    names = {*step.fill, *step.set}
    for work in (step.fetch, step.hook, step.call):
        names |= set(work.keep) if work else set()
    for name in names:
        if after is None or name in after:
            here.add(name)
        elif name not in before or name in step.set:
            here.discard(name)


def _entering(dialog: Dialog, name: str, step: Step, here: set[str], *, passed: bool) -> Iterator[Unknown]:
    if step.if_:
        yield from _compared(dialog, name, "if", step.if_, here)
    if passed:
        return
    yield from _said(dialog, name, "say", step.say, here)
    yield from _said(dialog, name, "ask", step.ask, here)
    if step.fetch:
        yield from _texts(dialog, name, "fetch", request_texts(step.fetch), here)
    if step.llm:
        yield from _texts(dialog, name, "llm", (step.llm.about,), here)


def _leaving(dialog: Dialog, name: str, step: Step, here: set[str]) -> Iterator[Unknown]:
    for condition in step.goto.values():
        yield from _compared(dialog, name, "goto", condition, here)
    if step.transfer:
        yield from _texts(dialog, name, "summary", (step.transfer.summary,), here)


def _listening(dialog: Dialog, name: str, step: Step, here: set[str]) -> Iterator[Unknown]:
    for place in ("help", "noinput", "nomatch", "invalid"):
        yield from _said(dialog, name, place, getattr(step, place), here)
    for slot_name in step.fill:
        slot = dialog.file.slots.get(slot_name)
        if slot is None:
            continue
        if len(step.fill) > 1:
            yield from _said(dialog, name, "ask", slot.ask, here)
        for place in ("help", "noinput", "nomatch", "invalid"):
            if not getattr(step, place):
                yield from _said(dialog, name, place, getattr(slot, place), here)


def _said(dialog: Dialog, name: str, place: str, says: Iterable[Say], here: set[str]) -> Iterator[Unknown]:
    texts = (piece.text for say in says for piece in say.pieces)
    yield from _texts(dialog, name, place, texts, here)


def _texts(dialog: Dialog, name: str, place: str, texts: Iterable[str], here: set[str]) -> Iterator[Unknown]:
    for text in texts:
        for value in sorted(template_names(text)):
            if _is_unknown(value, here):
                yield Unknown(dialog.name, name, place, value)


def _is_unknown(name: str, here: set[str]) -> bool:
    return name not in here and name not in _ALWAYS_KNOWN and not name.startswith(ENVIRONMENT)


def _compared(dialog: Dialog, name: str, place: str, condition: str, here: set[str]) -> Iterator[Unknown]:
    """Yield unknown names that are ordered (`<`, `>=`) where the condition does not ask whether they are."""
    if condition.strip() == "else":
        return
    try:
        node = parse_expression(condition).node
    except ValueError:
        return
    guarded = set(_guarded(node))
    for ordered in _ordered(node):
        if _is_unknown(ordered, here) and ordered not in guarded:
            yield Unknown(dialog.name, name, place, ordered)


def _ordered(node: Node) -> Iterator[str]:
    if isinstance(node, Binary) and node.operator in _ORDERS:
        yield from (side.name for side in (node.left, node.right) if isinstance(side, Name))
    for child in children(node):
        yield from _ordered(child)


def _guarded(node: Node) -> Iterator[str]:
    """Yield names that are compared with `unknown`, or asked for by themselves."""
    match node:
        case Name(name):
            yield name
        case Logic(_, parts):
            for part in parts:
                yield from _guarded(part)
        case Unary("not", operand):
            yield from _guarded(operand)
        case Binary("==" | "!=", Name(name), Literal(None)) | Binary("==" | "!=", Literal(None), Name(name)):
            yield name
