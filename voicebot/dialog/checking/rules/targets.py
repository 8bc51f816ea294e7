"""Names of steps, slots, values and hooks that are used must exist."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context, learns
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.flow import targets_of
from voicebot.dialog.checking.places import expressions, readable, referred, templates
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.dialog.model.step import Step


def targets(context: Context) -> Iterator[Finding]:
    """Steps that are gone to, slots that are filled, hooks that are run."""
    file = context.file
    for path, target in targets_of(file):
        if target not in file.steps:
            at_key = len(path) > 2 and path[-2] in ("goto", "tools")
            what = f"there is no step `{target}`"
            yield Finding(path, what, near_or_all(target, file.steps), "goto", at_key=at_key)
    for name, step in file.steps.items():
        for at, slot in enumerate(step.fill):
            yield from _slot(context, ("steps", name, "fill", at), slot)
        for at, slot in enumerate(step.llm.slots if step.llm else ()):
            yield from _slot(context, ("steps", name, "llm", "slots", at), slot)
        yield from _kept(context, name, step)
        hooks = context.surroundings.hooks
        if step.hook and hooks is not None and step.hook.name not in hooks:
            path = ("steps", name, "hook")
            what = f"the hook `{step.hook.name}` is not installed here"
            remedy = near_or_all(step.hook.name, hooks) or "install its package; see docs/dialogs.md"
            yield Finding(path, what, remedy, "hook", warning=True)


def _slot(context: Context, path: Path, slot: str) -> Iterator[Finding]:
    file = context.file
    if slot not in file.slots:
        what, remedy = f"there is no slot `{slot}`", near_or_all(slot, file.slots)
        if slot in file.values or slot in file.needs:
            group = "values" if slot in file.values else "needs"
            what, remedy = f"`{slot}` is no slot, it stands under `{group}`", "declare it under `slots`"
        yield Finding(path, what, remedy or f"declare it: `slots: {{{slot}: text}}`", "slot")


def _kept(context: Context, name: str, step: Step) -> Iterator[Finding]:
    """Values that a step computes or looks up must be declared."""
    file = context.file
    for key, names in (
        ("set", step.set),
        *((key, work.keep) for key in ("fetch", "hook", "call") if (work := getattr(step, key))),
    ):
        path: Path = ("steps", name, key) if key == "set" else ("steps", name, key, "keep")
        for variable in names:
            if variable in file.needs:
                what = f"`{variable}` is given from outside and cannot be set"
                yield Finding((*path, variable), what, "choose another name", "value", at_key=True)
            elif variable not in file.slots and variable not in file.values:
                near = near_or_all(variable, [*file.values, *file.slots])
                remedy = near if near.startswith("did") else f"declare it: `values: {{{variable}: text}}`"
                what = f"`{variable}` is not declared"
                yield Finding((*path, variable), what, remedy, "undeclared", at_key=True)


def values(context: Context) -> Iterator[Finding]:
    """Values that are said, compared, handed on or returned."""
    for path, text, _ in templates(context.file):
        for reference in referred(text):
            yield from _value(context, path, reference.name)
    for path, text, _ in expressions(context.file):
        expression = readable(text)
        for name in sorted(expression.names) if expression else ():
            yield from _value(context, path, name)
    for name, step in context.file.steps.items():
        for at, variable in enumerate(step.transfer.context if step.transfer else ()):
            yield from _value(context, ("steps", name, "transfer", "with", at), variable)
    for at, variable in enumerate(context.file.returns):
        yield from _value(context, ("returns", at), variable)
    yield from _unused(context)


def _value(context: Context, path: Path, name: str) -> Iterator[Finding]:
    file = context.file
    if not context.knows(name):
        if not _quoted_answer(context, path, name):
            remedy = near_or_all(name, context.names())
            if path[0] == "steps" and path[2] in ("set", "call", "hook") and not remedy.startswith("did"):
                remedy = f"for the text `{name}`, write quotes within quotes: \"'{name}'\""
            yield Finding(path, f"there is no value `{name}`", remedy, "value")
    elif name in file.slots and name not in context.learnt:
        yield Finding(path, f"slot `{name}` is never filled", f"a step needs `fill: {name}`", "value")
    elif name in file.values and name not in context.learnt:
        what = f"`{name}` is never computed"
        yield Finding(path, what, "a step needs `set` or `keep` for it, or it needs `start`", "value")
    elif name.startswith("env."):
        known = context.surroundings.environment
        if known is not None and name.removeprefix("env.") not in known:
            what = f"`{name}` may not be read here"
            remedy = f"add {name.removeprefix('env.')} to `env` under `[dialogs]` of the configuration"
            yield Finding(path, what, remedy, "environment", warning=True)


def _quoted_answer(context: Context, path: Path, name: str) -> bool:
    """Whether the name is an answer without quotes, which is told with its remedy elsewhere."""
    return any(name in choices for choices in context.choices.values()) or (
        path[0] == "steps" and name in context.file.steps[str(path[1])].choices
    )


def _unused(context: Context) -> Iterator[Finding]:
    file = context.file
    used = {reference.name for _, text, _ in templates(file) for reference in referred(text)}
    for _, text, _ in expressions(file):
        expression = readable(text)
        used |= expression.names if expression else set()
    used |= set(file.returns)
    for step in file.steps.values():
        used |= {*(step.transfer.context if step.transfer else ()), *(step.llm.slots if step.llm else ())}
    learnt = frozenset().union(*(learns(step) for step in file.steps.values()))
    for group, names, mine in (
        ("needs", file.needs, used),
        ("slots", file.slots, used | learnt),
        ("values", file.values, used | learnt),
    ):
        for name in names:
            if name not in mine:
                what = f"`{name}` is used nowhere"
                yield Finding((group, name), what, "use it, or take it away", "unused", True, at_key=True)
    called = {step.call.dialog for step in file.steps.values() if step.call}
    for name in file.include:
        if name not in called:
            what = f"no step calls `{name}`"
            yield Finding(("include", name), what, "call it, or take it away", "unused", True, at_key=True)
