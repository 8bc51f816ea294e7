"""Where in a dialog something of one kind stands: prompts, templates, expressions, phrases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from voicebot.dialog.checking.finding import Path
from voicebot.dialog.expressions.expressions import Expression, ExpressionError, parse_expression
from voicebot.dialog.model.dialog import DialogFile
from voicebot.dialog.model.prompts import says
from voicebot.dialog.speaking.templates import Reference, TemplateError, references

WAV_NAME = re.compile(r"([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*\.wav")
"""A wav file beside a dialog, or below it."""


class Template(NamedTuple):
    """A text with values in braces, where it stands, and what becomes of it.

    use:  `say`, `url`, `body`, `header`, `llm` or `summary`
    """

    path: Path
    text: str
    use: str


class Written(NamedTuple):
    """An expression and where it stands; `step` is "" for one of a slot."""

    path: Path
    text: str
    step: str


def templates(file: DialogFile) -> Iterator[Template]:
    """Yield every text that may hold values."""
    for place, say in says(file):
        if say.text:
            yield Template((*place, "text"), say.text, "say")
    for name, step in file.steps.items():
        path: Path = ("steps", name)
        if (fetch := step.fetch) is not None:
            yield Template((*path, "fetch", fetch.method), fetch.url, "url")
            for key, text in fetch.query.items():
                yield Template((*path, "fetch", "query", key), text, "url")
            for key, text in fetch.headers.items():
                yield Template((*path, "fetch", "headers", key), text, "header")
            for key, text in fetch.form.items():
                yield Template((*path, "fetch", "form", key), text, "body")
            yield from _json((*path, "fetch", "json"), fetch.json_)
        if step.llm is not None:
            yield Template((*path, "llm", "about"), step.llm.about, "llm")
            for key, text in step.llm.tools.items():
                yield Template((*path, "llm", "tools", key), text, "llm")
        if step.transfer is not None and step.transfer.summary:
            yield Template((*path, "transfer", "summary"), step.transfer.summary, "summary")


def _json(path: Path, value: Any) -> Iterator[Template]:
    if isinstance(value, str):
        yield Template(path, value, "body")
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _json((*path, key), inner)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _json((*path, at), inner)


def expressions(file: DialogFile) -> Iterator[Written]:
    """Yield every condition and computed value, `else` left out."""
    for name, slot in file.slots.items():
        if slot.valid:
            yield Written(("slots", name, "valid"), slot.valid, "")
    for name, step in file.steps.items():
        path: Path = ("steps", name)
        if step.if_:
            yield Written((*path, "if"), step.if_, name)
        for target, condition in step.goto.items():
            if condition.strip() != "else":
                yield Written((*path, "goto", target), condition, name)
        for variable, text in step.set.items():
            yield Written((*path, "set", variable), text, name)
        for key in ("call", "hook"):
            work = getattr(step, key)
            for argument, text in work.arguments.items() if work is not None else ():
                yield Written((*path, key, "with", argument), text, name)
        if step.transfer is not None and step.transfer.priority is not None:
            yield Written((*path, "transfer", "priority"), step.transfer.priority, name)


def readable(text: str) -> Expression | None:
    """Return the expression, or None where it is none, which is told elsewhere."""
    try:
        return parse_expression(text)
    except ExpressionError:
        return None


def referred(text: str) -> tuple[Reference, ...]:
    """Return the values in a text; none where it cannot be read, which is told elsewhere."""
    try:
        return references(text)
    except TemplateError:
        return ()


def phrases(file: DialogFile) -> Iterator[tuple[Path, str]]:
    """Yield what an author wrote for callers to say, names that are heard included."""
    for name, command in file.always.items():
        yield from _listed(("always", name, "hear"), command.hear)
    for name, slot in file.slots.items():
        yield from _listed(("slots", name, "called"), slot.called)
        yield from _choices(("slots", name, "choices"), slot.choices)
    for name, step in file.steps.items():
        yield from _choices(("steps", name, "choices"), step.choices)


def _choices(path: Path, choices: Any) -> Iterator[tuple[Path, str]]:
    for meaning, choice in choices.items():
        yield from _listed((*path, meaning, "hear"), choice.hear)
        yield from _listed((*path, meaning, "examples"), choice.examples)
        if not choice.hear and not choice.examples and meaning not in ("yes", "no"):
            yield (*path, meaning), meaning.replace("_", " ")


def _listed(path: Path, words: tuple[str, ...]) -> Iterator[tuple[Path, str]]:
    for at, phrase in enumerate(words):
        yield (*path, at), phrase
