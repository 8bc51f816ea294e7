"""`voicebot campaign start|pause|resume|stop`: who calls, and who does not."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from voicebot.app.starting import start_campaign
from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.dialog.problems import report
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.store.rows import CampaignRow, CampaignState
from voicebot.store.store import Store

Why = Annotated[str, typer.Option("--why", help="A word for the ledger.")]

_FINAL = (CampaignState.STOPPED, CampaignState.DONE)


def start(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """Begin to call.

    Proves the dialog first, and starts nothing that a rule forbids. Calls are placed by `voicebot serve`,
    with `[dialling] enabled = true`, or by `voicebot campaign dial`.
    """
    settings = load_config(config, without=OF_ASTERISK)
    started = with_store(
        settings, lambda store: start_campaign(store, settings, name, why or "started", now())
    )
    for line in report([], started.cleared.warnings):
        typer.echo(line, err=True)
    _tell(started.row, as_json)
    if not started.contacts and not as_json:
        hint = f"it has no contacts yet: voicebot campaign import {name} FILE"
        typer.secho(hint, fg="yellow", err=True)
    if not started.diallers and not as_json:
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
    settings = load_config(config, without=OF_ASTERISK)
    _tell(
        with_store(settings, lambda store: _set(store, name, CampaignState.PAUSED, why or "paused")), as_json
    )


def stop(name: CampaignName, why: Why = "", config: ConfigFile = None, as_json: Json = False) -> None:
    """End a campaign for good.

    Calls that are on go on. Those that Asterisk has and has not dialled are taken back.
    """
    settings = load_config(config, without=OF_ASTERISK)
    _tell(
        with_store(settings, lambda store: _set(store, name, CampaignState.STOPPED, why or "stopped")),
        as_json,
    )


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
