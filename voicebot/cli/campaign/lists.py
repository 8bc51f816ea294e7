"""`voicebot campaign do-not-call`: lists of numbers that nobody may call."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from voicebot.cli.campaign.numbers import number_of
from voicebot.cli.campaign.opened import now, with_store
from voicebot.cli.campaign.why import plain
from voicebot.cli.campaign.words import counted
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import OF_ASTERISK, load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.importing.numbers import read_numbers
from voicebot.store.histories import OPT_OUTS
from voicebot.store.rows import ListImported, ListRow
from voicebot.store.store import Store

Region = Annotated[str, typer.Option("--region", help="Country of numbers written without +.")]

NAME = "[a-z0-9][a-z0-9_-]{0,63}"

lists = typer.Typer(no_args_is_help=True, help="Lists of numbers that nobody may call.")


@lists.command("import")
def import_list(
    name: Annotated[str, typer.Argument(help="The list's name, as campaigns name it.", metavar="LIST")],
    file: Annotated[Path, typer.Argument(help="CSV, or one number a line.", metavar="FILE")],
    column: Annotated[str, typer.Option("--column", help="Of a CSV; none: the first.")] = "",
    region: Region = "US",
    max_age: Annotated[
        int | None,
        typer.Option(
            "--max-age", min=0, help="Days after which it is stale; 0: never. Not given: as it was before."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Numbers that are not in the file leave the list.")
    ] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Add a file of numbers to a list.

    Calls to them that are on their way are taken back. The same file again makes the list as old as today.
    """
    if name == OPT_OUTS:
        raise UserError(Problem(f"`{name}` are our own opt-outs", "add one with `do-not-call add NUMBER`"))
    if not re.fullmatch(NAME, name):
        raise UserError(
            Problem(f"`{name}` cannot be a list's name", "small letters, digits, - and _: national")
        )
    found = read_numbers(file, column=column, region=region)

    async def work(store: Store) -> ListImported:
        days = max_age or None
        if max_age is None:  # a list that goes stale does so after its next import as well
            days = next((row.max_age_days for row in await store.lists() if row.name == name), None)
        return await store.import_list(name, found.numbers, now(), max_age_days=days, replace=replace)

    done = with_store(load_config(config, without=OF_ASTERISK), work)
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
    rows = with_store(load_config(config, without=OF_ASTERISK), lambda store: store.lists())
    if as_json:
        typer.echo(json.dumps([{**asdict(row), "stale": _stale(row)} for row in rows], default=plain))
        return
    if not rows:
        typer.echo("no lists yet: `voicebot campaign do-not-call import LIST FILE`")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("list", "numbers", "imported", "stale after"):
        table.add_column(title)
    for row in rows:
        limit = counted(row.max_age_days, "day") if row.max_age_days else "never"
        if _stale(row):
            limit += ": it is stale, and halts campaigns that name it"
        table.add_row(
            row.name, f"{row.numbers:,}", row.imported_at.astimezone().strftime("%Y-%m-%d %H:%M %Z"), limit
        )
    print_table(console(), table)


@lists.command("add")
def add(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.", metavar="NUMBER")],
    how: Annotated[
        str, typer.Option("--how", help="How they told us: by letter, to an agent, ...")
    ] = "told us",
    region: Region = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Call a number never again.

    By no campaign; calls to it that are on their way are taken back.
    """
    e164 = number_of(number, region)
    taken_back = with_store(
        load_config(config, without=OF_ASTERISK), lambda store: store.opt_out(e164, how, now())
    )
    if as_json:
        typer.echo(json.dumps({"number": e164, "taken_back": list(taken_back)}))
    else:
        on_the_way = counted(len(taken_back), "call is on its way", "calls are on their way")
        also = f"; {on_the_way}, and taken back unless it rings already" if taken_back else ""
        typer.echo(f"{e164} is called no more{also}")


@lists.command("remove")
def remove(
    number: Annotated[str, typer.Argument(help="With +, or as written in its country.", metavar="NUMBER")],
    how: Annotated[str, typer.Option("--how", help="Why: the ledger keeps it.")],
    region: Region = "US",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Undo an opt-out that was a mistake.

    The ledger keeps both. Numbers leave other lists by `import --replace`.
    """
    e164 = number_of(number, region)
    removed = with_store(
        load_config(config, without=OF_ASTERISK), lambda store: store.withdraw_opt_out(e164, how, now())
    )
    if as_json:
        typer.echo(json.dumps({"number": e164, "removed": removed}))
    elif removed:
        typer.echo(f"{e164} is no opt-out any more; what else is known: `voicebot campaign why {e164}`")
    else:
        typer.echo(f"{e164} is not among the opt-outs: nothing was changed")


def _stale(row: ListRow) -> bool:
    return row.max_age_days is not None and now() - row.imported_at > timedelta(days=row.max_age_days)
