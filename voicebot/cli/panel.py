"""`voicebot panel`: who may use the panel, and how they get in."""

from __future__ import annotations

import asyncio
import getpass
import json
import re
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, TypeVar

import typer
from rich.table import Table

from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.terminal import console, print_table
from voicebot.config import OF_ASTERISK, Config, load_config
from voicebot.config.patterns import NAME
from voicebot.errors import Problem, UserError
from voicebot.store.errors import StoreUnavailable
from voicebot.store.panel import PanelBook
from voicebot.store.store import open_store
from voicebot.web.security import secrets
from voicebot.web.security.passwords import hash_password
from voicebot.web.security.roles import LOCAL, OPERATOR, Role

T = TypeVar("T")
LINK_MINUTES = 5
PATIENCE_S = 10.0

panel = typer.Typer(no_args_is_help=True, help="Users of the panel, tokens of machines, links to sign in.")
user = typer.Typer(no_args_is_help=True, help="Who may sign in.")
token = typer.Typer(no_args_is_help=True, help="Ways in for machines.")
panel.add_typer(user, name="user")
panel.add_typer(token, name="token")

Name = Annotated[str, typer.Argument(help="a-z, 0-9, _ and -.", metavar="NAME")]
RoleOf = Annotated[
    Role,
    typer.Option("--role", help="viewer sees, supervisor acts on calls, author tries dialogs, admin all."),
]
FromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input, not the terminal.")
]


def _with_book(config: Config, doing: Callable[[PanelBook], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_store(config, patience_s=PATIENCE_S) as store:
            return await doing(store.panel)

    try:
        return asyncio.run(run())
    except StoreUnavailable as error:
        raise UserError(Problem(str(error), "is the database up? see docs/store.md")) from error


def _named(name: str) -> str:
    if not re.fullmatch(NAME, name) or name in (LOCAL, OPERATOR):
        raise UserError(f"`{name}` cannot be a name", "use a-z, 0-9, _ and -, up to 64")
    return name


def _password(from_stdin: bool) -> str:
    """Return the hash of a password that was given."""
    if from_stdin:
        return hash_password(sys.stdin.readline().rstrip("\n"))
    if not sys.stdin.isatty():
        raise UserError("there is no terminal to ask for a password", "use --password-stdin")
    first = getpass.getpass("password: ")
    hashed = hash_password(first)
    if getpass.getpass("once more: ") != first:
        raise UserError("the two are not the same", "try again")
    return hashed


@user.command("add")
def add_user(
    name: Name, role: RoleOf = Role.VIEWER, from_stdin: FromStdin = False, config: ConfigFile = None
) -> None:
    """Add somebody. Asks for a password."""
    settings = load_config(config, without=OF_ASTERISK)
    name = _named(name)
    hashed = _password(from_stdin)
    _with_book(settings, lambda book: book.add_user(name, role, hashed, datetime.now(UTC)))
    typer.echo(f"{name} may sign in as {role}: {address_of(settings)}")


@user.command("list")
def list_users(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show who may sign in."""
    users = _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.users())
    if as_json:
        told = [{"name": u.name, "role": u.role, "sessions": u.sessions} for u in users]
        typer.echo(json.dumps(told))
        return
    if not users:
        typer.echo("nobody yet: voicebot panel user add NAME --role admin")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("name", "role", "signed in", "sessions"):
        table.add_column(title)
    for each in users:
        at = each.signed_in_at
        when = at.astimezone().strftime("%Y-%m-%d %H:%M") if at else "never"
        table.add_row(each.name, each.role, when, str(each.sessions))
    print_table(console(), table)


@user.command("role")
def change_role(
    name: Name, role: Annotated[Role, typer.Argument(help="The new role.")], config: ConfigFile = None
) -> None:
    """Give somebody another role; it counts at once."""
    _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.change_user(name, role=role))
    typer.echo(f"{name} is {role}")


@user.command("password")
def change_password(name: Name, from_stdin: FromStdin = False, config: ConfigFile = None) -> None:
    """Give somebody another password; they are signed out everywhere."""
    settings = load_config(config, without=OF_ASTERISK)
    hashed = _password(from_stdin)
    _with_book(settings, lambda book: book.change_user(name, password=hashed))
    typer.echo(f"{name} has a new password")


@user.command("remove")
def remove_user(name: Name, config: ConfigFile = None) -> None:
    """Remove somebody; they are signed out."""
    _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.remove_user(name))
    typer.echo(f"{name} is removed")


@user.command("sign-out")
def sign_out(name: Name, config: ConfigFile = None) -> None:
    """End all of somebody's sessions."""
    ended = _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.end_sessions(name))
    typer.echo(f"{ended} session{'' if ended == 1 else 's'} ended")


@token.command("add")
def add_token(name: Name, role: RoleOf = Role.VIEWER, config: ConfigFile = None) -> None:
    """Make a token for a machine. It is shown this once."""
    secret, name = secrets.fresh(), _named(name)
    key = secrets.key_of(secret)
    _with_book(
        load_config(config, without=OF_ASTERISK),
        lambda book: book.add_token(name, key, role, datetime.now(UTC)),
    )
    typer.echo(secret)
    typer.echo("send it as `Authorization: Bearer TOKEN`; it is not shown again", err=True)


@token.command("list")
def list_tokens(config: ConfigFile = None, as_json: Json = False) -> None:
    """Show which machines may come in."""
    tokens = _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.tokens())
    if as_json:
        typer.echo(json.dumps([{"name": each.name, "role": each.role} for each in tokens]))
        return
    for each in tokens:
        typer.echo(f"{each.name}  {each.role}  since {each.created_at.astimezone():%Y-%m-%d}")
    if not tokens:
        typer.echo("none")


@token.command("remove")
def remove_token(name: Name, config: ConfigFile = None) -> None:
    """Let a machine in no more."""
    _with_book(load_config(config, without=OF_ASTERISK), lambda book: book.remove_token(name))
    typer.echo(f"{name} is removed")


@panel.command("link")
def link(
    name: Annotated[str | None, typer.Argument(help="A user; none: an admin without a name.")] = None,
    config: ConfigFile = None,
) -> None:
    """Make a link that signs in once, within five minutes: for the first visit, or a forgotten password."""
    settings = load_config(config, without=OF_ASTERISK)
    running = secrets.address_file(settings.var).exists()
    if not running and settings.panel.port == 0 and not settings.panel.origins:
        raise UserError("nobody knows yet where the panel will be: panel.port is 0", "start `voicebot serve`")
    secret = secrets.fresh()
    ends = datetime.now(UTC) + timedelta(minutes=LINK_MINUTES)

    async def keep(book: PanelBook) -> None:
        if name is not None and await book.user(name) is None:
            raise UserError(f"there is no user `{name}`", "see `voicebot panel user list`")
        role = "" if name is not None else Role.ADMIN
        await book.add_link(secrets.key_of(secret), name or OPERATOR, role, ends)

    _with_book(settings, keep)
    typer.echo(f"{address_of(settings)}/link/{secret}")
    first = "" if running else "; no gateway runs here yet: start `voicebot serve` first"
    typer.echo(f"it works once, for {LINK_MINUTES} minutes{first}", err=True)


def address_of(config: Config) -> str:
    """Return where browsers see the panel."""
    if config.panel.origins:
        return config.panel.origins[0]
    with suppress(OSError):  # a running one knows best: its port may be any free one
        return secrets.address_file(config.var).read_text().strip()
    host = "127.0.0.1" if config.panel.bind in ("0.0.0.0", "::") else config.panel.bind
    if config.panel.port == 0:
        return "where `voicebot serve` says that the panel is"
    return f"http://[{host}]:{config.panel.port}" if ":" in host else f"http://{host}:{config.panel.port}"
