"""`voicebot doctor`: what is wrong with a set-up, and how to mend it."""

from __future__ import annotations

import asyncio

import typer

from voicebot.app.logs import configure_logs
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.doctor.examine import examine
from voicebot.doctor.report import exit_status, summary, table_of, to_json
from voicebot.fastagi.lookups.health import health


def doctor(config: ConfigFile = None, as_json: Json = False) -> None:
    """Check Asterisk, dialplan, engines and this machine, and say how to mend each fault.

    Exit status 2 when calls would fail. Changes nothing, and may run beside a gateway.
    """
    settings = load_config(config)
    configure_logs("error")
    findings = asyncio.run(examine(settings, health))
    if as_json:
        typer.echo(to_json(findings))
    else:
        print_table(console(), table_of(findings))
        typer.secho(summary(findings), bold=True)
    raise typer.Exit(exit_status(findings))
