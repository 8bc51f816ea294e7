"""`voicebot dialog replay`: recorded calls against a dialog as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.table import Table
from rich.text import Text

from voicebot.app.logs import one_line
from voicebot.authoring.replay.replaying import Replay, Row, Summary, as_json, replay_all, summary_json
from voicebot.authoring.replay.replaying import replay as replayed
from voicebot.call.record import CallRecord, find_record, read_record
from voicebot.cli.dialog.given import given_of
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import Config, load_config
from voicebot.dialog.loading.files import load_dialog
from voicebot.errors import Problem, UserError

EXIT_DIFFERENT = 1
MOST_SHOWN = 20
"""Calls that differ which a summary names."""


def replay(
    file: Annotated[Path, typer.Argument(help="The dialog, as it is now.")],
    calls: Annotated[
        list[str], typer.Argument(help="Records of calls: files, folders, a call's id, or `last`.")
    ],
    given: Annotated[
        list[str] | None, typer.Option("--given", help="A value that it needs, as name=value; repeatable.")
    ] = None,
    config: ConfigFile = None,
    as_json_: Json = False,
) -> None:
    """Run what callers said in recorded calls against a dialog, and show where it would differ now.

    Several calls, or a folder, make a summary. Exit status 1 where a call goes another way.
    """
    dialog = load_dialog(file)
    values = given_of(given)
    records = list(_records(calls, config))
    one = len(records) == 1 and not Path(calls[0]).is_dir()
    if one:
        route_values, zone = _from_route(records[0], config)
        found = replayed(records[0], dialog, {**route_values, **values}, zone=zone)
        if as_json_:
            typer.echo(json.dumps(as_json(found), ensure_ascii=False))
        else:
            _show(found)
        same = found.same
    else:
        summary = Summary()
        for record in records:
            route_values, zone = _from_route(record, config)
            each = replay_all([record], dialog, {**route_values, **values}, zone=zone)
            summary.replays += each.replays
            summary.failed += each.failed
            summary.others += each.others
        if as_json_:
            typer.echo(json.dumps(summary_json(summary), ensure_ascii=False))
        else:
            _show_summary(summary, dialog.name)
        same = not summary.different and not summary.failed
    if not same:
        raise typer.Exit(EXIT_DIFFERENT)


def _records(calls: Iterable[str], config: Path | None) -> Iterable[CallRecord]:
    for call in calls:
        path = Path(call)
        if path.is_dir():
            files = sorted(path.rglob("*.json"))
            if not files:
                raise UserError(Problem("holds no records of calls", "", call))
            for each in files:
                try:
                    yield read_record(each)
                except UserError as error:
                    typer.echo(f"warning: {error}", err=True)
        elif path.suffix == ".json" or path.exists():
            yield read_record(path)
        else:
            yield find_record(load_config(config, secrets=False).var, call)


def _from_route(record: CallRecord, config: Path | None) -> tuple[Mapping[str, object], tzinfo | None]:
    """Return what the route of the call gives its dialog, and its zone, as the configuration has it now."""
    try:
        settings = _settings(config)
    except UserError:
        if config is not None:
            raise
        return {}, None
    matching = (route for route in settings.routes if route.number == record.called.number)
    route = next(matching, None)
    name = (route.timezone if route else "") or settings.dialogs.timezone
    zone = ZoneInfo(name) if name else datetime.now().astimezone().tzinfo
    return route.given if route else {}, zone


@lru_cache(maxsize=1)
def _settings(config: Path | None) -> Config:
    return load_config(config, secrets=False)


# --- for people -----------------------------------------------------------------------------------------


def _show(found: Replay) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False, expand=False)
    for column in ("", "caller", "then", "now"):
        table.add_column(column, overflow="fold", ratio=None if column == "" else 1)
    for row in found.rows:
        mark = Text("≠" if row.differs else "=", style="red bold" if row.differs else "green")
        caller = Text(one_line(row.caller))
        if row.guessed:
            caller.append(" (guessed)", style="dim")
        table.add_row(mark, caller, _side(row, then=True), _side(row, then=False))
    out = console()
    if out.is_terminal:
        out.print(table)
    else:
        print_table(out, table)
    for name, (then, now) in found.slots.items():
        out.print(_line(f"slot {name}: then {then or 'unknown'}, now {now or 'unknown'}", "red"))
    if found.outcome_then != found.outcome_now:
        out.print(
            _line(f"outcome: then {found.outcome_then or 'none'}, now {found.outcome_now or 'none'}", "red")
        )
    for note in found.notes:
        out.print(_line(f"note: {note}", "yellow"))
    if found.stopped:
        out.print(_line(f"stopped: {found.stopped}", "red"))
    verdict = "the same" if found.same else f"different: {found.why}"
    out.print(_line(f"call {found.id[:12]}: {verdict}", "green bold" if found.same else "red bold"))


def _side(row: Row, *, then: bool) -> Text:
    said, step, taken = (
        (row.said_then, row.step_then, row.taken_then)
        if then
        else (row.said_now, row.step_now, row.taken_now)
    )
    text = Text()
    if taken:
        text.append(f"[{one_line(taken)}] ", style="red" if "understood" in row.differs else "dim")
    text.append(f"{step}: ", style="red" if "step" in row.differs else "dim")
    text.append(one_line(said), style="red" if "said" in row.differs else "")
    return text


def _show_summary(summary: Summary, dialog: str) -> None:
    out = console()
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("outcome then", "outcome now", "calls"):
        table.add_column(column, justify="right" if column == "calls" else "left")
    for (then, now), count in sorted(summary.outcomes.items(), key=lambda item: -item[1]):
        style = "" if then == now else "red"
        table.add_row(Text(then or "none", style), Text(now or "none", style), str(count))
    print_table(out, table)
    for each in summary.different[:MOST_SHOWN]:
        out.print(_line(f"call {each.id[:12]}: {each.why}", "red"))
    if len(summary.different) > MOST_SHOWN:
        out.print(f"... and {len(summary.different) - MOST_SHOWN} more; --json names them all")
    for call, why in summary.failed[:MOST_SHOWN]:
        out.print(_line(f"call {call[:12]}: not replayed: {why}", "yellow"))
    if summary.others:
        out.print(f"{summary.others} calls of other dialogs than {dialog} were passed over")
    parts = f"{len(summary.replays)} calls: {summary.same} the same, {len(summary.different)} different"
    out.print(_line(parts, "red bold" if summary.different else "green bold"))


def _line(text: str, style: str = "") -> Text:
    return Text(one_line(text), style=style)
