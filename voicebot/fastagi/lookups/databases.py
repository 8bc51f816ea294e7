"""Databases that are only read: a transaction that cannot write, one row, a time-out, a pool.

SQLite is opened read-only, PostgreSQL, MySQL and MariaDB are told that the transaction only reads. Where a
database knows nothing of the kind (`guarded` is False) the rights of its user must keep it from writing.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, TextClause, create_engine, event, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from voicebot.errors import Problem, UserError
from voicebot.fastagi.lookups.asking import DRIVER_ERRORS, Asked, DatabaseFailed, Row, why
from voicebot.fastagi.lookups.model import Database
from voicebot.fastagi.lookups.sqlite import SqliteAsker, read_only
from voicebot.fastagi.lookups.workers import Asker, PooledAsker, Workers

CONNECT_S = 3.0
"""Longest wait for a connection."""
STATEMENT_S = 60.0
"""PostgreSQL's own limit for one statement, far above ours, for what we lost sight of."""
RECYCLE_S = 600
"""A connection is made anew after so long: a server may have moved, a wall between may forget it."""
DRIVERS = {"postgresql": ("asyncpg", "pip install 'voicebot[postgresql]'")}
"""Asynchronous drivers that are taken where a url names none."""
GUARDED = frozenset(("sqlite", "postgresql", "mysql", "mariadb"))


def open_database(
    name: str, settings: Database, base: Path, environment: Mapping[str, str] | None = None
) -> Asked:
    """Return a database, which is connected to when it is first asked. base: where relative files are.

    Raises UserError where its driver or its password is missing.
    """
    environment = os.environ if environment is None else environment
    url = make_url(settings.url)
    password = environment.get(settings.password_env, "") if settings.password_env else ""
    if settings.password_file:
        try:
            password = (base / settings.password_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            what = f"database `{name}`: {base / settings.password_file} cannot be read"
            raise UserError(Problem(what, "write the password there", code="lookup")) from error
    if password:
        url = url.set(password=password)
    try:
        if url.get_backend_name() == "sqlite":
            return _open_sqlite(url, settings, base)
        if "+" not in url.drivername and url.get_backend_name() in DRIVERS:
            driver, remedy = DRIVERS[url.get_backend_name()]
            if find_spec(driver) is None:
                raise UserError(
                    Problem(f"database `{name}`: its driver {driver} is missing", remedy, code="lookup")
                )
            url = url.set(drivername=f"{url.drivername}+{driver}")
        if url.get_dialect().is_async:
            return _Awaited(_async_engine(url, settings), url.get_backend_name() in GUARDED)
        engine = _engine(url, settings)
        guarded = url.get_backend_name() in GUARDED
        return _Threaded(engine, settings.connections, lambda: PooledAsker(engine.connect), guarded)
    except (ImportError, SQLAlchemyError) as error:
        what = f"database `{name}` cannot be used: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
        raise UserError(Problem(what, "install the driver that its url names", code="lookup")) from error


def _open_sqlite(url: URL, settings: Database, base: Path) -> _Threaded:
    path = (base / (url.database or "")).absolute()
    engine = read_only(path)
    return _Threaded(engine, settings.connections, lambda: SqliteAsker(engine, path), True)


def _engine(url: URL, settings: Database) -> Engine:
    engine = create_engine(
        url,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=CONNECT_S,
        pool_pre_ping=True,
        pool_recycle=RECYCLE_S,
    )
    _guard(engine, url)
    return engine


def _async_engine(url: URL, settings: Database) -> AsyncEngine:
    connect: dict[str, Any] = {}
    if url.drivername == "postgresql+asyncpg":
        connect = {
            "timeout": CONNECT_S,
            "server_settings": {
                "application_name": "voicebot",
                "default_transaction_read_only": "on",
                "statement_timeout": str(int(STATEMENT_S * 1000)),
                "jit": "off",
            },
        }
    engine = create_async_engine(
        url,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=CONNECT_S,
        pool_recycle=RECYCLE_S,
        connect_args=connect,
    )
    _guard(engine.sync_engine, url)
    return engine


def _guard(engine: Engine, url: URL) -> None:
    """Have every transaction begin as one that only reads."""
    backend = url.get_backend_name()
    if backend == "postgresql":
        event.listen(engine, "begin", _begin_reading)
    elif backend in ("mysql", "mariadb"):
        event.listen(engine, "connect", _only_read)


def _begin_reading(connection: Any) -> None:
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")


def _only_read(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("SET SESSION TRANSACTION READ ONLY")
    cursor.close()


class _Threaded:
    """A database whose driver waits: it is asked in threads, as many as it has connections."""

    def __init__(self, engine: Engine, connections: int, make: Callable[[], Asker], guarded: bool) -> None:
        self.guarded = guarded
        self._engine = engine
        self._workers = Workers(connections, make)

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        return await self._workers.first(statement, values, timeout_s)

    async def close(self) -> None:
        self._workers.close()
        await asyncio.to_thread(self._engine.dispose)


class _Awaited:
    """A database with an asynchronous driver."""

    def __init__(self, engine: AsyncEngine, guarded: bool) -> None:
        self.guarded = guarded
        self._engine = engine

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        try:
            async with asyncio.timeout(timeout_s), self._engine.connect() as connection:
                row = (await connection.execute(statement, values)).first()
                return None if row is None else dict(row._mapping)
        except TimeoutError:
            raise DatabaseFailed(f"no answer within {timeout_s:g} s") from None
        except DRIVER_ERRORS as error:
            raise DatabaseFailed(why(error)) from error

    async def close(self) -> None:
        await self._engine.dispose()
