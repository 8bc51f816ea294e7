"""`voicebot serve`: answer calls until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from voicebot.app.descriptors import allow_many_files
from voicebot.app.gateway import Gateway
from voicebot.app.household import Household
from voicebot.app.logs import configure_logs
from voicebot.app.serving import campaigns_beside, desk_for
from voicebot.call.record import CallRecord, TurnRecord
from voicebot.cli.conversation import Talk
from voicebot.cli.options import ConfigFile
from voicebot.cli.progress import RenderProgress
from voicebot.cli.terminal import console
from voicebot.config import OF_ASTERISK, load_config

PRIVATE = 0o077
"""Records and recordings are personal: nobody but the gateway's user may read what it writes."""


def serve(
    dialogs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Dialogs to answer with though they have no route: at free numbers from 600 on.",
            show_default=False,
        ),
    ] = None,
    config: ConfigFile = None,
    ari_url: Annotated[str | None, typer.Option(help="Overrides asterisk.ari_url.")] = None,
    app: Annotated[
        str | None, typer.Option(help="Overrides asterisk.app, the Stasis application's name.")
    ] = None,
    var: Annotated[
        Path | None, typer.Option(help="Overrides paths.var: records, recordings, caches.")
    ] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    log_format: Annotated[str | None, typer.Option(help="console or json.")] = None,
    talk: Annotated[bool, typer.Option("--talk", help="Print every conversation as it happens.")] = False,
    asterisk: Annotated[
        bool,
        typer.Option(
            "--asterisk/--no-asterisk", help="Without one, calls come from the panel's microphone alone."
        ),
    ] = True,
) -> None:
    """Answer calls: connect to Asterisk and run the gateway until SIGTERM or Ctrl-C."""
    settings = load_config(
        config,
        flags={
            "asterisk.ari_url": ari_url,
            "asterisk.app": app,
            "paths.var": str(var.resolve()) if var else None,
            "log_level": log_level,
            "log_format": log_format,
        },
        dialogs=dialogs or (),
        without=() if asterisk else OF_ASTERISK,
    )
    os.umask(PRIVATE)
    allow_many_files()
    configure_logs(settings.log_level, settings.log_format)
    out, conversations = console(), Talk()

    async def run() -> None:
        def print_turn(record: CallRecord, turn: TurnRecord) -> None:
            for line in conversations.lines(record, turn, len(gateway.calls)):
                out.print(line, soft_wrap=True)

        with RenderProgress() as progress:
            desk = desk_for(settings) if asterisk else None
            house = Household(settings)
            gateway = Gateway(
                settings,
                observer=print_turn if talk else None,
                progress=progress.update,
                campaigns=desk,
                live=house.live,
                people=house.people_for,
                asterisk=asterisk,
            )
            await gateway.start()
        # What was loaded stays: collecting it again and again would cost whole ticks of the media clock.
        gc.collect()
        gc.freeze()
        where = f"app {settings.asterisk.app} at {settings.asterisk.ari_url}" if asterisk else "no Asterisk"
        count = len(settings.routes)
        try:
            async with house.open(gateway) as panel, campaigns_beside(settings, gateway, desk):
                # A full disk, or nobody who reads: callers are served all the same.
                with contextlib.suppress(OSError):
                    typer.echo(f"voicebot ready: {where}, {count} route{'s' if count > 1 else ''}")
                    if panel:
                        typer.echo(f"panel: {panel} (sign in: `voicebot panel link`)")
                await gateway.run_until_stopped()
        finally:
            await gateway.close()

    asyncio.run(run())
