"""`voicebot campaign start|pause|resume|stop`: who calls, and who does not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from voicebot.app.clearance import Clearance, clearance
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.rules.law import PROFILES
from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.campaign.words import counted, moment_of
from voicebot.cli.dialog.problems import report
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import Config, load_config
from voicebot.errors import Problem, UserError
from voicebot.store.rows import CampaignRow, CampaignState, ListRow
from voicebot.store.store import Store

Why = Annotated[str, typer.Option("--why", help="A word for the ledger.")]

_FINAL = (CampaignState.STOPPED, CampaignState.DONE)


def start(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """Begin to call.

    Proves the dialog first, and starts nothing that a rule forbids. Calls are placed by `voicebot serve`,
    with `[dialling] enabled = true`, or by `voicebot campaign dial`.
    """
    settings = load_config(config)
    row, cleared, nobody, contacts = with_store(settings, lambda store: _start(store, settings, name, why))
    for line in report([], cleared.warnings):
        typer.echo(line, err=True)
    _tell(row, as_json)
    if not contacts and not as_json:
        hint = f"it has no contacts yet: voicebot campaign import {name} FILE"
        typer.secho(hint, fg="yellow", err=True)
    if nobody and not as_json:
        typer.secho(
            "nobody dials yet: run `voicebot serve` with `[dialling] enabled = true`, or "
            "`voicebot campaign dial`",
            fg="yellow",
            err=True,
        )


def resume(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """Go on after a pause or a halt.

    The campaign is looked at again as at its start.
    """
    start(name, why or "resumed", config, as_json)


def pause(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """Place no more calls for now.

    Calls that are on go on. Those that Asterisk has and has not dialled are taken back.
    """
    settings = load_config(config, secrets=True)
    _tell(
        with_store(settings, lambda store: _set(store, name, CampaignState.PAUSED, why or "paused")), as_json
    )


def stop(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """End a campaign for good.

    Calls that are on go on. Those that Asterisk has and has not dialled are taken back.
    """
    settings = load_config(config, secrets=True)
    _tell(
        with_store(settings, lambda store: _set(store, name, CampaignState.STOPPED, why or "stopped")),
        as_json,
    )


async def _start(
    store: Store, config: Config, name: str, why: str
) -> tuple[CampaignRow, Clearance, bool, int]:
    row = await store.campaign(name)
    if row.state is CampaignState.STOPPED:
        what = f"the campaign `{name}` was stopped for good"
        raise UserError(Problem(what, "create one of another name for those who are left"))
    cleared = clearance(row.settings, Path(row.folder) / f"{name}.campaign.yaml", config)
    if problems := [*cleared.problems, *_list_problems(row.settings, await store.lists())]:
        raise UserError(problems)
    await store.set_proof(name, json.dumps(cleared.evidence, ensure_ascii=False), now())
    if row.state is not CampaignState.RUNNING:
        row = await store.set_state(name, CampaignState.RUNNING, why or "started", now())
    contacts = (await store.status(name, now())).contacts
    return row, cleared, not await store.diallers(now()), sum(contacts.values())


def _list_problems(campaign: Campaign, lists: tuple[ListRow, ...]) -> Iterator[Problem]:
    """Yield what would halt the campaign at its first call: do-not-call lists that are missing or stale."""
    known = {row.name: row for row in lists}
    by_law = PROFILES[campaign.profile].list_days if campaign.purpose == "telemarketing" else None
    for name in campaign.do_not_call:
        row = known.get(name)
        remedy = f"voicebot campaign do-not-call import {name} FILE"
        if row is None:
            yield Problem(f"the do-not-call list `{name}` was never imported", remedy)
            continue
        limits = [days for days in (row.max_age_days, by_law) if days is not None]
        if limits and now() - row.imported_at > timedelta(days=min(limits)):
            what = f"the do-not-call list `{name}` of {moment_of(row.imported_at)} is older than"
            yield Problem(f"{what} {counted(min(limits), 'day')}", remedy)


async def _set(store: Store, name: str, state: CampaignState, why: str) -> CampaignRow:
    row = await store.campaign(name)
    if row.state is state:
        return row
    if row.state in _FINAL:
        raise UserError(Problem(f"the campaign `{name}` is {row.state} already"))
    return await store.set_state(name, state, why, now())


def _tell(row: CampaignRow, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"campaign": row.name, "state": row.state, "why": row.why}))
    else:
        typer.echo(f"{row.name}: {row.state}")
