"""`voicebot callfile`: for whoever only needs a call placed. No dialog, no campaign, no rules."""

from __future__ import annotations

import json
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from voicebot.campaign.callfile import CallFile, Parsed, compose, parse
from voicebot.campaign.fence import ATTEMPT
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import load_config
from voicebot.errors import Problem, UserError
from voicebot.outbound.moments import moment
from voicebot.outbound.spool import Entry, FileState, Handing, Spool
from voicebot.outbound.spool_health import SpoolUnavailable

EXIT_NOT_ANSWERED = 1
EXIT_UNKNOWN_END = 3
FOLLOW_POLL_S = 0.1
GONE_AFTER_S = 1.0
"""A file that is in neither folder for so long has ended without being archived."""

callfile = typer.Typer(
    no_args_is_help=True,
    help="Call files of Asterisk: write, list, cancel and follow them. Rules of campaigns do not hold here: "
    "see `voicebot call` and `voicebot campaign`.",
)
SpoolFolder = Annotated[
    Path | None,
    typer.Option("--spool", help="Asterisk's spool folder; else dialling.spool of the configuration."),
]
Name = Annotated[str, typer.Argument(help="Name of the file, as `list` shows it.")]


@callfile.command("write")
def write(
    channel: Annotated[str, typer.Option("--channel", help="Whom to call: PJSIP/+12025550142@trunk.")] = "",
    context: Annotated[str, typer.Option("--context", help="Where to go when it is answered.")] = "",
    extension: Annotated[str, typer.Option("--extension", help="Extension there.")] = "",
    priority: Annotated[int, typer.Option("--priority", help="Priority there.")] = 1,
    application: Annotated[
        str, typer.Option("--application", help="Or: an application to run when it is answered.")
    ] = "",
    data: Annotated[str, typer.Option("--data", help="Its arguments.")] = "",
    caller: Annotated[str, typer.Option("--caller", help="The caller's number that is shown.")] = "",
    caller_name: Annotated[str, typer.Option("--caller-name", help="The caller's name that is shown.")] = "",
    wait_time: Annotated[int, typer.Option("--wait-time", help="How long it may ring, in s.")] = 45,
    max_retries: Annotated[
        int, typer.Option("--max-retries", help="How often Asterisk tries again by itself.")
    ] = 0,
    retry_time: Annotated[int, typer.Option("--retry-time", help="Time between two tries, in s.")] = 300,
    codecs: Annotated[str, typer.Option("--codecs", help="Such as ulaw,alaw.")] = "",
    variable: Annotated[
        list[str] | None, typer.Option("--set", help="A channel variable, as NAME=value; repeatable.")
    ] = None,
    account: Annotated[str, typer.Option("--account", help="Account code.")] = "",
    keep: Annotated[
        bool, typer.Option("--keep", help="AlwaysDelete: no. Asterisk leaves a file whose time was set anew.")
    ] = False,
    archive: Annotated[
        bool, typer.Option("--archive/--no-archive", help="Keep the file in outgoing_done/, with its status.")
    ] = True,
    early_media: Annotated[
        bool, typer.Option("--early-media", help="Go on at the first audio, before the answer.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--from", help="A call file to check and place, `-` for standard input.")
    ] = None,
    at: Annotated[str, typer.Option("--at", help="When: 07:30, 2027-03-01T07:30, +10m; local time.")] = "",
    name: Annotated[str, typer.Option("--name", help="Name of the file; else one is made.")] = "",
    only_print: Annotated[bool, typer.Option("--print", help="Print the file; place nothing.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for its end, as `follow` does.")
    ] = False,
    spool: SpoolFolder = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Write a call file, checked, and hand it over to Asterisk: now, or for a time to come."""
    if file is not None:
        wanted = _read(file)
    else:
        wanted = CallFile(
            channel=channel, application=application, data=data, context=context, extension=extension,
            priority=priority, caller_number=caller, caller_name=caller_name, max_retries=max_retries,
            retry_time=retry_time, wait_time=wait_time,
            codecs=tuple(each.strip() for each in codecs.split(",") if each.strip()),
            variables=_variables(variable or []), account=account, always_delete=not keep,
            archive=archive or follow, early_media=early_media,
        )  # fmt: skip
    now = datetime.now(UTC)
    due = moment(at, _local_zone(), now) if at else None
    if only_print:
        typer.echo(compose(wanted), nl=False)
        return
    place = _spool(spool, config)
    name = name or f"{(due or now):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.call"
    with _mendable():
        place.prepare()
        (result,) = place.hand_over([Handing(name, wanted, due)])
    if result.problem is not None and not result.handed:
        raise UserError(result.problem)
    if follow:
        if not as_json:
            typer.echo(name, err=True)
        _follow(place, name, as_json)
    if as_json:
        typer.echo(json.dumps({"name": name, "due": (due or now).isoformat(), "text": compose(wanted)}))
    else:
        typer.echo(name)


@callfile.command("list")
def list_files(
    archived: Annotated[bool, typer.Option("--done", help="Those that are done, in outgoing_done/.")] = False,
    spool: SpoolFolder = None,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """List what waits in the spool, by the time it is due."""
    with _mendable():
        entries = tuple(_spool(spool, config).entries(archived=archived))
    if as_json:
        typer.echo(json.dumps([_to_json(entry) for entry in entries], ensure_ascii=False))
        return
    if not entries:
        typer.echo("no call files")
        return
    table = Table("name", "state", "last change" if archived else "due", "channel", "goes to", box=None)
    for entry in entries:
        table.add_row(
            entry.name, entry.state.value, f"{entry.due.astimezone():%Y-%m-%d %H:%M:%S}", *_whereto(entry)
        )
    print_table(console(wrap=False), table)


@callfile.command("show")
def show(name: Name, spool: SpoolFolder = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Show one call file, and what Asterisk has noted in it."""
    with _mendable():
        entry = _spool(spool, config).find(name)
    if entry is None:
        raise _unknown(name)
    if as_json:
        typer.echo(json.dumps(_to_json(entry), ensure_ascii=False))
        return
    if entry.parsed is None:
        raise UserError(entry.problems)
    typer.echo(compose(entry.parsed.file), nl=False)
    typer.echo(f"\n{entry.state.value}, {entry.due.astimezone():%Y-%m-%d %H:%M:%S}")
    for note in entry.parsed.notes:
        typer.echo(
            f"{note.kind} {note.retry} by process {note.pid}, {note.at.astimezone():%Y-%m-%d %H:%M:%S}"
        )


@callfile.command("cancel")
def cancel(name: Name, spool: SpoolFolder = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Take a call file back before Asterisk begins with it. Exit status 1: too late."""
    place = _spool(spool, config)
    with _mendable():
        if place.find(name) is None:
            raise _unknown(name)
        attempt = name.removesuffix(".call")
        if ATTEMPT.fullmatch(attempt) and place.dialled.is_dir():
            done = place.cancel_attempt(attempt, datetime.now(UTC))
        else:
            done = place.cancel(name)
    if as_json:
        typer.echo(json.dumps({"name": name, "in_time": done.in_time}))
    else:
        typer.echo("taken back" if done.in_time else "too late: Asterisk has begun with it")
    raise typer.Exit(0 if done.in_time else EXIT_NOT_ANSWERED)


@callfile.command("follow")
def follow(name: Name, spool: SpoolFolder = None, config: ConfigFile = None, as_json: Json = False) -> None:
    """Wait until Asterisk is done with a call file.

    Exit status 0: it was answered; 1: it was not; 3: nobody can tell, because the file was not archived.
    """
    _follow(_spool(spool, config), name, as_json)


def _follow(spool: Spool, name: str, as_json: bool) -> None:
    gone_since = None
    told = ""
    while True:
        with _mendable():
            entry = spool.find(name)
        if entry is None:
            gone_since = gone_since or time.monotonic()
            if not told:
                raise _unknown(name)
            if time.monotonic() - gone_since > GONE_AFTER_S:
                typer.echo("gone: it was taken back, or has ended and was not archived", err=True)
                raise typer.Exit(EXIT_UNKNOWN_END)
        else:
            gone_since = None
            if entry.state.value != told and not as_json:
                typer.echo(entry.state.value)
            told = entry.state.value
            if entry.state in (FileState.COMPLETED, FileState.EXPIRED, FileState.FAILED):
                if as_json:
                    typer.echo(json.dumps(_to_json(entry), ensure_ascii=False))
                raise typer.Exit(0 if entry.state is FileState.COMPLETED else EXIT_NOT_ANSWERED)
        time.sleep(FOLLOW_POLL_S)


@contextmanager
def _mendable() -> Iterator[None]:
    """Turn a spool that cannot be used into a mistake that ends the command with its remedy."""
    try:
        yield
    except SpoolUnavailable as error:
        raise UserError(error.problems) from error


def _spool(folder: Path | None, config: Path | None) -> Spool:
    if folder is not None:
        return Spool(folder.resolve())
    settings = load_config(config, secrets=False)
    return Spool(settings.resolve(settings.dialling.spool))


def _read(file: Path) -> CallFile:
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", source=str(file))) from error
    except UnicodeDecodeError as error:
        raise UserError(Problem("is not UTF-8 text", "save it as UTF-8", str(file))) from error
    return parse(text, str(file)).file


def _variables(settings: list[str]) -> tuple[tuple[str, str], ...]:
    problems = [
        Problem(f"--set {each}: there is no `=`", "write --set NAME=value")
        for each in settings
        if "=" not in each
    ]
    if problems:
        raise UserError(problems)
    pairs = (each.partition("=") for each in settings)
    return tuple((name, value) for name, _, value in pairs)


def _local_zone() -> str:
    """The machine's time zone; UTC where it has no name."""
    try:
        return str(Path("/etc/localtime").resolve().relative_to("/usr/share/zoneinfo"))
    except ValueError:
        return "UTC"


def _whereto(entry: Entry) -> tuple[str, str]:
    if entry.parsed is None:
        return "", str(entry.problems[0].what)
    file = entry.parsed.file
    return file.channel, file.application or f"{file.extension}@{file.context}"


def _to_json(entry: Entry) -> dict[str, Any]:
    found: dict[str, Any] = {"name": entry.name, "state": entry.state.value, "due": entry.due.isoformat()}
    if entry.parsed is not None:
        found |= _parsed_to_json(entry.parsed)
    if entry.problems:
        found["problems"] = [str(problem) for problem in entry.problems]
    return found


def _parsed_to_json(parsed: Parsed) -> dict[str, Any]:
    file = asdict(parsed.file)
    file["variables"] = [list(pair) for pair in parsed.file.variables]
    notes = [
        {"kind": note.kind, "pid": note.pid, "retry": note.retry, "at": note.at.isoformat()}
        for note in parsed.notes
    ]
    return {"file": file, "notes": notes, "status": parsed.status}


def _unknown(name: str) -> UserError:
    return UserError(
        Problem(f"there is no call file `{name}`", "see `voicebot callfile list` and `list --done`")
    )
