"""What of a dialog's values can matter: which are compared, with what, and from which step on.

Two states of a call that differ only in values that nothing will ever read behave alike. So exploration need
not tell them apart: a survey of ten questions has ten states, not thousands.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from voicebot.dialog.expressions.compiling import Run, compiled
from voicebot.dialog.expressions.expressions import parse_expression
from voicebot.dialog.expressions.nodes import Binary, Call, Literal, Logic, Many, Name, Node, Unary, children
from voicebot.dialog.model.actions import FetchRequest
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.say import Say
from voicebot.dialog.model.step import Step
from voicebot.dialog.model.words import CALL_VALUES, ENVIRONMENT
from voicebot.dialog.speaking.templates import TemplateError, references

Names = frozenset[str]
NONE: Names = frozenset()

BEYOND = 2
"""A count is followed this far beyond the greatest number in the dialog; after that it is just "more"."""

_COMPARES = frozenset(("==", "!=", "<", "<=", ">", ">=", "in", "not in"))


@dataclass(frozen=True, slots=True)
class Compared:
    """What a name stands beside in comparisons: written values, other names, functions."""

    literals: frozenset[object] = frozenset()
    names: Names = NONE
    functions: Names = NONE


@dataclass(frozen=True, slots=True)
class Test:
    """A single comparison over one varying name: all that is asked of its value is whether this holds."""

    text: str
    name: str
    run: Run = field(repr=False, compare=False)


Matter = str | Test
"""What can matter of the values: a name, with its very value; or whether a test holds."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Of one dialog.

    matters:   step -> what can matter from when the call is in this step
    known:     step -> names of which it can matter whether they are known
    compared:  name -> what it is compared with
    counts:    names that only count up or down, with the least and the greatest that can matter
    deciding:  names that stand in conditions
    tests:     all tests of conditions
    clocked:   whether the wall clock decides something
    """

    matters: Mapping[str, frozenset[Matter]]
    known: Mapping[str, Names]
    compared: Mapping[str, Compared]
    counts: Mapping[str, tuple[float, float]]
    deciding: Names
    tests: frozenset[Matter]
    clocked: bool


def expression_names(text: str) -> Names:
    """Return the names in a checked expression; none where it cannot be read."""
    if text.strip() == "else":
        return NONE
    try:
        return parse_expression(text).names
    except ValueError:
        return NONE


def template_names(text: str) -> Names:
    """Return the names in `{braces}` of a text, but those with words for what is unknown."""
    try:
        return frozenset(reference.name for reference in references(text) if not reference.otherwise)
    except TemplateError:
        return NONE


def texts_in(value: object) -> Iterator[str]:
    """Yield all texts within JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def request_texts(fetch: FetchRequest) -> Iterator[str]:
    """Yield the texts of a request that need their values; a body's value that is unknown is sent as null."""
    yield from (fetch.url, *fetch.query.values(), *fetch.headers.values(), *fetch.form.values())
    yield from (text for text in texts_in(fetch.json_) if not ALONE.fullmatch(text))


ALONE = re.compile(r"\s*\{[^{}]*\}\s*")
"""A text that is one value and no more."""


def prompts_of(step: Step) -> Iterator[Say]:
    """Yield all prompts of a step, what it says again and in place of its own words included."""
    for says in (step.say, step.ask, step.help, step.noinput, step.nomatch, step.invalid):
        for say in says:
            yield from say.pieces


@lru_cache(maxsize=256)
def facts_of(dialog: Dialog, returned: Names = NONE) -> Facts:
    """Return the facts of a dialog. `returned`: values of it that decide something where it was called."""
    compared: dict[str, Compared] = {}
    numbers: set[float] = {0.0}
    names: set[str] = set()
    for text in _expressions(dialog):
        node = _parsed(text)
        names |= {part.name for part in _walk(node) if isinstance(part, Name)}
        for part in _walk(node):
            if isinstance(part, Binary) and part.operator in _COMPARES:
                _note(part, compared)
            if isinstance(part, Literal) and isinstance(part.value, int | float | Decimal):
                numbers.add(float(part.value))
    constant = _constants(dialog)
    tests: frozenset[Matter] = frozenset(
        matter for text in _conditions(dialog) for matter in _asked(_parsed(text), constant)
    )
    matters = _backwards(
        dialog, lambda step: _matters(dialog, step, constant, returned), _sets(dialog, constant)
    )
    known = _backwards(dialog, lambda step: _known_reads(dialog, step, returned), {})
    low, high = min(numbers) - BEYOND, max(numbers) + BEYOND
    counts = dict.fromkeys(_counters(dialog, compared), (low, high))
    deciding = frozenset(name for text in _conditions(dialog) for name in expression_names(text))
    return Facts(
        matters,
        {step: frozenset(str(name) for name in found) for step, found in known.items()},
        compared,
        counts,
        deciding,
        tests,
        bool(names & {"now", "today"}),
    )


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Node:
    """Return an expression's tree; of what cannot be read, and of `else`, a constant."""
    try:
        return Literal(True) if text.strip() == "else" else parse_expression(text).node
    except ValueError:
        return Literal(None)


def _constants(dialog: Dialog) -> Names:
    """Return the names that do not change as long as the dialog is open."""
    return frozenset((*dialog.file.needs, *CALL_VALUES, "now", "today"))


def _conditions(dialog: Dialog) -> Iterator[str]:
    for slot in dialog.file.slots.values():
        if slot.valid:
            yield slot.valid
    for step in dialog.steps.values():
        if step.if_:
            yield step.if_
        yield from step.goto.values()


def _asked(node: Node, constant: Names) -> Iterator[Matter]:
    """Yield what a condition asks of values."""
    if isinstance(node, Logic) or (isinstance(node, Unary) and node.operator == "not"):
        for child in children(node):
            yield from _asked(child, constant)
        return
    names = {part.name for part in _walk(node) if isinstance(part, Name)}
    varying = {name for name in names - constant if not name.startswith(ENVIRONMENT)}
    if len(varying) == 1:
        yield Test(repr(node), varying.pop(), compiled(node))
    else:
        yield from varying


def name_of(matter: Matter) -> str:
    return matter if isinstance(matter, str) else matter.name


def _expressions(dialog: Dialog) -> Iterator[str]:
    yield from _conditions(dialog)
    for step in dialog.steps.values():
        yield from step.set.values()
        if step.call:
            yield from step.call.arguments.values()
        if step.transfer and step.transfer.priority is not None:
            yield step.transfer.priority


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _walk(child)


def _note(node: Binary, compared: dict[str, Compared]) -> None:
    parts = list(_walk(node))
    names = frozenset(part.name for part in parts if isinstance(part, Name))
    literals: set[object] = set()
    for part in parts:
        if isinstance(part, Literal):
            literals.add(part.value)
        elif isinstance(part, Many):
            literals |= {item.value for item in part.items if isinstance(item, Literal)}
    functions = frozenset(part.function for part in parts if isinstance(part, Call))
    for name in names:
        old = compared.get(name, Compared())
        compared[name] = Compared(
            old.literals | literals, old.names | (names - {name}), old.functions | functions
        )


def _counters(dialog: Dialog, compared: Mapping[str, Compared]) -> Iterator[str]:
    """Yield names that are only ever set to a number, or to themselves and a number, and compared plainly."""
    sets: dict[str, list[Node]] = {}
    for step in dialog.steps.values():
        for name, text in step.set.items():
            try:
                sets.setdefault(name, []).append(parse_expression(text).node)
            except ValueError:
                sets.setdefault(name, []).append(Name("?"))
    for name, nodes in sets.items():
        with_others = compared.get(name, Compared()).names - dialog.file.needs.keys()
        if all(_counts(name, node) for node in nodes) and not with_others:
            yield name


def _counts(name: str, node: Node) -> bool:
    match node:
        case Literal() | Unary("-", Literal()):
            return True
        case Binary("+" | "-", left, right):
            return all(isinstance(part, Literal) or part == Name(name) for part in (left, right))
    return False


# --- from which step on a value can matter --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reads:
    """Of one step: what it reads when it begins, and after its answer or work; names learnt by then."""

    before: frozenset[Matter]
    after: frozenset[Matter]
    learns: Names


def _matters(dialog: Dialog, step: Step, constant: Names, returned: Names) -> _Reads:
    before: set[Matter] = set(_asked(_parsed(step.if_), constant)) if step.if_ else set()
    if step.call:
        inner = dialog.included.get(step.call.dialog)
        deciding = facts_of(inner).deciding if inner else NONE
        for name, text in step.call.arguments.items():
            before |= (expression_names(text) - constant) if name in deciding else NONE
    for name in step.fill:
        slot = dialog.file.slots.get(name)
        asked = _asked(_parsed(slot.valid), constant | {name}) if slot and slot.valid else ()
        before |= {name_of(matter) for matter in asked}  # it is asked of the other value, not of these
    after: set[Matter] = {matter for text in step.goto.values() for matter in _asked(_parsed(text), constant)}
    if step.return_:
        after |= returned
    return _Reads(frozenset(before), frozenset(after), _learns(dialog, step))


def _sets(dialog: Dialog, constant: Names) -> dict[str, dict[str, Names]]:
    """Return step -> name that it sets -> the names that its new value is made of."""
    return {
        step_name: {name: expression_names(text) - constant for name, text in step.set.items()}
        for step_name, step in dialog.steps.items()
    }


def _known_reads(dialog: Dialog, step: Step, returned: Names) -> _Reads:
    before = frozenset(name for say in prompts_of(step) for name in template_names(say.text))
    if step.fetch:
        fetch = step.fetch
        before |= frozenset(name for text in request_texts(fetch) for name in template_names(text))
    if step.llm:
        before |= template_names(step.llm.about)
    for name in step.fill:
        slot = dialog.file.slots.get(name)
        for say in (*slot.ask, *slot.help, *slot.noinput, *slot.nomatch, *slot.invalid) if slot else ():
            before |= template_names(say.text)
    if len(step.fill) > 1:
        before |= frozenset(step.fill)  # what is known is not asked again
    after: Names = template_names(step.transfer.summary) if step.transfer else NONE
    return _Reads(frozenset(before), frozenset(after - step.set.keys()), _learns(dialog, step))


def _learns(dialog: Dialog, step: Step) -> Names:
    """Return what a step is sure to have learnt when it goes on."""
    learnt = frozenset(step.set)
    for work in (step.fetch, step.hook, step.call):
        if work:
            learnt |= {"result", *work.keep}  # what a reply lacks is unknown from then on
    slot = dialog.file.slots.get(step.fill[0]) if len(step.fill) == 1 else None
    if slot and not (slot.optional or step.optional):
        learnt |= frozenset(step.fill)
    return learnt


def _backwards(
    dialog: Dialog, reads_of: Callable[[Step], _Reads], sets: Mapping[str, Mapping[str, Names]]
) -> dict[str, frozenset[Matter]]:
    """Return for each step what can be read from it on (a backward may-analysis).

    `sets`: what is set from a name counts as read only where the new value is read.
    """
    reads = {name: reads_of(step) for name, step in dialog.steps.items()}
    live: dict[str, frozenset[Matter]] = dict.fromkeys(dialog.steps, frozenset())
    anywhere = [command.goto for command in dialog.file.always.values() if command.goto]
    changed = True
    while changed:
        changed = False
        aside = _union(live, anywhere)
        for name, step in reversed(dialog.steps.items()):
            read = reads[name]
            after = dialog.step_after(name)
            leaves = [choice.goto for choice in step.choices.values() if choice.goto]
            leaves += [step.failed] if step.failed else []
            leaves += list(step.llm.tools) if step.llm else []
            onwards = _union(live, [*step.goto, *([after] if after else [])])
            found = read.before | aside | _union(live, leaves)
            wanted = read.after | onwards
            made = {name_of(matter) for matter in wanted}
            found |= {matter for matter in wanted if name_of(matter) not in read.learns}
            for target, names in sets.get(name, {}).items():
                found |= names if target in made else NONE
            if step.if_ and after:
                found |= live[after]
            if step.choices and step.fill:
                found |= onwards  # a choice may leave the slot as it was
            if found != live[name]:
                live[name] = frozenset(found)
                changed = True
    return live


def _union(live: Mapping[str, frozenset[Matter]], steps: list[str]) -> frozenset[Matter]:
    return frozenset[Matter]().union(*(live.get(step, frozenset()) for step in steps))


@lru_cache(maxsize=4096)
def places_from(dialog: Dialog, step: str) -> Names:
    """Return the places (`dialog/step`) that a call may come to after `step`, in included dialogs, too."""
    found: set[str] = set()
    todo = list(_onwards(dialog, step))
    seen: set[str] = set()
    while todo:
        name = todo.pop()
        if name in seen or name not in dialog.steps:
            continue
        seen.add(name)
        found.add(f"{dialog.name}/{name}")
        call = dialog.steps[name].call
        inner = dialog.included.get(call.dialog) if call else None
        if inner is not None:
            first = inner.first_step
            found |= {f"{inner.name}/{first}"} | places_from(inner, first)
        todo += _onwards(dialog, name)
    return frozenset(found)


def _onwards(dialog: Dialog, name: str) -> Iterator[str]:
    step = dialog.steps[name]
    yield from step.goto
    yield from (choice.goto for choice in step.choices.values() if choice.goto)
    yield from step.llm.tools if step.llm else ()
    yield from (command.goto for command in dialog.file.always.values() if command.goto)
    if step.failed:
        yield step.failed
    if after := dialog.step_after(name):
        yield after
