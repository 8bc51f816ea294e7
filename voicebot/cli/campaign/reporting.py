"""`voicebot campaign report`: what a campaign came to; a table of all contacts, and a page with charts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.campaign.words import amounts, counted
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.reporting.figures import Figures
from voicebot.outbound.reporting.run import Report
from voicebot.outbound.reporting.run import report as make_report
from voicebot.store.store import Store


def report(
    name: CampaignName,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write a table with a row for each contact there.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with charts there.")] = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Tell what a campaign came to.

    So far, or in the end. Writes a table and a page of it where asked to: files that are there are replaced.
    What the dialog calls sensitive is in neither.
    """
    if csv and html and csv.resolve() == html.resolve():
        raise UserError(
            Problem("table and page have one name", "give --csv and --html a file each", str(csv))
        )
    out = Console(stderr=True)
    bar = Progress(
        TextColumn("[dim]contacts"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=out,
        transient=True, disable=not out.is_terminal,
    )  # fmt: skip

    async def work(store: Store) -> Report:
        at = now()
        status = await store.status(name, at)
        with bar:
            task = bar.add_task("contacts", total=sum(status.contacts.values()))
            return await make_report(
                store,
                name,
                at,
                table_path=csv,
                page_path=html,
                progress=lambda done: bar.update(task, completed=done),
            )

    done = with_store(load_config(config, without=OF_ASTERISK), work)
    if as_json:
        typer.echo(json.dumps({"campaign": name, **done.as_json()}, ensure_ascii=False))
        return
    typer.secho(name, bold=True)
    print_table(console(), _summary(done.figures))
    for notice in done.notices:
        typer.echo(notice, err=True)
    for what, path in (("table", done.table), ("page", done.page)):
        if path:
            typer.echo(f"{what}: {path}")


def _summary(figures: Figures) -> Table:
    rows = Table(box=None, show_header=False, pad_edge=False)
    rows.add_column(style="dim")
    rows.add_column()
    rows.add_row("contacts", f"{figures.contacts:,}: {amounts(figures.states) or 'none'}")
    rows.add_row(
        "called", f"{counted(figures.called, 'person', 'people')}, in {counted(figures.calls, 'call')}"
    )
    rows.add_row("reached", f"{figures.reached:,}{_share(figures.reached, figures.called)}")
    rows.add_row("goal", f"{figures.goals:,}{_share(figures.goals, figures.called)}")
    if figures.dispositions:
        rows.add_row("calls became", amounts(figures.dispositions))
    if figures.outcomes:
        rows.add_row("outcomes", amounts(figures.outcomes))
    if figures.talk_s:
        median = f"half of the conversations up to {figures.median_talk_s} s"
        rows.add_row("talk", f"{figures.talk_s / 60:,.1f} minutes, {median}")
    for slot, values in _values(figures).items():
        rows.add_row(slot, values)
    return rows


def _values(figures: Figures) -> Mapping[str, str]:
    return {slot.replace("_", " "): amounts(values) for slot, values in figures.slots.items() if values}


def _share(part: int, whole: int) -> str:
    return f" ({part / whole:.1%})" if whole else ""
