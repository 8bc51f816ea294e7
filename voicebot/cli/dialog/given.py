"""`--given name=value`: values for a dialog, shared by the commands that speak it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from voicebot.errors import Problem, UserError

Given = Annotated[
    list[str] | None,
    typer.Option("--given", help="A value, as name=value; repeatable. Others are made up."),
]


def given_of(texts: Iterable[str] | None) -> dict[str, str]:
    """Return values by name. Raises UserError with every one that has no value."""
    values: dict[str, str] = {}
    problems = []
    for text in texts or ():
        name, equals, value = text.partition("=")
        if equals:
            values[name.strip()] = value
        else:
            problems.append(Problem(f"--given {text}: there is no value", "write it as name=value"))
    if problems:
        raise UserError(problems)
    return values
