"""Brings a database to the form that this version knows, once, whoever comes first."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

from sqlalchemy import Connection, bindparam, insert, inspect, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.campaign.ledger import genesis
from voicebot.errors import UserError
from voicebot.store import tables
from voicebot.store.database import Database, told
from voicebot.store.errors import StoreUnavailable

VERSIONS = ("0001", "0002", "0003")
"""All forms that this version knows, oldest first. Each has its migration in migrations/versions."""
LOCK = 0x766F696365626F74
"""PostgreSQL's advisory lock that migrations take."""
PATIENCE_S = 60.0
SECRET_BYTES = 32
FIRST_OPENING_S = 10.0
"""So long another process may take to make the tables of an SQLite file."""
LOOK_AGAIN_S = 0.05


async def migrate(database: Database) -> None:
    """Create or update the tables, under a lock. Raises UserError for a database of a later version.

    Where another process is at it with SQLite, whose locks have no queue, it is waited for.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + FIRST_OPENING_S
    while True:
        try:
            await _migrate(database)
            return
        except StoreUnavailable as error:
            if database.postgresql or "locked" not in str(error) or loop.time() > until:
                raise
        await asyncio.sleep(LOOK_AGAIN_S)


async def _migrate(database: Database) -> None:
    async with database.reading(long_s=PATIENCE_S) as connection:
        version = await connection.run_sync(_version)
    if version != VERSIONS[-1]:
        with told():
            async with database.engine.begin() as connection:
                if database.postgresql:
                    await connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(PATIENCE_S)}s'")
                    await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
                if await connection.run_sync(_version) != VERSIONS[-1]:
                    await connection.run_sync(_upgrade)
                await _first_rows(connection)
    async with database.reading() as connection:
        query = select(tables.meta.c.text).where(tables.meta.c.name == "secret")
        database.secret = bytes.fromhex((await connection.execute(query)).scalar_one())


def _version(connection: Connection) -> str | None:
    """Return the database's version; None: it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and version not in VERSIONS:
        raise UserError(
            f"the store is of a later version of voicebot (its tables are of version {version})",
            "upgrade voicebot on this machine, too",
        )
    return None if version is None else str(version)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # slow to import, and seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def _first_rows(connection: AsyncConnection) -> None:
    """What every database has, from its beginning."""
    row = await connection.execute(
        select(tables.meta.c.n).where(tables.meta.c.name == bindparam("name")), {"name": "secret"}
    )
    if row.first() is not None:
        return
    first = [
        {"name": "secret", "n": 0, "text": secrets.token_hex(SECRET_BYTES)},
        {"name": "changes", "n": 0, "text": ""},
        {"name": "next campaign", "n": 1, "text": ""},
        {"name": "next contact", "n": 1, "text": ""},
    ]
    await connection.execute(insert(tables.meta), first)
    await connection.execute(insert(tables.limits), [{"name": "all", "tokens": 1.0, "at": 0}])
    await connection.execute(insert(tables.ledger_heads), [{"campaign_id": 0, "seq": 0, "hash": genesis("")}])
