"""`voicebot campaign dial`: a dialler alone, for set-ups of several machines."""

from __future__ import annotations

import asyncio
import os
from typing import Annotated

import typer

from voicebot.app.campaigns import run_dialler
from voicebot.app.logs import configure_logs
from voicebot.cli.options import ConfigFile
from voicebot.config import load_config

PRIVATE = 0o077


def dial(
    config: ConfigFile = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="console or json.")] = None,
) -> None:
    """Place the calls: a dialler alone.

    Those of all running campaigns, until SIGTERM or Ctrl-C. `voicebot serve` does it as well, where
    `[dialling] enabled = true`. Alone it is for further machines, each with its Asterisk, on one PostgreSQL:
    see docs/scale.md.
    """
    settings = load_config(config, flags={"log_level": log_level, "log_format": log_format})
    os.umask(PRIVATE)
    configure_logs(settings.log_level, settings.log_format)
    asyncio.run(run_dialler(settings))
