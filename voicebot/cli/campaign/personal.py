"""`voicebot campaign export|erase`: what a person may ask for (GDPR, Art. 15 and 17)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.why import _plain
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import load_config

Number = Annotated[str, typer.Argument(help="With +, or as written in its country.")]
Region = Annotated[str, typer.Option("--region", help="Country of a number without +.")]


def export(number: Number, region: Region = "US", config: ConfigFile = None) -> None:
    """Print all that is kept about a number, as JSON: contacts, calls, and the ledger's entries."""
    e164 = number_of(number, region)
    known = with_store(load_config(config), lambda store: store.why(e164))
    typer.echo(json.dumps(asdict(known), default=_plain, ensure_ascii=False, indent=1))


def erase(
    number: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    region: Region = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Forget a person. The number itself is kept as a keyed hash, so that it is never called again.

    The ledger's chain stays verifiable: entries remain, what they say of the person does not.
    """
    e164 = number_of(number, region)
    if not yes:
        typer.confirm(f"Forget all about {e164}? This cannot be undone", abort=True)
    erased = with_store(load_config(config), lambda store: store.erase(e164, now()))
    if as_json:
        typer.echo(json.dumps(asdict(erased)))
    else:
        typer.echo(
            f"{e164}: {erased.contacts} contacts, {erased.attempts} calls, {erased.entries} entries erased"
        )
