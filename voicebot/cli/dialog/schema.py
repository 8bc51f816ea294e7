"""`voicebot dialog schema`: what an editor needs to complete and explain dialogs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicebot.authoring.reference.examples import EXAMPLES
from voicebot.dialog.loading.schema import schema_text
from voicebot.errors import Problem, UserError


def schema(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; standard output without it.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="It is JSON with or without this.")] = False,
) -> None:
    """Print the JSON Schema of dialog files.

    An editor with a YAML language server completes and explains by it. Begin a dialog with the line
    # yaml-language-server: $schema=dialog.schema.json
    """
    if output is None:
        typer.echo(schema_text(EXAMPLES), nl=False)
        return
    try:
        output.write_text(schema_text(EXAMPLES), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            Problem(f"cannot be written: {reason}", "is there such a folder?", str(output))
        ) from error
    typer.echo(f"{output}: written")
