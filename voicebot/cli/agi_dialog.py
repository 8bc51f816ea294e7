"""`voicebot agi dialog`: what Asterisk starts for a dialog with the caller's voice (EAGI)."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from typing import Annotated

import typer

from voicebot.cli.options import ConfigFile
from voicebot.config import load_config
from voicebot.errors import Problem, UserError
from voicebot.fastagi.dialogs.relay import MOST_ENVIRONMENT, VOICE_DESCRIPTOR, GatewayAway, relay

STATUS = b"SET VARIABLE VOICEBOT_AGI_STATUS failed\n"


def dialog(
    name: Annotated[str, typer.Argument(help="Number of a route; `called` is the number that was dialled.")],
    port: Annotated[int | None, typer.Option("--port", help="Overrides agi.port.")] = None,
    config: ConfigFile = None,
) -> None:
    """Hold a dialog with the caller on standard input: EAGI(/path/to/voicebot,agi,dialog,600).

    The gateway on this machine does it; this hands it the session, and the caller's voice on descriptor 3.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the session heeds it
    environment = tuple(_environment())
    if not environment:
        raise UserError(Problem("this is no call of Asterisk", "start it from the dialplan by EAGI()"))
    settings = load_config(config, secrets=False)
    voice = "agi_enhanced: 1.0" in environment and _is_open(VOICE_DESCRIPTOR)
    try:
        asyncio.run(relay(settings.agi.bind, port or settings.agi.port, name, environment, voice))
    except GatewayAway as error:
        os.write(1, STATUS)
        sys.stdin.buffer.readline()
        remedy = "start `voicebot serve` with [agi] enabled"
        raise UserError(Problem(f"the gateway does not answer: {error}", remedy)) from error


def _environment() -> Iterator[str]:
    """Yield the lines that Asterisk sends first, up to the empty one; none where it is none."""
    size = 0
    while line := sys.stdin.buffer.readline(MOST_ENVIRONMENT).decode(errors="replace").rstrip("\r\n"):
        size += len(line)
        if not line.startswith("agi_") or size > MOST_ENVIRONMENT:
            return
        yield line


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
