"""The `voicebot` command."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from voicebot import __version__
from voicebot.cli.harmless import harmless
from voicebot.cli.lazy import lazy_group
from voicebot.errors import EXIT_USER_ERROR, Problem, UserError

COMMANDS = {
    "serve": "voicebot.cli.serve:serve",
    "doctor": "voicebot.cli.doctor:doctor",
    "calls": "voicebot.cli.calls:calls",
    "models": "voicebot.cli.models:models",
    "dialog": "voicebot.cli.dialog:dialogs",
    "campaign": "voicebot.cli.campaign:campaigns",
    "call": "voicebot.cli.call:call",
    "callfile": "voicebot.cli.callfile:callfile",
    "live": "voicebot.cli.live:live",
    "queue": "voicebot.cli.queue:queue",
    "conference": "voicebot.cli.conference:conference",
    "panel": "voicebot.cli.panel:panel",
    "ami": "voicebot.cli.ami:ami",
    "agi": "voicebot.cli.agi:agi",
}

app = typer.Typer(
    name="voicebot",
    cls=lazy_group(COMMANDS),
    help="A voice-bot media gateway for Asterisk.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"voicebot {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """A voice-bot media gateway for Asterisk."""


def complain(error: UserError) -> None:
    """Print one line a problem on standard error."""
    for problem in error.problems:
        typer.echo(f"{typer.style('error:', fg='red', bold=True)} {describe(problem)}", err=True)


def describe(problem: Problem) -> str:
    """Return a problem as one line: where, what, and how to mend it."""
    return harmless(str(problem).replace("\n", " "))


def main() -> None:
    """Run the command line; exit status 2 for a user's mistake, without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the locale cannot show must not end a command
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except UserError as error:
        complain(error)
        sys.exit(EXIT_USER_ERROR)
