"""What the commands share: the store, opened for one piece of work; one clock; names as arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer

from voicebot.app.logs import configure_logs
from voicebot.cli.harmless import harmless
from voicebot.config import Config
from voicebot.errors import Problem
from voicebot.store.errors import StoreUnavailable
from voicebot.store.store import Store, open_store

EXIT_AWAY = 75
"""EX_TEMPFAIL of sysexits.h."""
PATIENCE_S = 10.0
"""At a prompt people rather wait than see an error, where a dialler holds the database for a moment."""

CampaignName = Annotated[str, typer.Argument(help="The campaign's name.", metavar="NAME")]

T = TypeVar("T")


def with_store(config: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store of the configuration, do the work, close it.

    Where it is away that is told, and the command ends with EXIT_AWAY: a script may try again later.
    """
    configure_logs("error")

    async def opened() -> T:
        async with open_store(config, patience_s=PATIENCE_S) as store:
            return await work(store)

    try:
        return asyncio.run(opened())
    except StoreUnavailable as error:
        remedy = "see that the database runs and its disk has room, then try again; nothing is lost"
        problem = Problem(str(error), remedy, config.store.url)
        typer.echo(f"{typer.style('error:', fg='red', bold=True)} {harmless(str(problem))}", err=True)
        raise typer.Exit(EXIT_AWAY) from error


def now() -> datetime:
    """Return the time, aware (UTC)."""
    return datetime.now(UTC)
