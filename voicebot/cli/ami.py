"""`voicebot ami`: the manager interface for the shell: events and actions as JSON lines."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from voicebot.ami.actions import ListCommands
from voicebot.ami.events import Missed, UnknownEvent
from voicebot.ami.messages import Message
from voicebot.ami.pbx_actions import AnyAction
from voicebot.ami.selecting import Filter, as_json, parse_filter, selects
from voicebot.app.logs import configure_logs
from voicebot.cli.harmless import harmless, json_line
from voicebot.cli.options import ConfigFile
from voicebot.config import Config, load_config
from voicebot.errors import PbxError, Problem, UserError
from voicebot.pbx.ami_client import AmiClient, AmiRefused, AmiUnsure
from voicebot.pbx.link import Link

EXIT_REFUSED = 1
EXIT_INTERRUPTED = 130
GRANTED = "`write` of manager.conf grants it (docs/ami.md), or --user is another user"
PASSWORD = "VOICEBOT_AMI_PASSWORD"
"""Environment variable with the secret of the user. Never an option: everybody here would see it."""

ami = typer.Typer(
    no_args_is_help=True,
    help="Asterisk's manager interface (AMI): live events, and any action, as JSON lines. Logs in as "
    "supervision.ami_user, else as asterisk.ami_user.",
)
User = Annotated[
    str,
    typer.Option(
        "--user",
        help=f"Another user of manager.conf; its secret from {PASSWORD}, --password-file, or the "
        "configuration.",
    ),
]
PasswordFile = Annotated[
    Path | None, typer.Option("--password-file", help="File that holds the secret of --user.")
]
Host = Annotated[str | None, typer.Option("--host", help="Where AMI is; else asterisk.ami_host.")]
Port = Annotated[int | None, typer.Option("--port", help="Its port; else asterisk.ami_port.")]


@ami.command("events")
def events(
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            "-f",
            help="Header=value, 'Header~regular expression', or with != and !~ the opposite. All must hold; "
            "of several values of one header, one.",
        ),
    ] = None,
    count: Annotated[int, typer.Option("--count", "-n", min=0, help="End after so many; 0: never.")] = 0,
    seconds: Annotated[float, typer.Option("--seconds", "-s", min=0, help="End then; 0: never.")] = 0,
    user: User = "",
    password_file: PasswordFile = None,
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
) -> None:
    """Print events as they come, one JSON object a line with all headers, until Ctrl-C.

    What the user may see and its filters in manager.conf decide what comes. A lost connection is opened
    again, and told on standard error, as are events that were missed.
    """
    wanted = _filters(filters or [])
    settings = _settings(config, host, port)
    client = _client(settings, user, password_file, events=True)
    _run(_events(client, wanted, count, seconds))


@ami.command("action")
def action(
    name: Annotated[str, typer.Argument(help="Such as Ping or CoreShowChannels.", metavar="NAME")],
    headers: Annotated[
        list[str] | None, typer.Argument(help="Its headers, as Key=Value.", metavar="[KEY=VALUE]...")
    ] = None,
    variables: Annotated[
        list[str] | None, typer.Option("--variable", "-v", help="A channel variable, as NAME=value.")
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, max=3600, help="Longest wait for the answer, in s.")
    ] = 5.0,
    user: User = "",
    password_file: PasswordFile = None,
    host: Host = None,
    port: Port = None,
    config: ConfigFile = None,
) -> None:
    """Ask for an action, and print its reply and what it lists, one JSON object a line.

    Exit status: 0 done, 1 refused by Asterisk or nobody knows, 2 a mistake of yours.
    """
    asked = AnyAction(
        name, _pairs(headers or [], "Key=Value"), _pairs(variables or [], "--variable NAME=value")
    )
    try:
        asked.headers()
    except ValueError as error:
        raise UserError(
            Problem(str(error), "Asterisk would read something else; write it as Asterisk does")
        ) from None
    client = _client(_settings(config, host, port), user, password_file, events=False)
    _run(_action(client, asked, timeout_s))


async def _events(client: AmiClient, wanted: list[Filter], count: int, seconds: float) -> int:
    left = count
    async with client:
        with client.subscribe() as stream:
            try:
                async with asyncio.timeout(seconds or None):
                    async for event in stream:
                        if isinstance(event, Missed):
                            _say("events were missed" + (f": {event.count}" if event.count else ""))
                        elif isinstance(event, UnknownEvent) and selects(wanted, event.message):
                            _print(event.message)
                            left -= 1
                            if left == 0:
                                return 0
            except TimeoutError:
                return 0
    return 0


async def _action(client: AmiClient, asked: AnyAction, timeout_s: float) -> int:
    try:
        async with client:
            if asked.danger:
                _say(f"warning: {asked.name} {asked.danger}")
                allowed = (await client.action(ListCommands())).response
                if not allowed.all(asked.name):
                    _say(f"refused: this user may not do {asked.name}; it was not sent — {GRANTED}")
                    return EXIT_REFUSED
            answered = await client.action(asked, timeout_s)
    except AmiRefused as error:
        _print(error.response)
        return EXIT_REFUSED
    except ValueError as error:
        raise UserError(Problem(str(error), "shorten it, or write it plainly")) from None
    for message in (answered.response, *answered.listed):
        _print(message)
    return 0


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Do it, and end with its exit status; Ctrl-C and a reader who has gone end it without a word."""
    configure_logs("error")
    try:
        status = asyncio.run(work)
        sys.stdout.flush()
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for Python's own flush at the end
        status = 0
    except AmiUnsure as error:
        _say(f"error: {error} — look whether it was done; --timeout waits longer")
        status = EXIT_REFUSED
    except PbxError as error:
        _say(f"error: {error} — is Asterisk up? `voicebot doctor` checks it; --host and --port tell where")
        status = EXIT_REFUSED
    raise typer.Exit(status)


def _settings(config: Path | None, host: str | None, port: int | None) -> Config:
    try:
        return load_config(config, flags={"asterisk.ami_host": host, "asterisk.ami_port": port})
    except UserError as error:  # our flags are called otherwise
        flags = {"--ami-host": "--host", "--ami-port": "--port"}
        raise UserError(
            replace(problem, source=flags.get(problem.source, problem.source)) for problem in error.problems
        ) from None


def _client(config: Config, user: str, password_file: Path | None, *, events: bool) -> AmiClient:
    """Return the connection of whoever is to log in. Raises UserError where the secret is not known."""
    asterisk, supervision = config.asterisk, config.supervision
    secrets = {
        asterisk.ami_user: asterisk.ami_password.get_secret_value(),
        supervision.ami_user: supervision.ami_password.get_secret_value(),
    }
    user = user or supervision.ami_user or asterisk.ami_user
    secret = os.environ.get(PASSWORD, "") or secrets.get(user, "")
    if password_file is not None:
        try:
            secret = password_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise UserError(
                Problem(f"{password_file} cannot be read: {why}", "write the secret there")
            ) from None
    if not secret:
        raise UserError(
            Problem(
                f"there is no secret for the manager user {user!r}",
                f"set supervision.ami_password_file, or give {PASSWORD} or --password-file",
            )
        )
    return AmiClient(
        asterisk.ami_host, asterisk.ami_port, user, secret, on_link=_Links(), events=events, typed=False
    )


class _Links:
    """Tells on standard error what becomes of the connection, after the first time."""

    def __init__(self) -> None:
        self._before = False

    def __call__(self, link: Link, why: str) -> None:
        if link is Link.LOST:
            _say(f"connection lost ({why}); trying again")
        elif link is Link.CONNECTED and self._before:
            _say("connected again")
        self._before = True


def _filters(texts: list[str]) -> list[Filter]:
    found, problems = [], []
    for text in texts:
        try:
            found.append(parse_filter(text))
        except ValueError as error:
            problems.append(Problem(str(error), source="--filter"))
    if problems:
        raise UserError(problems)
    return found


def _pairs(texts: list[str], form: str) -> tuple[tuple[str, str], ...]:
    pairs = [text.partition("=") for text in texts]
    if wrong := [text for text, (name, sign, _) in zip(texts, pairs, strict=True) if not sign or not name]:
        raise UserError([Problem(f"{text!r} is no {form}", f"write {form}") for text in wrong])
    return tuple((name.strip(), value) for name, _, value in pairs)


def _print(message: Message) -> None:
    sys.stdout.write(json_line(as_json(message)) + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    typer.echo(harmless(text), err=True)
