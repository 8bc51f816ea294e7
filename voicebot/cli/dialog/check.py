"""`voicebot dialog check`: everything that is wrong with dialogs, before a caller meets it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from voicebot.cli.dialog.files import dialogs_in
from voicebot.cli.dialog.problems import counted, report
from voicebot.cli.options import Json
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.checking.finding import Finding
from voicebot.dialog.loading.files import examine_dialog
from voicebot.dialog.loading.loader import Rule
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import EXIT_USER_ERROR, Problem, UserError

EXIT_MISTAKES = 1
HOOKS = "voicebot.hooks"
"""The group of entry points that dialogs run as hooks."""


def check(
    files: Annotated[list[Path], typer.Argument(help="Dialog files, or folders of them.")],
    as_json: Json = False,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings fail, too.")] = False,
    sounds: Annotated[
        bool, typer.Option("--sounds/--no-sounds", help="Look for choices that sound alike.")
    ] = True,
    config: Annotated[
        Path | None,
        typer.Option(
            "--config", "-c", help="A configuration: look for words that its recognisers never hear."
        ),
    ] = None,
) -> None:
    """Find all mistakes in dialog files, and in what they include.

    Each comes with its place, the remedy, and a code (docs/dialog-checks.md). Exit status 1 when there are
    mistakes, 2 when a file cannot be read; warnings do not keep a dialog from running.
    """
    dialogs = list(dialogs_in(files))
    hooks = frozenset(entry.name for entry in entry_points(group=HOOKS))
    where = Surroundings(hooks)
    rules_of: Callable[[Path], Sequence[Rule]] = _no_rules
    if config is not None:
        where, rules_of = _with_config(config, hooks)
    mistakes: dict[Problem, None] = {}
    warnings: dict[Problem, None] = {}
    unread = False
    for path in dialogs:
        try:
            rules = [*([_sounds] if sounds else []), *rules_of(path)]
            found = examine_dialog(path, where, rules)
        except UserError as error:
            unread = True
            mistakes.update(dict.fromkeys(error.problems))
            continue
        mistakes.update(dict.fromkeys(found.mistakes))
        warnings.update(dict.fromkeys(found.warnings))
    if as_json:
        told = {"mistakes": [asdict(p) for p in mistakes], "warnings": [asdict(p) for p in warnings]}
        typer.echo(json.dumps({"dialogs": len(dialogs), **told}))
    else:
        for line in report(mistakes, warnings):
            typer.echo(line)
        typer.echo(_summary(len(dialogs), len(mistakes), len(warnings)))
    if unread:
        raise typer.Exit(EXIT_USER_ERROR)
    if mistakes or (strict and warnings):
        raise typer.Exit(EXIT_MISTAKES)


def _no_rules(path: Path) -> Sequence[Rule]:
    return ()


def _with_config(path: Path, hooks: frozenset[str]) -> tuple[Surroundings, Callable[[Path], Sequence[Rule]]]:
    """Return what a configuration tells of the place where dialogs will run."""
    from voicebot.authoring.hearing.lexicon import word_rules  # these load the configuration's models
    from voicebot.config import load_config

    config = load_config(path, secrets=False)
    return Surroundings(hooks, config.dialogs.env), lambda dialog: word_rules(config, dialog)


def _sounds(dialog: Dialog) -> list[Finding]:
    from voicebot.authoring.hearing.sounds import sound_findings  # loads a voice

    return sound_findings(dialog)


def _summary(dialogs: int, mistakes: int, warnings: int) -> str:
    what = counted(dialogs, "dialog")
    if not mistakes and not warnings:
        return typer.style(f"{what}: fine", fg="green")
    parts = [counted(mistakes, "mistake")] if mistakes else []
    parts += [counted(warnings, "warning")] if warnings else []
    return typer.style(f"{what}: {', '.join(parts)}", fg="red" if mistakes else "yellow", bold=True)
