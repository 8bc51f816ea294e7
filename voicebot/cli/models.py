"""`voicebot models`: speech models that are here, and new ones."""

from __future__ import annotations

import typer

models = typer.Typer(no_args_is_help=True, help="Speech models that are here, and new ones.")


@models.callback()
def _group() -> None:
    """Speech models that are here, and new ones."""
