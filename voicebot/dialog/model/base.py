"""Building blocks of everything that a dialog file can say: strictness, short forms, times, names."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

LONGEST_MS = 600_000


class Strict(BaseModel):
    """Base of the models: they are frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


def as_list(value: Any) -> Any:
    """Read one thing as a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def _milliseconds(value: Any) -> Any:
    if isinstance(value, str) and (found := re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s)", value.strip())):
        ms = round(float(found[1]) * (1000 if found[2] == "s" else 1))
    elif isinstance(value, int) and not isinstance(value, bool):
        ms = value
    else:
        raise ValueError("must be a time such as 800ms or 5s")
    if not 0 <= ms <= LONGEST_MS:
        raise ValueError(f"must lie between 0 and {LONGEST_MS // 1000}s")
    return ms


Duration = Annotated[int, BeforeValidator(_milliseconds, json_schema_input_type=str)]
"""Milliseconds, written `800ms` or `1.5s`."""

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
