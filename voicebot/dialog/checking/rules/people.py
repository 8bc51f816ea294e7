"""What callers are owed: sensitive values stay in the call; who is called learns by whom, and can say no.

And what they are not: no words of a caller decide which server is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import readable, referred, templates
from voicebot.dialog.expressions.nodes import Name
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.prompts import says_of
from voicebot.dialog.model.step import Step
from voicebot.dialog.speaking.prompts import sensitive_names

_OURSELVES = re.compile(r"https?://(localhost|127\.0\.0\.1|\[::1\])([:/]|$)|https://|\{env\.")
"""Addresses that may be given sensitive values: encrypted, on this machine, or the operator's own."""

_SERVER = re.compile(r"(?:https?://)?((?:\{env\.\w+\}|[^/?#])*)", re.IGNORECASE)
"""What comes before the path of an address."""
_OPERATORS = re.compile(r"\{env\.\w+\}")

_INTRODUCES = {
    "en": (
        "this is",
        "here is",
        "my name is",
        "i am",
        "i'm",
        "calling",
        "on behalf",
        "assistant",
        "speaking",
    ),
    "ko": ("입니다", "이에요", "예요", "에서", "전화드"),
}
"""What those say who tell who they are."""
_SHORT = 4
"""Digits that may be said of a sensitive value: the last four."""


def people(context: Context) -> Iterator[Finding]:
    yield from _outbound(context)
    yield from _servers(context)
    hidden = sensitive_names(context.dialog)
    if hidden:
        yield from _templates(context, hidden)
        for name, step in context.file.steps.items():
            yield from _handed_on(context, name, step, hidden)


def _servers(context: Context) -> Iterator[Finding]:
    """Only the operator's `env` may stand where an address names the server."""
    for name, step in context.file.steps.items():
        if step.fetch is None:
            continue
        url = step.fetch.url.strip()
        path: Path = ("steps", name, "fetch", step.fetch.method)
        server = _SERVER.match(url)
        if server is not None and "{" in _OPERATORS.sub("", server[1]):
            what = "a value decides which server is asked"
            remedy = "write the server out, or as {env.NAME}, and put a / before the first value"
            yield Finding(path, what, remedy, "template")


def _templates(context: Context, hidden: frozenset[str]) -> Iterator[Finding]:
    file = context.file
    for path, text, use in templates(file):
        for reference in referred(text):
            name = reference.name
            if name not in hidden:
                continue
            slot = file.slots.get(name)
            if use == "say" and slot is not None and slot.digits_range[1] > _SHORT:
                what = f"says `{name}` aloud, which is sensitive"
                remedy = f"say only its end: `set: {{{name}_end: last({name}, 4)}}`"
                yield Finding(path, what, remedy, "sensitive", warning=True)
            elif use == "url":
                what = f"`{name}` is sensitive, and addresses are written to logs on their way"
                yield Finding(path, what, "send it by `post` in `json`", "sensitive", warning=True)
            elif use in ("body", "header") and not _safe(context, path):
                what = f"`{name}` is sensitive, and the address is not https"
                yield Finding(path, what, "begin the address with https://", "sensitive", warning=True)
            elif use == "llm":
                what = f"`{name}` is sensitive, and a language model would read it"
                yield Finding(path, what, "leave it out", "sensitive", warning=True)
            elif use == "summary":
                what = f"`{name}` is sensitive, and the summary is kept by Asterisk"
                yield Finding(path, what, "leave it out", "sensitive", warning=True)


def _safe(context: Context, path: Path) -> bool:
    fetch = context.file.steps[str(path[1])].fetch
    return fetch is None or bool(_OURSELVES.match(fetch.url))


def _handed_on(context: Context, name: str, step: Step, hidden: frozenset[str]) -> Iterator[Finding]:
    path: Path = ("steps", name)
    for at, value in enumerate(step.transfer.context if step.transfer else ()):
        if value in hidden:
            what = f"`{value}` is sensitive, and goes along with the transfer"
            remedy = "leave it out; Asterisk shows and logs such values"
            yield Finding((*path, "transfer", "with", at), what, remedy, "sensitive", warning=True)
    for at, value in enumerate(step.llm.slots if step.llm else ()):
        if value in hidden:
            what = f"`{value}` is sensitive, and a language model would hear it"
            yield Finding((*path, "llm", "slots", at), what, "ask for it", "sensitive", warning=True)
    for value, text in step.set.items():
        expression = readable(text)
        copied = expression.node.name if expression and isinstance(expression.node, Name) else ""
        if copied in hidden and value not in hidden:
            what = f"`{value}` would hold `{copied}`, which is sensitive"
            yield Finding((*path, "set", value), what, _declare(value), "sensitive", warning=True)
    if step.call is not None and step.call.dialog in context.dialog.included:
        inner = Context(context.dialog.included[step.call.dialog])
        theirs = sensitive_names(inner.dialog)
        for value, returned in step.call.keep.items():
            if returned in theirs and value not in hidden:
                what = f"`{value}` would hold `{returned}` of `{step.call.dialog}`, which is sensitive"
                place = (*path, "call", "keep", value)
                yield Finding(place, what, _declare(value), "sensitive", warning=True)
        for argument, text in step.call.arguments.items():
            expression = readable(text)
            given = expression.node.name if expression and isinstance(expression.node, Name) else ""
            if given in hidden and argument in inner.file.needs and argument not in theirs:
                what = f"`{given}` is sensitive, and `{argument}` of `{step.call.dialog}` is not"
                remedy = "declare it sensitive there"
                yield Finding((*path, "call", "with", argument), what, remedy, "sensitive", warning=True)


def _declare(value: str) -> str:
    return f"declare `{value}: {{type: ..., sensitive: true}}`"


def _outbound(context: Context) -> Iterator[Finding]:
    file = context.file
    if not file.outbound:
        return
    if (command := file.always.get("opt_out")) is not None and command.off:
        what = "who is called cannot say that they want no more calls"
        yield Finding(("always", "opt_out", "off"), what, "take `off` away", "outbound", warning=True)
    spoken = _first_words(context)
    marks = _INTRODUCES.get(lexicon_of(file.language).language)
    if spoken is not None and marks is not None:
        path, text = spoken
        if not any(mark in text.lower() for mark in marks):
            what = "the first words do not tell who is calling"
            remedy = "begin with it: Hello, this is the assistant of ..."
            yield Finding(path, what, remedy, "outbound", warning=True)


def _first_words(context: Context) -> tuple[Path, str] | None:
    """All that is said up to the first question; None where another dialog begins the conversation."""
    first: Path | None = None
    words = []
    for name, step in context.file.steps.items():
        if step.call or step.llm:
            return None
        for path, say in says_of(name, step):
            if path[2] in ("say", "ask"):
                first = first or path
                words += [piece.text for piece in say.pieces]
        if step.ask or step.record or step.leaves or step.goto:
            break
    return (first, " ".join(words)) if first else None
