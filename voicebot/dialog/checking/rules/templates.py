"""Texts with values in braces: their form, the filter that fits, and braces that other tools write twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding
from voicebot.dialog.checking.places import templates
from voicebot.dialog.checking.suggest import near
from voicebot.dialog.speaking.spoken import FILTERS
from voicebot.dialog.speaking.templates import Reference, TemplateError, references

_FORM = "write {name} or {name|filter}; {{ is a brace"
_FILTER = re.compile(r"there is no filter `(\w+)`")
_OPEN = re.compile(r"\{([^{}]*)(?:\{|$)")
_TWICE = re.compile(r"\{\{\s*([A-Za-z_][\w.]*)\s*(?:\|[^{}]*)?\}\}")
_NO_COLON = re.compile(r"\{(\s*[\w.]+\s*\|\s*else)\s+([^{}]+)\}")

_MOMENTS = frozenset(("date", "time", "datetime"))
_NUMBERS = frozenset(("number", "money", "yes_no"))
_WORDS = frozenset(("name", "email", "phone", "weekday", "choice", "recording"))
_UNFIT = {
    **dict.fromkeys(("date", "day", "datetime"), _NUMBERS | _WORDS | {"time"}),
    "weekday": _NUMBERS | _WORDS - {"weekday"} | {"time"},
    "time": _NUMBERS | _WORDS | {"date"},
    **dict.fromkeys(("money", "number", "count", "ordinal"), _MOMENTS | _WORDS | {"yes_no"}),
    "phone": _MOMENTS | _NUMBERS - {"number"} | _WORDS - {"phone"},
    "email": _MOMENTS | _NUMBERS | _WORDS - {"email"},
}
"""Filter -> types of which it cannot say anything in its way."""


def templated(context: Context) -> Iterator[Finding]:
    for path, text, _ in templates(context.file):
        try:
            found = references(text)
        except TemplateError as error:
            what, remedy = _explained(text, error)
            yield Finding(path, what, remedy, "template")
            continue
        for reference in found:
            kind = context.types.get(reference.name, "")
            if kind in _UNFIT.get(reference.filter, ()):
                what = f"`{reference.name}` is of type {kind}, which `{reference.filter}` cannot say"
                yield Finding(path, what, _instead(reference), "type", warning=True)
        for twice in _TWICE.finditer(text):
            if context.knows(twice[1]):
                what = f"`{twice[0]}` is said as it stands, braces and all"
                remedy = f"write {{{twice[1]}}} for the value"
                yield Finding(path, what, remedy, "template", warning=True)


def _explained(text: str, error: TemplateError) -> tuple[str, str]:
    what = str(error)
    if named := _FILTER.match(what):
        return what.partition(";")[0], near(named[1], FILTERS) or f"there are {', '.join(FILTERS)}"
    at = error.column - 1
    if (begun := _OPEN.match(text, at)) and begun[1].strip():
        word = begun[1].split()[0].rstrip(".,;:!?")
        return f"the brace before `{word}` is not closed", f"write {{{word}}}; {{{{ is a brace"
    if other := _NO_COLON.match(text, at):
        return f"`{other[0]}` lacks a colon after `else`", f"write {{{other[1].strip()}:{other[2].strip()}}}"
    return what.partition(";")[0], _FORM


def _instead(reference: Reference) -> str:
    return f"write {{{reference.name}}}, which is said as its type is"
