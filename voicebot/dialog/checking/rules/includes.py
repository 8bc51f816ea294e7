"""Calls of included dialogs must fit what these need, return, and come back with."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context, words_of
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import readable
from voicebot.dialog.checking.rules.types import compared_results, misfit
from voicebot.dialog.checking.suggest import near_or_all
from voicebot.dialog.expressions.typecheck import basic_type
from voicebot.dialog.model.actions import Call
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.step import Step

FINE = range(200, 300)
"""HTTP statuses that are answers by themselves."""


def includes(context: Context) -> Iterator[Finding]:
    file = context.file
    for name, step in file.steps.items():
        if step.call is not None:
            yield from _call(context, name, step, step.call)
        elif step.fetch is not None:
            yield from _statuses(context, name, step)
    filled = {
        name for step in file.steps.values() for name in (*step.fill, *(step.llm.slots if step.llm else ()))
    }
    for at, name in enumerate(file.returns):
        if name in file.needs and name not in filled:
            what = f"`{name}` is given by the caller of this dialog, and learnt nowhere"
            yield Finding(("returns", at), what, "return what it learns", "value", warning=True)


def _call(context: Context, name: str, step: Step, call: Call) -> Iterator[Finding]:
    file, path = context.file, ("steps", name, "call")
    if call.dialog not in file.include:
        remedy = near_or_all(call.dialog, file.include)
        remedy = remedy or f"write `include: {{{call.dialog}: lib/{call.dialog}.yaml}}` at the top"
        place: Path = (*path, "dialog")
        yield Finding(place, f"no dialog is included as `{call.dialog}`", remedy, "include")
        return
    inner = context.dialog.included.get(call.dialog)
    if inner is None:
        return  # its own faults are told
    needs = inner.file.needs
    for argument, text in call.arguments.items():
        place = (*path, "with", argument)
        if argument not in needs:
            what = f"`{call.dialog}` needs no `{argument}`"
            remedy = near_or_all(argument, needs) or "take it away"
            yield Finding(place, what, remedy, "include", at_key=True)
            continue
        yield from misfit(context, place, text, argument, needs[argument].type, step)
    missing = [need for need, declared in needs.items() if declared.default is None]
    for need in missing:
        if need not in call.arguments:
            what = f"`{call.dialog}` needs `{need}` ({needs[need].type})"
            remedy = f"give it: `with: {{{need}: ...}}`"
            yield Finding(path, what, remedy, "include", at_key=True)
    yield from _kept(context, (*path, "keep"), call, inner)
    yield from _results(context, name, step, words_of(inner))


def _kept(context: Context, path: Path, call: Call, inner: Dialog) -> Iterator[Finding]:
    types = Context(inner).types
    for mine, theirs in call.keep.items():
        if theirs not in inner.file.returns:
            what = f"`{call.dialog}` returns no `{theirs}`"
            remedy = near_or_all(theirs, inner.file.returns) or "it returns nothing"
            yield Finding((*path, mine), what, remedy, "include")
        elif mine in context.types:
            wanted, given = context.types[mine], types.get(theirs, "any")
            if basic_type(wanted) != basic_type(given) and "any" not in map(basic_type, (wanted, given)):
                what = f"`{mine}` is declared as {wanted}, but `{theirs}` is {given}"
                yield Finding((*path, mine), what, f"declare `{mine}: {given}`", "type", at_key=True)


def _results(context: Context, name: str, step: Step, words: frozenset[str]) -> Iterator[Finding]:
    for target, condition in step.goto.items():
        expression = readable(condition)
        for word in compared_results(expression) if expression else ():
            if word not in words:
                what = f"`{step.call.dialog if step.call else ''}` never returns `{word}`"
                path: Path = ("steps", name, "goto", target)
                yield Finding(path, what, near_or_all(word, sorted(words)), "result")


def _statuses(context: Context, name: str, step: Step) -> Iterator[Finding]:
    """A status is an answer where it is fine, or accepted; others go to `failed`."""
    accepted = step.fetch.accept if step.fetch else ()
    for target, condition in step.goto.items():
        expression = readable(condition)
        for status in compared_results(expression) if expression else ():
            if status.isdecimal() and int(status) not in FINE and int(status) not in accepted:
                what = f"status {status} is a failure here, so `result` is never {status}"
                path: Path = ("steps", name, "goto", target)
                yield Finding(path, what, f"write `accept: [{status}]` in the fetch", "result")
