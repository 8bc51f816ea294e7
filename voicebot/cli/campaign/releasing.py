"""`voicebot campaign release`: what a crash left unclear, and a person decides."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voicebot.campaign.contact import ContactState
from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import load_config
from voicebot.store.store import Store


def release(
    name: CampaignName,
    keys: Annotated[
        list[str] | None, typer.Argument(help="Rows by their key; none: all that are held.")
    ] = None,
    call_again: Annotated[
        bool, typer.Option("--call", help="Call them again: they may get a second call.")
    ] = False,
    drop: Annotated[bool, typer.Option("--drop", help="Call them no more.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Show who is held; decide about them.

    A crash hides whether they were called, so they are not called again by themselves. Without an option
    nothing is changed.
    """
    if call_again and drop:
        raise typer.BadParameter("choose one of --call and --drop")

    async def work(store: Store) -> tuple[list[str], int]:
        await store.campaign(name)
        held: list[str] = []
        last = 0
        while page := await store.contacts(name, state=ContactState.HELD, after_id=last):
            held += [contact.key for contact in page if not keys or contact.key in keys]
            last = page[-1].id
        if call_again:
            return held, await store.release_held(name, now(), keys=held) if held else 0
        if drop:
            return held, await store.refuse(name, held, "dropped after a crash", now()) if held else 0
        return held, 0

    held, changed = with_store(load_config(config), work)
    if as_json:
        typer.echo(json.dumps({"held": held, "changed": changed}, ensure_ascii=False))
        return
    for key in held:
        typer.echo(key)
    if call_again or drop:
        typer.echo(f"{changed} {'will be called again' if call_again else 'will be called no more'}")
    else:
        typer.echo(f"{len(held)} held" + ("; --call or --drop decides" if held else ""))
