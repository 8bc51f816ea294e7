"""`voicebot dialog check`: everything that is wrong with dialogs, before a caller meets it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from voicebot.cli.options import Json
from voicebot.dialog.loading.files import load_dialog
from voicebot.errors import Problem, UserError

EXIT_MISTAKES = 1


def check(
    files: Annotated[list[Path], typer.Argument(help="Dialog files.")],
    as_json: Json = False,
) -> None:
    """Find all mistakes in dialog files.

    Each comes with its line and the remedy. Exit status 1 when there are mistakes; warnings do not keep a
    dialog from running.
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
