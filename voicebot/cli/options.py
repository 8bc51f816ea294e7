"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Configuration file; ./voicebot.toml if not given.", envvar="VOICEBOT_CONFIG"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
