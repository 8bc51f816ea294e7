"""`voicebot campaign export|erase`: what a person may ask for (GDPR, Art. 15 and 17)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.words import counted
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.erase import Forgotten, erase_person
from voicebot.outbound.export import export_person
from voicebot.outbound.reporting.run import written
from voicebot.store.store import Store

Number = Annotated[str, typer.Argument(help="With +, or as written in its country.", metavar="NUMBER")]
Region = Annotated[str, typer.Option("--region", help="Country of a number without +.")]


def export(
    number: Number,
    to: Annotated[
        Path | None, typer.Option("--to", help="Write it to this file, which only its owner may read.")
    ] = None,
    region: Region = "US",
    config: ConfigFile = None,
) -> None:
    """Print all that is kept about a number.

    As JSON: contacts, calls, decisions, lists, and call records. Recordings are named, not held.
    """
    settings = load_config(config, without=OF_ASTERISK)
    e164 = number_of(number, region)

    async def work(store: Store) -> dict[str, Any]:
        return await export_person(store, e164, now(), settings.var)

    text = json.dumps(with_store(settings, work), ensure_ascii=False, indent=1)
    if to is None:
        typer.echo(text)
        return
    with written(to, "utf-8") as file:
        file.write(f"{text}\n")
    typer.echo(f"written: {to}", err=True)


def erase(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    region: Region = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Forget a person.

    Their values, calls, call records and recordings; SQLite's file is then written anew, so that no byte of
    them stays in it. The number is kept as a keyed hash alone, so that it is
    never called again. The ledger's chain stays verifiable: its entries remain, what they say of the person
    does not.
    """
    settings = load_config(config, without=OF_ASTERISK)
    e164 = number_of(number, region)
    if not yes:
        _ask(e164)

    async def work(store: Store) -> Forgotten:
        spool = Path(settings.resolve(settings.dialling.spool))
        return await erase_person(store, e164, now(), settings.var, spool)

    done = with_store(settings, work)
    if as_json:
        typer.echo(json.dumps({"number": e164, **asdict(done.store), "files": done.files}))
        return
    counts = (
        counted(done.store.contacts, "contact"),
        counted(done.store.attempts, "call"),
        counted(done.store.entries, "entry of the ledger", "entries of the ledger"),
        counted(done.files, "file"),
    )
    typer.echo(f"{e164} is forgotten, and called no more: {', '.join(counts)} erased")
    if done.store.cancel:
        on_their_way = counted(len(done.store.cancel), "call is on its way", "calls are on their way")
        typer.echo(f"{on_their_way}, and will be taken back as far as that can be done")


def _ask(number: str) -> None:
    """Go on where the operator agrees. Raises UserError where nobody answers."""
    try:
        agreed = typer.confirm(f"Forget all about {number}? This cannot be undone", err=True)
    except typer.Abort as error:
        raise UserError(Problem("nothing was erased: nobody agreed", "say --yes")) from error
    if not agreed:
        typer.echo("nothing was erased", err=True)
        raise typer.Exit(1)
