"""Prompt texts with values: `You come on {appointment|date} at {appointment|time}.`

`{name}` or `{name|filter}`; `{{` and `}}` are braces. Filters say a value for the ear. Nothing here can fail
in a call: an unknown value is said as nothing, and a value that a filter cannot read is said as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from voicebot.dialog.language.dates import ISO_WEEKDAYS, say_date, say_time, weekday_names
from voicebot.dialog.language.languages import lexicon_of

LONGEST_RENDERED = 4000
"""Characters of a rendered prompt; more is cut."""

_PART = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_REFERENCE = re.compile(r"\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?:\|\s*([a-z_]+)\s*)?")


class TemplateError(ValueError):
    """The text has braces that are no reference."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A value to be said, through a filter ("" for none)."""

    name: str
    filter: str = ""


@lru_cache(maxsize=4096)
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
        elif found[1] is not None and (reference := _REFERENCE.fullmatch(found[1])):
            name, filter_ = reference[1], reference[2] or ""
            if filter_ and filter_ not in FILTERS:
                raise TemplateError(f"there is no filter `{filter_}`; there are {', '.join(FILTERS)}")
            parts.append(Reference(name, filter_))
        else:
            raise TemplateError(
                f"`{found[0]}` is no value; write {{name}} or {{name|filter}}, and {{{{ for a brace"
            )
    if at < len(text):
        parts.append(text[at:])
    return tuple(parts)


def references(text: str) -> tuple[Reference, ...]:
    """Return the references of `text`. Raises TemplateError."""
    return tuple(part for part in parse_template(text) if isinstance(part, Reference))


def render(text: str, values: Mapping[str, object], language: str) -> str:
    """Say `text` with `values`."""
    parts = [
        part if isinstance(part, str) else say_value(values.get(part.name), part.filter, language)
        for part in parse_template(text)
    ]
    return " ".join("".join(parts).split())[:LONGEST_RENDERED]


def say_value(value: object, filter_: str, language: str) -> str:
    """Say one value."""
    if value is None:
        return ""
    if filter_:
        return FILTERS[filter_](value, language)
    if isinstance(value, bool):
        lexicon = lexicon_of(language)
        return (lexicon.yes if value else lexicon.no)[0]
    if isinstance(value, datetime):
        return f"{_date(value, language)} {_time(value, language)}"
    if isinstance(value, date):
        return _date(value, language)
    return str(value)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time())
    try:
        return datetime.fromisoformat(str(value).strip())
    except ValueError:
        return None


def _date(value: object, language: str) -> str:
    moment = _moment(value)
    return say_date(moment, language) if moment else str(value)


def _time(value: object, language: str) -> str:
    moment: datetime | time | None = _moment(value)
    if moment is None:
        try:
            moment = time.fromisoformat(str(value).strip())
        except ValueError:
            return str(value)
    return say_time(moment, language)


def _digits(value: object, language: str) -> str:
    """One by one, so that 4271 is not said as a sum; a leading + is left out."""
    return ", ".join(character for character in str(value) if character.isalnum())


def _spell(value: object, language: str) -> str:
    return ", ".join(character.upper() for character in str(value) if character.isalnum())


def _weekday(value: object, language: str) -> str:
    """Say the value of a `weekday` slot, or the day of a date, as the language does."""
    name = str(value)
    if name not in ISO_WEEKDAYS:
        moment = _moment(value)
        if moment is None:
            return name
        name = ISO_WEEKDAYS[moment.weekday()]
    return weekday_names(language)[name]


FILTERS: dict[str, Callable[[object, str], str]] = {
    "date": _date,
    "time": _time,
    "weekday": _weekday,
    "digits": _digits,
    "spell": _spell,
}
"""Filters of `{name|filter}`: value and language -> words."""
