"""`voicebot campaign why`: why was, or was not, this person called."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import with_store
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import load_config
from voicebot.store.rows import Known, LedgerRow
from voicebot.store.store import Store


def why(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.")],
    campaign: Annotated[str, typer.Option("--campaign", help="Only this campaign.")] = "",
    region: Annotated[str, typer.Option("--region", help="Country of a number without +.")] = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Tell why a person was called or not: each decision with its rule, oldest first, and what comes next."""
    e164 = number_of(number, region)

    async def work(store: Store) -> Known:
        if campaign:
            await store.campaign(campaign)
        return await store.why(e164, campaign)

    known = with_store(load_config(config), work)
    if as_json:
        typer.echo(json.dumps(asdict(known), default=_plain, ensure_ascii=False))
        return
    typer.secho(e164, bold=True)
    if not (known.contacts or known.entries or known.lists):
        typer.echo("  nothing is known: in no campaign, on no list")
    if known.opted_out:
        typer.secho(f"  opted out on {_at(known.opted_out)}: is called no more", fg="red")
    for name in known.lists:
        typer.echo(f"  on the do-not-call list {name}")
    for contact in known.contacts:
        due = f", due {_at(contact.due)}" if contact.state in ("due", "busy") else ""
        typer.echo(
            f"  {contact.campaign}: {contact.state}{due}, {contact.attempts} calls, "
            f"row {harmless(contact.key)}"
        )
    for entry in known.entries:
        for line in _told(entry):
            typer.echo(f"  {line}")


def _told(entry: LedgerRow) -> list[str]:
    """Return an entry of the ledger as lines for people."""
    rule = f" [{entry.rule}]" if entry.rule else ""
    head = f"{_at(entry.at)}  {entry.campaign or '-'}  {entry.kind}{rule}"
    payload = entry.payload or {}
    lines = [head]
    for check in payload.get("checks", ()):
        if isinstance(check, dict):
            mark = "✓" if check.get("ruling") == "allowed" else "✗"
            until = f" (until {check['until']})" if check.get("until") else ""
            lines.append(f"    {mark} {check.get('rule')}: {harmless(str(check.get('why', '')))}{until}")
    rest = {
        key: value for key, value in payload.items() if key != "checks" and value not in (None, "", [], {})
    }
    if rest:
        lines.append("    " + harmless(", ".join(f"{key} {value}" for key, value in rest.items())))
    return lines


def _at(at: datetime) -> str:
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)
