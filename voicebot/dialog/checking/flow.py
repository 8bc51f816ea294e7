"""A dialog as a graph of steps: where a step may lead, and which values may be unknown on the way."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.model.dialog import DialogFile, Step

Path = tuple[str | int, ...]


def edges(file: DialogFile) -> Iterator[tuple[Path, str]]:
    """Yield every target that the file names, with its place."""
    for name, command in file.always.items():
        if command.goto:
            yield ("always", name, "goto"), command.goto
    for name, step in file.steps.items():
        for target in step.goto:
            yield ("steps", name, "goto", target), target
        for meaning, choice in step.choices.items():
            if choice.goto:
                yield ("steps", name, "choices", meaning, "goto"), choice.goto
        if step.failed:
            yield ("steps", name, "failed"), step.failed


def fills(step: Step) -> tuple[str, ...]:
    """Return the values that a step may learn or compute."""
    return (*step.fill, *step.set)


def successors(file: DialogFile, name: str, *, interrupted: bool) -> list[str]:
    """Return where `name` may lead; with `interrupted` also by commands and failure, learning nothing."""
    step = file.steps[name]
    targets = [choice.goto for choice in step.choices.values() if choice.goto]
    if interrupted and step.ask:
        targets += [command.goto for command in file.always.values() if command.goto]
        targets += [step.failed] if step.failed else []
    targets += step.goto
    leaves = bool(step.leaves) or "else" in step.goto.values()
    only_choices = bool(step.choices) and not step.fill and all(c.goto for c in step.choices.values())
    if step.if_ or not (leaves or only_choices):
        following = _after(file, name)
        targets += [following] if following else []
    return [target for target in dict.fromkeys(targets) if target in file.steps]


def _after(file: DialogFile, name: str) -> str | None:
    names = list(file.steps)
    at = names.index(name) + 1
    return names[at] if at < len(names) else None


def reachable(file: DialogFile) -> frozenset[str]:
    """Return the steps that a call may come to."""
    found: set[str] = set()
    todo = [next(iter(file.steps))]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += successors(file, name, interrupted=True)
    return frozenset(found)


def ways_out(file: DialogFile) -> frozenset[str]:
    """Return the steps from which an `end` or a `transfer` can be reached by answers."""
    out = {name for name, step in file.steps.items() if step.leaves}
    changed = True
    while changed:
        more = {
            name
            for name in file.steps
            if name not in out and any(t in out for t in successors(file, name, interrupted=False))
        }
        changed = bool(more)
        out |= more
    return frozenset(out)


def unknown_at(file: DialogFile) -> dict[str, frozenset[str]]:
    """Return for each step the values that some way to it has not learnt (a forward must-analysis)."""
    everything = frozenset(name for step in file.steps.values() for name in fills(step))
    first = next(iter(file.steps))
    known: dict[str, frozenset[str]] = {first: frozenset()}
    todo = [first]
    while todo:
        name = todo.pop()
        step = file.steps[name]
        before = known[name]
        asked = successors(file, name, interrupted=True)
        answered = set(successors(file, name, interrupted=False))
        diverted = {choice.goto for choice in step.choices.values() if choice.goto}
        for target in asked:
            learnt = before
            if target in answered and target not in diverted and not step.if_:
                learnt = before | frozenset(fills(step))
            merged = learnt if target not in known else known[target] & learnt
            if merged != known.get(target):
                known[target] = merged
                todo.append(target)
    return {name: everything - values for name, values in known.items()}
