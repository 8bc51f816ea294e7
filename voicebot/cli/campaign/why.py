"""`voicebot campaign why`: why was, or was not, this person called."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from voicebot.campaign.attempt import AttemptState
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.catalogue import CATALOGUE
from voicebot.cli.campaign.explaining import FORGOTTEN, explain
from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.words import counted, moment_of
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.store.rows import CampaignRow, CampaignState, Known
from voicebot.store.store import Store

_STATES = {
    ContactState.DONE: "over, called no more",
    ContactState.REFUSED: "not to be called, a rule forbids it",
    ContactState.BUSY: "being called now",
    ContactState.HELD: "held: a crash hides whether they were called; `voicebot campaign release` decides",
}
FEW_ZONES = 3
_SOURCES = {info.rule: info for info in CATALOGUE}


def why(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.", metavar="NUMBER")],
    campaign: Annotated[str, typer.Option("--campaign", help="Only this campaign.")] = "",
    all_rules: Annotated[
        bool, typer.Option("--all", "-a", help="Tell what every rule said, and where the rules come from.")
    ] = False,
    region: Annotated[str, typer.Option("--region", help="Country of a number without +.")] = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Tell why a person was called, or not.

    Each decision with its rule and the evidence, oldest first; and what comes next. Exit status 1: nothing
    is known about the number.
    """
    settings = load_config(config, without=OF_ASTERISK)
    e164 = number_of(number, region)

    async def work(store: Store) -> tuple[Known, dict[str, CampaignRow]]:
        if campaign:
            await store.campaign(campaign)
        known = await store.why(e164, campaign)
        names = {contact.campaign for contact in known.contacts}
        return known, {row.name: row for row in await store.campaigns() if row.name in names}

    known, campaigns = with_store(settings, work)
    nothing = not (known.contacts or known.entries or known.lists or known.opted_out)
    if as_json:
        typer.echo(json.dumps(asdict(known), default=plain, ensure_ascii=False))
    else:
        typer.secho(e164, bold=True)
        if nothing:
            within = f"campaign `{campaign}`" if campaign else "any campaign"
            typer.echo(f"  Nothing is known: not in {within}, on no list. Nobody called them.")
        for line in _now(known, campaigns):
            typer.echo(f"  {harmless(line)}")
        _story(known, all_rules)
    if nothing:
        raise typer.Exit(1)


def _now(known: Known, campaigns: Mapping[str, CampaignRow]) -> Iterator[str]:
    """Say how things stand."""
    if known.opted_out:
        told = [entry.payload or {} for entry in known.entries if entry.kind == "opt_out"]
        forgotten = bool(told) and told[-1].get("how") == FORGOTTEN
        what = "They were forgotten on {}" if forgotten else "They asked on {} not to be called"
        yield f"{what.format(moment_of(known.opted_out))}, and are called no more."
    for name in known.lists:
        yield f"They are on the do-not-call list `{name}`."
    for contact in known.contacts:
        calls = "never called" if not contact.attempts else f"called {_times(contact.attempts)}"
        numbers = [each for each in contact.numbers if each != known.number]
        also = f"; further numbers, of which `why` tells alone: {', '.join(numbers)}" if numbers else ""
        barred = known.opted_out is not None and contact.state is ContactState.DUE
        then = "not to be called" if barred else _next(contact, campaigns)
        yield f"Campaign {contact.campaign}, row {contact.key}: {calls}; {then}{also}."
        if contact.zones:
            yield f"  Their clock: {_zones(contact.zones)}."
    for attempt in known.attempts:
        if attempt.state is not AttemptState.CLOSED:
            yield f"A call is on its way: {attempt.state} since {moment_of(attempt.claimed_at)}."


def _next(contact: Contact, campaigns: Mapping[str, CampaignRow]) -> str:
    if contact.state is not ContactState.DUE:
        return _STATES[contact.state]
    row = campaigns.get(contact.campaign)
    when = "due now" if contact.due <= now() else f"not to be called before {moment_of(contact.due)}"
    asked = ", as they asked" if contact.asked else ""
    if row is not None and row.state is not CampaignState.RUNNING:
        return f"{when}{asked}, but the campaign is {row.state}" + (f" ({row.why})" if row.why else "")
    return f"{when}{asked}"


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n) or counted(n, "time")


def _zones(zones: tuple[str, ...]) -> str:
    at = now()
    shown = [f"{zone} ({at.astimezone(ZoneInfo(zone)):%H:%M} now)" for zone in zones[:FEW_ZONES]]
    more = f", or one of {len(zones) - FEW_ZONES} more zones" if len(zones) > FEW_ZONES else ""
    return " or ".join(shown) + more


def _story(known: Known, all_rules: bool) -> None:
    against: list[str] = []
    for entry in known.entries:
        against += [rule for rule in entry.rule.split() if rule in _SOURCES and rule not in against]
        for line in explain(entry, all_rules):
            if line.depth == 0:
                typer.echo()
                typer.secho(line.text, bold=True)
            else:
                typer.secho(f"  {line.text}", fg="red" if line.against else None)
    shown = list(_SOURCES) if all_rules and known.entries else against
    if shown:
        typer.echo()
        typer.secho("The rules", bold=True)
        for rule in shown:
            typer.echo(f"  {rule}: {_SOURCES[rule].what} ({_SOURCES[rule].source})")


def plain(value: Any) -> Any:
    """Return what JSON has no form for as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)
