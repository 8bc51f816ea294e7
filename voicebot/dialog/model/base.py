"""Building blocks of everything that a dialog file can say: strictness, short forms, times, names."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

LONGEST_MS = 600_000
LONGEST_CALL_MS = 4 * 3_600_000


class Plain(str):
    """A scalar without quotes: a word to most keys, but 4 is a number and true a truth in a JSON body."""

    __slots__ = ()


_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{1,18}")


def as_json(value: Any) -> Any:
    """Read plain scalars as JSON has them (the core schema of YAML 1.2); quoted ones stay texts."""
    if isinstance(value, dict):
        return {key: as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_json(item) for item in value]
    if isinstance(value, Plain):
        if value in ("true", "false"):
            return value == "true"
        if _INTEGER.fullmatch(value):
            return int(value)
        return float(value) if _DECIMAL.fullmatch(value) else str(value)
    return value


class Strict(BaseModel):
    """Base of the models: they are frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def as_list(value: Any) -> Any:
    """Read one thing as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


TIME_PATTERN = r"([0-9]{1,9}(?:\.[0-9]{1,9})?)\s*(ms|s|m|h)"
_TIME = re.compile(TIME_PATTERN)
_UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def _milliseconds(value: Any, longest_ms: int = LONGEST_MS) -> Any:
    if isinstance(value, str) and (found := _TIME.fullmatch(value.strip())):
        ms = round(float(found[1]) * _UNITS[found[2]])
    elif isinstance(value, int) and not isinstance(value, bool):
        ms = value
    else:
        raise ValueError("must be a time such as 800ms or 5s")
    if not 0 <= ms <= longest_ms:
        raise ValueError(f"must lie between 0 and {longest_ms // 1000}s")
    return ms


def _long_milliseconds(value: Any) -> Any:
    return _milliseconds(value, LONGEST_CALL_MS)


_Written = Annotated[str, StringConstraints(pattern=f"^{TIME_PATTERN}$")]

Duration = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=_Written)]
"""Milliseconds, written `800ms`, `1.5s` or `2m`."""

LongDuration = Annotated[int, BeforeValidator(_long_milliseconds, json_schema_input_type=_Written)]
"""Milliseconds of a whole call, written `90s`, `15m` or `1h`."""

StepName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
Outcome = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Phrase = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PhraseList = Annotated[
    tuple[Phrase, ...], BeforeValidator(as_list, json_schema_input_type=Phrase | list[Phrase])
]
"""One phrase, or a list of them."""
Key = Annotated[str, StringConstraints(pattern=r"^[0-9*#A-D]$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Condition = Annotated[str, StringConstraints(min_length=1, max_length=500)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
LanguageTag = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]
FileName = Annotated[
    str,
    StringConstraints(
        pattern=r"^([A-Za-z0-9_-][A-Za-z0-9_.-]*/)*[A-Za-z0-9_-][A-Za-z0-9_.-]*$", max_length=200
    ),
]
"""A file in the folder of the dialog, or below it."""
