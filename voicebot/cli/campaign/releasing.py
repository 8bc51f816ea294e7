"""`voicebot campaign release`: what a crash left unclear, and a person decides."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voicebot.campaign.contact import Contact, ContactState
from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.campaign.words import counted
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.store.store import Store


def release(
    name: CampaignName,
    keys: Annotated[
        list[str] | None, typer.Argument(help="Rows by their key; none: all that are held.", metavar="KEY")
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
        raise UserError(Problem("--call and --drop say opposite things", "choose one of them"))

    async def work(store: Store) -> tuple[list[Contact], int]:
        await store.campaign(name)
        held: list[Contact] = []
        last = 0
        while page := await store.contacts(name, state=ContactState.HELD, after_id=last):
            held += [contact for contact in page if not keys or contact.key in keys]
            last = page[-1].id
        found = [contact.key for contact in held]
        if call_again:
            return held, await store.release_held(name, now(), keys=found) if held else 0
        if drop:
            return held, await store.refuse(name, found, "dropped after a crash", now()) if held else 0
        return held, 0

    held, changed = with_store(load_config(config, without=OF_ASTERISK), work)
    others = [key for key in keys or () if key not in {contact.key for contact in held}]
    if as_json:
        told = {"held": [contact.key for contact in held], "not_held": others, "changed": changed}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for key in others:
        typer.echo(harmless(f"row {key} is not held"), err=True)
    for contact in held:
        typer.echo(harmless(f"{contact.key}  {contact.numbers[0] if contact.numbers else '(erased)'}"))
    who = counted(len(held), "person", "people")
    if not held:
        typer.echo("nobody is held")
    elif call_again:
        typer.echo(f"{counted(changed, 'person', 'people')} will be called again, when the rules allow it")
    elif drop:
        typer.echo(f"{counted(changed, 'person', 'people')} will be called no more in this campaign")
    else:
        typer.echo(
            f"{who} held; `voicebot campaign why NUMBER` tells what is known; --call or --drop decides"
        )
