"""Prompt texts with values: `You come on {appointment|date} at {appointment|time}.`

`{name}`, `{name|filter}` or `{name|filter:argument}`, and with `|else:words` what is said where it is
unknown; `{{` and `}}` are braces. Without a filter a value is said as its declared type is said. Nothing here
can fail in a call: an unknown value is else said as nothing, and a value that a filter cannot read as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from voicebot.dialog.speaking.spoken import ARGUMENTS, FILTERS, TypeHint, say_value
from voicebot.speech.characters import without_controls

__all__ = [
    "FILTERS",
    "LONGEST_RENDERED",
    "Reference",
    "TemplateError",
    "TypeHint",
    "parse_template",
    "references",
    "render",
    "say_value",
]

LONGEST_RENDERED = 4000
"""Characters of a rendered prompt; more is cut."""

NOW = "now"
"""The name under which the values of a run hold the time of the call."""

_MOST_REMEMBERED = 8192
_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_REFERENCE = re.compile(
    r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?:\|\s*(?!else\s*:)([a-z_]+)\s*(?::\s*([A-Za-z_]+)\s*)?)?"
    r"(?:\|\s*else\s*:\s*([^|]*?)\s*)?"
)


class TemplateError(ValueError):
    """The text has braces that are no reference; `column` counts from 1 within it."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Reference:
    """A value to be said, through a filter ("" for none); `otherwise` where it is unknown."""

    name: str
    filter: str = ""
    argument: str = ""
    otherwise: str = ""


@lru_cache(maxsize=_MOST_REMEMBERED)
def parse_template(text: str) -> tuple[str | Reference, ...]:
    """Split `text` into words and references. Raises TemplateError."""
    parts: list[str | Reference] = []
    at = 0
    for found in _PART.finditer(text):
        if found.start() > at:
            parts.append(text[at : found.start()])
        at = found.end()
        if found[0] in ("{{", "}}"):
            parts.append(found[0][0])
        else:
            parts.append(_reference(found))
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def _reference(found: re.Match[str]) -> Reference:
    column = found.start() + 1
    read = None if found[1] is None else _REFERENCE.fullmatch(found[1])
    if read is None:
        what = f"`{found[0]}` is no value; write {{name}} or {{name|filter}}, and {{{{ for a brace"
        raise TemplateError(what, column)
    name, filter_, argument = read[1], read[2] or "", read[3] or ""
    if filter_ and filter_ not in FILTERS:
        raise TemplateError(f"there is no filter `{filter_}`; there are {', '.join(FILTERS)}", column)
    if argument:
        form, example = ARGUMENTS.get(filter_, (None, ""))
        if form is None:
            raise TemplateError(f"`{filter_}` takes nothing after it", column)
        if not form.fullmatch(argument):
            raise TemplateError(f"`{filter_}` takes {example}, not `{argument}`", column)
    return Reference(name, filter_, argument, read[4] or "")


def references(text: str) -> tuple[Reference, ...]:
    """Return the references of `text`. Raises TemplateError."""
    return tuple(part for part in parse_template(text) if isinstance(part, Reference))


def render(
    text: str, values: Mapping[str, object], language: str, types: Mapping[str, TypeHint] | None = None
) -> str:
    """Say `text` with `values`. `types` are the declared types of names, for references without a filter.

    `values["now"]`, if there, is what "tomorrow" is seen from. Raises TemplateError only.
    """
    prepared = _prepared(text)
    if isinstance(prepared, str):
        return prepared
    said = []
    for part in prepared:
        if isinstance(part, str):
            said.append(part)
            continue
        value = values.get(part.name)
        if value is None:
            said.append(part.otherwise)
            continue
        hint = types.get(part.name, "") if types else ""
        if type(value) is str and not (part.filter or hint):
            said.append(value)
        else:
            said.append(
                say_value(
                    value, part.filter, language, argument=part.argument, hint=hint, now=values.get(NOW)
                )
            )
    return _tidy("".join(said))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _prepared(text: str) -> str | tuple[str | Reference, ...]:
    """What never varies is put together once."""
    parts = parse_template(text)
    fixed = [part for part in parts if isinstance(part, str)]
    return _tidy("".join(fixed)) if len(fixed) == len(parts) else parts


def _tidy(text: str) -> str:
    return " ".join(without_controls(text).split())[:LONGEST_RENDERED]
