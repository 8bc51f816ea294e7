"""`voicebot dialog`: tools for those who write dialogs. A command is a function in a file of its name."""

from __future__ import annotations

import typer

from voicebot.cli.lazy import lazy_group

COMMANDS = (
    "check",
    "schema",
    "chat",
    "test",
    "replay",
    "say",
    "prove",
    "intelligible",
    "graph",
)
"""In the order of the help. `check` is the function `check` in check.py, loaded when it is asked for."""

dialogs = typer.Typer(
    cls=lazy_group({name: f"voicebot.cli.dialog.{name}:{name}" for name in COMMANDS}),
    no_args_is_help=True,
    help="Tools for dialog authors.",
)


@dialogs.callback()
def _group() -> None:
    """Tools for dialog authors."""
