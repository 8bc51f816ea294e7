"""`voicebot dialog chat`: talking to a dialog without a telephone."""

from __future__ import annotations

import readline  # noqa: F401  input() lets a line be edited once this is imported
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from voicebot.authoring.chat import read_input, written
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import HungUp
from voicebot.errors import Problem, UserError


def chat(
    file: Annotated[Path, typer.Argument(help="A dialog file.")],
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A value that it needs, as name=value; repeatable.")
    ] = None,
) -> None:
    """Talk to a dialog in writing, without a telephone.

    Write what a caller says, nothing for silence, <4271> for keys, <hangup> or Ctrl-D to hang up.
    In brackets: what was understood, and how it ended.
    """
    dialog, values = load_dialog(file), dict(map(_name_and_value, given or ()))
    if strange := values.keys() - dialog.file.needs.keys():
        needs = ", ".join(dialog.file.needs) or "nothing"
        raise UserError(f"--given {min(strange)}: the dialog does not need it", f"it needs {needs}")
    interpreter = Interpreter(dialog, values)
    typer.echo(f"bot>    {written(interpreter.begin(time.monotonic()))}")
    lines = _caller_lines()
    while interpreter.outcome is None:
        line = next(lines, None)
        event = HungUp() if line is None else read_input(line)
        turn = interpreter.handle(event, time.monotonic())
        if taken := interpreter.understood:
            typer.echo(f"        [{taken.kind}{': ' if taken.meaning else ''}{taken.meaning}]")
        typer.echo(f"bot>    {written(turn)}")
    if interpreter.slots:
        typer.echo("learnt: " + ", ".join(f"{name}={value}" for name, value in interpreter.slots.items()))


def _caller_lines() -> Iterator[str]:
    """Yield what is typed, or what stands in a file or pipe, until the end of it."""
    prompt = "caller> "
    if not sys.stdin.isatty():
        for line in sys.stdin:
            typer.echo(f"{prompt}{line.strip()}")
            yield line
        return
    try:
        while True:
            yield input(prompt)
    except EOFError:
        typer.echo()


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(Problem(f"--given {text}: there is no value", "write it as name=value"))
    return name, value
