"""`voicebot campaign import`: a table of contacts into a campaign."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from voicebot.cli.campaign.opened import CampaignName, now, with_store
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import OF_ASTERISK, load_config
from voicebot.outbound.importing.run import Imported, import_contacts
from voicebot.outbound.importing.run import Progress as Done
from voicebot.store.store import Store


def import_table(
    name: CampaignName,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX, with a header.", metavar="FILE")],
    encoding: Annotated[str, typer.Option("--encoding", help="Where it cannot be told: cp1252, ...")] = "",
    separator: Annotated[
        str, typer.Option("--separator", help="Where it cannot be told: `;`, tab, ...")
    ] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="Of an XLSX; none: the first.")] = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add a table of contacts to a campaign.

    The same file again adds what is missing, and nothing twice.

    Rows that cannot be called go to FILE.rejected.csv, each with its reason: mend and import that.
    """
    out = Console(stderr=True)
    bar = Progress(
        TextColumn("[dim]rows {task.fields[rows]:,}"), BarColumn(), TimeRemainingColumn(), console=out,
        transient=True, disable=not out.is_terminal,
    )  # fmt: skip

    async def work(store: Store) -> Imported:
        with bar:
            task = bar.add_task("rows", rows=0, total=None)

            def show(done: Done) -> None:
                bar.update(task, completed=done.done, total=done.size, rows=done.rows)

            return await import_contacts(
                store,
                await store.campaign(name),
                file,
                now(),
                encoding=encoding,
                separator="\t" if separator in ("tab", "\\t") else separator,
                sheet=sheet,
                progress=show,
            )

    done = with_store(load_config(config, without=OF_ASTERISK), work)
    if as_json:
        typer.echo(json.dumps(asdict(done), default=str, ensure_ascii=False))
        return
    for line in _told(name, done):
        typer.echo(harmless(line))


def _told(name: str, done: Imported) -> list[str]:
    lines = [f"read as {done.how}"] if done.how else []
    counts = {
        "new": done.new,
        "known already": done.known,
        "twice in the file": done.repeated,
        "rejected": done.rejected,
        "on a do-not-call list": done.blocked,
    }
    shown = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
    lines.append(f"{name}: {done.rows:,} rows: {shown}")
    lines += [f"  {problem}" for problem in done.examples]
    lines += done.notices
    if done.rejected_file is not None:
        lines.append(f"rejected rows: {done.rejected_file}; mend and import it")
    return lines
