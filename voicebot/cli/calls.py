"""`voicebot calls`: what was said, and how it ended."""

from __future__ import annotations

from typing import Annotated

import typer

from voicebot.call.record import find_record, list_records, read_record
from voicebot.cli.conversation import records_table, show_record
from voicebot.cli.harmless import json_line
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.errors import UserError

calls = typer.Typer(no_args_is_help=True, help="Look at the records of past calls.")


@calls.command("list")
def list_calls(
    config: ConfigFile = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many, newest first.")] = 20,
    as_json: Json = False,
) -> None:
    """List past calls, newest first. What is no record is told on standard error, and passed over."""
    records = []
    for path in list_records(load_config(config, secrets=False).var, limit):
        try:
            records.append(read_record(path))
        except UserError as error:
            typer.echo(f"warning: {error}", err=True)
    if as_json:
        typer.echo(json_line([r.model_dump(mode="json") for r in records]))
    elif records:
        print_table(console(wrap=False), records_table(records))
    else:
        typer.echo("no calls yet")


@calls.command("show")
def show_call(
    call_id: Annotated[str, typer.Argument(help="The call's id, the beginning of it, or `last`.")] = "last",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show one conversation."""
    record = find_record(load_config(config, secrets=False).var, call_id)
    if as_json:
        typer.echo(json_line(record.model_dump(mode="json")))
    else:
        show_record(console(), record)
