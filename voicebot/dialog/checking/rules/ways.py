"""Ways through a dialog: dead ends, circles, steps that nothing leads to, values that are not known yet."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.flow import Flow
from voicebot.dialog.checking.implied import implied
from voicebot.dialog.checking.places import readable, referred, templates
from voicebot.dialog.model.dialog import DialogFile, Say
from voicebot.dialog.model.prompts import SLOT_SAYS, says_of
from voicebot.dialog.model.step import Step

_LONGEST_CIRCLE_TOLD = 6


def ways(context: Context) -> Iterator[Finding]:
    """Only for dialogs whose names are all right."""
    flow = Flow(context)
    yield from _ends(context, flow)
    yield from _circles(context.file, flow)
    yield from _unknown(context, flow)


def _ends(context: Context, flow: Flow) -> Iterator[Finding]:
    file = context.file
    last = list(file.steps)[-1]
    called = context.surroundings.included or file.returns or any(s.return_ for s in file.steps.values())
    if flow.runs_out(last) and last in flow.reached and not called:
        what = f"the last step, `{last}`, leads nowhere"
        yield Finding(("steps", last), what, "give it `end` or `goto`", "end", at_key=True)
    for name in file.steps:
        if name not in flow.reached:
            what = f"no step leads to `{name}`"
            remedy = "lead to it by `goto` or `failed`, or take it away"
            yield Finding(("steps", name), what, remedy, "unreachable", warning=True, at_key=True)
        elif name not in flow.ways_out:
            what = f"from `{name}` no way leads to an `end` or a `transfer`"
            yield Finding(("steps", name), what, "let a step end the call", "no-way-out", at_key=True)


def _hears(step: Step) -> bool:
    """Whether the caller can do something here."""
    return bool(step.ask or step.record or step.llm or step.call)


def _circles(file: DialogFile, flow: Flow) -> Iterator[Finding]:
    """Circles of steps in which the caller is not listened to."""
    for circle in _silent_circles(file, flow):
        steps = [file.steps[name] for name in circle]
        if any(step.set for step in steps) or not set(circle) <= flow.ways_out:
            continue  # it counts, and so comes to an end; or is told as having no way out
        shown = " -> ".join(f"`{name}`" for name in (*circle[:_LONGEST_CIRCLE_TOLD], circle[0]))
        looks_up = any(step.fetch or step.hook for step in steps)
        what = f"{shown} may go round and round without listening"
        remedy = "count with `set: {tries: tries + 1}` and leave by `goto`, or ask the caller"
        yield Finding(("steps", circle[0]), what, remedy, "loop", warning=looks_up, at_key=True)


def _silent_circles(file: DialogFile, flow: Flow) -> Iterator[list[str]]:
    """Yield each group of steps that lead to each other without listening, in the order of the file."""
    silent = [name for name, step in file.steps.items() if not _hears(step) and name in flow.reached]
    inside = set(silent)
    after = {name: [e.target for e in flow.edges[name] if e.target in inside] for name in silent}
    for group in _connected(silent, after):
        if len(group) > 1 or group[0] in after[group[0]]:
            yield sorted(group, key=silent.index)


def _connected(names: list[str], after: dict[str, list[str]]) -> list[list[str]]:
    """Return the strongly connected components (Tarjan's algorithm, without recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    found: list[list[str]] = []
    for root in names:
        todo = [(root, iter(after[root]))] if root not in index else []
        while todo:
            name, targets = todo[-1]
            if name not in index:
                index[name] = low[name] = len(index)
                stack.append(name)
                on_stack.add(name)
            for target in targets:
                if target not in index:
                    todo.append((target, iter(after[target])))
                    break
                if target in on_stack:
                    low[name] = min(low[name], index[target])
            else:
                todo.pop()
                if todo:
                    low[todo[-1][0]] = min(low[todo[-1][0]], low[name])
                if low[name] == index[name]:
                    at = stack.index(name)
                    found.append(stack[at:])
                    on_stack.difference_update(stack[at:])
                    del stack[at:]
    return found


def _unknown(context: Context, flow: Flow) -> Iterator[Finding]:
    """Values that are said where some way to the step has not learnt them."""
    file = context.file
    addresses: dict[str, list[tuple[Path, str]]] = {}
    for path, text, use in templates(file):
        if use == "url" and path[3] != "query":  # an empty parameter is a usual one
            found = [(path, r.name) for r in referred(text) if not r.otherwise]
            addresses.setdefault(str(path[1]), []).extend(found)
    for name, step in file.steps.items():
        if name not in flow.known:
            continue
        guard = readable(step.if_) if step.if_ else None
        known = flow.known[name] | (implied(guard.node, True) if guard else frozenset())
        seen: set[str] = set()
        for path, value in addresses.get(name, ()):
            if value not in known and _can_be_unknown(file, value):
                what = f"`{value}` may not be known yet in the address that `{name}` asks"
                remedy = f"ask for it before, or pass over the step with `if: {value} != unknown`"
                yield Finding(path, what, remedy, "unknown", warning=True)
        prompts = [(path, say, known) for path, say in says_of(name, step) if path[2] != "invalid"]
        prompts += [(path, say, known) for path, say in _slot_prompts(file, step)]
        for path, say, before in prompts:
            for value in _values_said(say):
                if value in before or value in seen or not _can_be_unknown(file, value):
                    continue
                if path[0] == "slots" and value in step.fill:
                    continue
                seen.add(value)
                what = f"`{value}` may not be known yet in `{name}`"
                remedy = f"ask for it before, write {{{value}|else:other words}}, or `if: {value} != unknown`"
                if value in step.set and path[2] == "say":
                    remedy = "a step speaks first and computes then: `set` it in a step before"
                yield Finding(path, what, remedy, "unknown", warning=True)


def _slot_prompts(file: DialogFile, step: Step) -> Iterator[tuple[tuple[str | int, ...], Say]]:
    for slot in step.fill:
        for key in SLOT_SAYS if slot in file.slots else ():
            for at, say in enumerate(getattr(file.slots[slot], key)):
                yield ("slots", slot, key, at), say


def _values_said(say: Say) -> Iterator[str]:
    for piece in say.pieces:
        for reference in referred(piece.text):
            if not reference.otherwise:
                yield reference.name


def _can_be_unknown(file: DialogFile, name: str) -> bool:
    """What is given (needs, the call, the clock, the environment) is there."""
    return name in file.slots or name in file.values
