"""`voicebot campaign clock`: this machine's clock beside the latest claim, and a way out of a wrong one."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated

import typer

from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.store.store import Store


def clock(
    forgive: Annotated[
        bool,
        typer.Option("--forgive", help="Take this machine's clock for right, and dial again by it."),
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show whether the clock is behind the latest claim: nothing is dialled then.

    A clock that is behind is to be put right. Was it another one that had been wrong, in the future,
    `--forgive` takes its word back; the ledger tells of it.
    """

    async def work(store: Store) -> tuple[datetime, datetime, bool]:
        seen = await store.latest_claim()
        at = now()
        behind = at < seen
        if forgive and behind:
            await store.forgive_clock(at)
        return at, seen, behind

    at, seen, behind = with_store(load_config(config, without=OF_ASTERISK), work)
    if as_json:
        said = {"clock": at.isoformat(), "latest_claim": seen.isoformat(), "behind": behind}
        typer.echo(json.dumps({**said, "forgiven": behind and forgive}))
        return
    shown = at.astimezone().isoformat(" ", "seconds")
    if not behind:
        typer.echo(f"the clock says {shown}, which is after every claim")
        return
    typer.echo(f"the clock says {shown}; the latest claim: {seen.astimezone().isoformat(' ', 'seconds')}")
    if forgive:
        typer.echo("forgiven: diallers go by this clock from now on")
    else:
        typer.echo("put the clock right; if it is right, and another one was wrong, --forgive takes it back")
