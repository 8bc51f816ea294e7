"""`voicebot dialog`: tools for those who write dialogs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from voicebot.cli.options import Json
from voicebot.dialog.files import load_dialog
from voicebot.errors import Problem, UserError

EXIT_MISTAKES = 1

dialogs = typer.Typer(no_args_is_help=True, help="Tools for dialog authors.")


@dialogs.callback()
def _group() -> None:
    """Tools for dialog authors."""


@dialogs.command()
def check(
    files: Annotated[list[Path], typer.Argument(help="Dialog files.")],
    as_json: Json = False,
) -> None:
    """Tell everything that is wrong with dialog files, each with its line and the remedy.

    Exit status 1 when there are mistakes; warnings do not keep a dialog from running.
    """
    mistakes: list[Problem] = []
    warnings: list[Problem] = []
    for file in files:
        try:
            found = load_dialog(file).warnings
        except UserError as error:
            mistakes += error.problems
            continue
        warnings += found
        if not found and not as_json:
            typer.echo(f"{file}: fine")
    if as_json:
        typer.echo(
            json.dumps({"mistakes": [asdict(p) for p in mistakes], "warnings": [asdict(p) for p in warnings]})
        )
    else:
        for problem in mistakes:
            typer.echo(f"{typer.style('mistake', fg='red')} {problem}")
        for problem in warnings:
            typer.echo(f"{typer.style('warning', fg='yellow')} {problem}")
    if mistakes:
        raise typer.Exit(EXIT_MISTAKES)
