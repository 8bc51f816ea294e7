"""`voicebot campaign check|create|schema`: from a campaign file to a draft in the store."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from voicebot.app.clearance import Clearance, clearance
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.loading import load_campaign, schema_text
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.dialog.problems import counted, report
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, Config, load_config
from voicebot.errors import UserError
from voicebot.store.rows import CampaignRow, CampaignState
from voicebot.store.store import Store

EXIT_PROBLEMS = 2
CampaignFile = Annotated[Path, typer.Argument(help="A campaign file (YAML).", metavar="FILE")]


def check(file: CampaignFile, config: ConfigFile = None, as_json: Json = False) -> None:
    """Tell all mistakes of a campaign file.

    Those of its dialogs, too; each with its line and remedy.
    """
    settings = load_config(config, secrets=False)
    try:
        _, cleared = _looked_at(file, settings)
    except UserError as error:  # no campaign at all: told like all else
        cleared = Clearance(error.problems, (), {})
    if as_json:
        told = {
            "problems": [asdict(problem) for problem in cleared.problems],
            "warnings": [asdict(problem) for problem in cleared.warnings],
            "evidence": cleared.evidence,
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for line in report(cleared.problems, cleared.warnings):
            typer.echo(line)
        mistakes = counted(len(cleared.problems), "mistake")
        typer.echo(
            f"{mistakes}, {counted(len(cleared.warnings), 'warning')}" if cleared.problems else "may start"
        )
    if cleared.problems:
        raise typer.Exit(EXIT_PROBLEMS)


def create(file: CampaignFile, config: ConfigFile = None, as_json: Json = False) -> None:
    """Keep a campaign as a draft.

    The same file again changes nothing; another version changes the draft.
    """
    settings = load_config(config, without=OF_ASTERISK)
    campaign, cleared = _looked_at(file, settings)
    for line in report([], (*cleared.problems, *cleared.warnings)):
        typer.echo(line, err=True)

    async def work(store: Store) -> CampaignRow:
        return await store.create_campaign(campaign, file.resolve().parent, now())

    row = with_store(settings, work)
    if as_json:
        may = not cleared.problems
        typer.echo(json.dumps({"campaign": row.name, "state": row.state, "may_start": may}))
        return
    typer.echo(f"{row.name}: {row.state}")
    if cleared.problems:
        typer.echo(f"it cannot start yet: {counted(len(cleared.problems), 'problem')} above")
    elif row.state is CampaignState.DRAFT:
        typer.echo(f"next: voicebot campaign import {row.name} CONTACTS.csv")


def schema() -> None:
    """Print the JSON Schema of campaign files."""
    typer.echo(schema_text())


def _looked_at(file: Path, config: Config) -> tuple[Campaign, Clearance]:
    """Return the campaign of a file, and what stands against it. Raises UserError where it is none."""
    try:
        campaign = load_campaign(file)
    except UserError as error:
        raise UserError(
            replace(problem, source=problem.source or str(file)) for problem in error.problems
        ) from None
    found = clearance(campaign, file, config)

    return campaign, Clearance(
        tuple(replace(problem, source=problem.source or str(file)) for problem in found.problems),
        tuple(replace(problem, source=problem.source or str(file)) for problem in found.warnings),
        found.evidence,
    )
