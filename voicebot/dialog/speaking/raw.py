"""Values as machines read them: in addresses, headers and bodies of HTTP requests.

The same `{name}` as in prompts, filled with ISO 8601, plain figures, `true` and `false`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from babel.numbers import format_currency

from voicebot.dialog.expressions.values import as_text, closed
from voicebot.dialog.language.dates import locale_of
from voicebot.dialog.speaking.spoken import moment_of
from voicebot.dialog.speaking.templates import Reference, TypeHint, parse_template

Json = bool | int | float | str | None | list["Json"]

LONGEST_FILLED = 16_000
"""Characters of a filled text; more are cut."""

RAW_FILTERS = ("date", "time")
"""Filters that mean something to a machine: the day or the time of day of a datetime."""


def fill_in(text: str, values: Mapping[str, object], *, quote: Callable[[str], str] | None = None) -> str:
    """Return `text` with values in it, each passed through `quote` (of a URL, for example).

    What is unknown is empty; a list is its members with commas. Raises TemplateError only.
    """
    filled = []
    for part in parse_template(text):
        if isinstance(part, str):
            filled.append(part)
        else:
            raw = _raw_text(_value(part, values))
            filled.append(quote(raw) if quote else raw)
    return "".join(filled)[:LONGEST_FILLED]


def fill_in_value(text: str, values: Mapping[str, object]) -> Json:
    """Return the value itself, as JSON has it, where the whole text is one reference: `{attending}`.

    Anything else is filled in as a text. Raises TemplateError only.
    """
    parts = parse_template(text.strip())
    if len(parts) != 1 or isinstance(parts[0], str):
        return fill_in(text, values)
    return _json(_value(parts[0], values))


def fill_in_for_reading(
    text: str, values: Mapping[str, object], language: str, types: Mapping[str, TypeHint]
) -> str:
    """Return `text` with values as a person reads them: figures, `2027-03-02 15:00`, `$12.50`.

    Raises TemplateError only.
    """
    filled = []
    for part in parse_template(text):
        if isinstance(part, str):
            filled.append(part)
            continue
        value = _value(part, values)
        kind, _, currency = types.get(part.name, "").partition(":")
        if isinstance(value, datetime):
            filled.append(f"{value:%Y-%m-%d %H:%M}")
        elif isinstance(value, time):
            filled.append(f"{value:%H:%M}")
        elif isinstance(value, bool):
            filled.append("yes" if value else "no")
        elif kind == "money" and isinstance(value, int | float | Decimal):
            filled.append(format_currency(value, currency or "USD", locale=locale_of(language)))
        else:
            filled.append(_raw_text(value))
    return " ".join("".join(filled).split())[:LONGEST_FILLED]


def _value(reference: Reference, values: Mapping[str, object]) -> object:
    value = values.get(reference.name)
    if value is None:
        return reference.otherwise or None
    moment = moment_of(value) if reference.filter in RAW_FILTERS and value is not None else None
    if moment is None:
        return value
    return moment.date() if reference.filter == "date" else moment.time()


def _raw_text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ",".join(_raw_text(item) for item in closed(value) or ())  # type: ignore[union-attr]
    if isinstance(value, str):
        return value
    return as_text(closed(value))


def _json(value: object) -> Json:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return value
    if isinstance(value, float | Decimal):
        number = closed(value)
        if not isinstance(number, Decimal):
            return number if isinstance(number, float) else None
        return int(number) if number == number.to_integral_value() else float(number)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, date | datetime | time | timedelta):
        return as_text(closed(value))
    return str(value)
