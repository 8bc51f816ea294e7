"""`voicebot campaign do-not-call`: lists of numbers that nobody may call."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.importing.numbers import read_numbers
from voicebot.store.histories import OPT_OUTS
from voicebot.store.rows import ListImported
from voicebot.store.store import Store

Region = Annotated[str, typer.Option("--region", help="Country of numbers written without +.")]

lists = typer.Typer(no_args_is_help=True, help="Lists of numbers that nobody may call.")


@lists.command("import")
def import_list(
    name: Annotated[str, typer.Argument(help="The list's name, as campaigns name it.", metavar="LIST")],
    file: Annotated[Path, typer.Argument(help="CSV, or one number a line.")],
    column: Annotated[str, typer.Option("--column", help="Of a CSV; none: the first.")] = "",
    region: Region = "US",
    max_age: Annotated[
        int | None, typer.Option("--max-age", min=1, help="Days after which it is stale.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Numbers that are not in the file leave the list.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add a file of numbers to a list. Calls to them that are on their way are taken back."""
    if name == OPT_OUTS:
        raise UserError(Problem(f"`{name}` are our own opt-outs", "add one with `do-not-call add NUMBER`"))
    found = read_numbers(file, column=column, region=region)

    async def work(store: Store) -> ListImported:
        return await store.import_list(name, found.numbers, now(), max_age_days=max_age, replace=replace)

    done = with_store(load_config(config), work)
    if as_json:
        typer.echo(json.dumps({**asdict(done), "unreadable": len(found.rejected)}))
        return
    typer.echo(f"{name}: {done.new:,} new, {done.known:,} known, {done.removed:,} removed")
    for problem in found.rejected[:10]:
        typer.echo(f"passed over: {problem}", err=True)
    if len(found.rejected) > 10:
        typer.echo(f"passed over: {len(found.rejected) - 10:,} more", err=True)


@lists.command("list")
def show_lists(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show the lists, their size and age."""
    rows = with_store(load_config(config), lambda store: store.lists())
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], default=str))
        return
    table = Table(box=None, pad_edge=False)
    for title in ("list", "numbers", "imported", "stale after"):
        table.add_column(title)
    for row in rows:
        stale = f"{row.max_age_days} days" if row.max_age_days else "never"
        table.add_row(
            row.name, f"{row.numbers:,}", row.imported_at.astimezone().strftime("%Y-%m-%d %H:%M"), stale
        )
    print_table(console(), table)


@lists.command("add")
def add(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.")],
    how: Annotated[
        str, typer.Option("--how", help="How they told us: by letter, to an agent, ...")
    ] = "told us",
    region: Region = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Call a number never again; calls to it that are on their way are taken back."""
    e164 = number_of(number, region)
    taken_back = with_store(load_config(config), lambda store: store.opt_out(e164, how, now()))
    if as_json:
        typer.echo(json.dumps({"number": e164, "taken_back": list(taken_back)}))
    else:
        also = f"; {len(taken_back)} on their way are taken back" if taken_back else ""
        typer.echo(f"{e164} is called no more{also}")


@lists.command("remove")
def remove(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.")],
    how: Annotated[str, typer.Option("--how", help="Why: the ledger keeps it.")],
    region: Region = "US",
    config: ConfigFile = None,
) -> None:
    """Undo an opt-out that was a mistake. The ledger keeps both."""
    e164 = number_of(number, region)
    if not with_store(load_config(config), lambda store: store.withdraw_opt_out(e164, how, now())):
        raise UserError(Problem(f"{e164} is not among the opt-outs", "see `voicebot campaign why`"))
    typer.echo(f"{e164} may be called again")
