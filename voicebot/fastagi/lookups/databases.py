"""Databases that are only read: a transaction that cannot write, one row, a time-out, a pool.

SQLite is opened read-only, PostgreSQL, MySQL and MariaDB are told that the transaction only reads. Where a
database knows nothing of the kind (`guarded` is False) the rights of its user must keep it from writing.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from sqlalchemy import URL, Engine, String, TextClause, bindparam, create_engine, event, make_url, text
from sqlalchemy.exc import DisconnectionError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from voicebot.errors import Problem, UserError
from voicebot.fastagi.lookups.model import Database

CONNECT_S = 3.0
"""Longest wait for a connection."""
STATEMENT_S = 60.0
"""PostgreSQL's own limit for one statement, far above ours, for what we lost sight of."""
RECYCLE_S = 600
"""A connection is made anew after so long: a server may have moved, a wall between may forget it."""
DRIVERS = {"postgresql": ("asyncpg", "pip install 'voicebot[postgresql]'")}
"""Asynchronous drivers that are taken where a url names none."""
GUARDED = frozenset(("sqlite", "postgresql", "mysql", "mariadb"))

Row = Mapping[str, Any]


class DatabaseFailed(Exception):
    """The database did not answer, or not to the question. The text is for the log: no value stands in it."""


class Asked(Protocol):
    """A database. `guarded`: whether it refuses to write for us, whoever we are."""

    guarded: bool

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        """Return the first row by its columns, None where there is none. Raises DatabaseFailed."""
        ...

    async def close(self) -> None: ...


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
        return _Threaded(_engine(url, settings), settings.connections, url.get_backend_name() in GUARDED)
    except (ImportError, SQLAlchemyError) as error:
        what = f"database `{name}` cannot be used: {type(error).__name__}: {str(error).splitlines()[0][:200]}"
        raise UserError(Problem(what, "install the driver that its url names", code="lookup")) from error


def _open_sqlite(url: URL, settings: Database, base: Path) -> _Threaded:
    path = (base / (url.database or "")).absolute()
    engine = create_engine(
        URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"}),
        poolclass=QueuePool,
        pool_size=settings.connections,
        max_overflow=0,
        pool_timeout=CONNECT_S,
        connect_args={"timeout": CONNECT_S, "check_same_thread": False},
    )
    same = _SameFile(path)
    event.listen(engine, "connect", same.connected)
    event.listen(engine, "checkout", same.check)
    return _Threaded(engine, settings.connections, True)


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


class _SameFile:
    """SQLite would go on with a file that was replaced by a newer one; here the connection is made anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def connected(self, connection: sqlite3.Connection, record: Any) -> None:
        connection.execute("PRAGMA query_only = ON")
        record.info["file"] = self._found()

    def check(self, _connection: object, record: Any, _proxy: object) -> None:
        if record.info.get("file") != self._found():
            raise DisconnectionError

    def _found(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 (for each call, and twice as fast)
        except OSError:
            return None
        return found.st_dev, found.st_ino


class _Threaded:
    """A database whose driver waits: it is asked in threads, as many as it has connections."""

    def __init__(self, engine: Engine, connections: int, guarded: bool) -> None:
        self.guarded = guarded
        self._engine = engine
        self._threads = ThreadPoolExecutor(connections, "lookup")

    async def first(self, statement: TextClause, values: Mapping[str, str], timeout_s: float) -> Row | None:
        asking = _Asking()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                return await loop.run_in_executor(self._threads, self._first, statement, values, asking)
        except TimeoutError:
            raise DatabaseFailed(f"no answer within {timeout_s:g} s") from None
        except (SQLAlchemyError, sqlite3.Error, OSError) as error:
            raise DatabaseFailed(_why(error)) from error
        finally:
            asking.stop()

    def _first(self, statement: TextClause, values: Mapping[str, str], asking: _Asking) -> Row | None:
        if asking.over:  # it waited for a thread too long
            return None
        with self._engine.connect() as connection:
            asking.driver = connection.connection.driver_connection
            try:
                row = connection.execute(statement, values).first()
            finally:
                asking.driver = None
            return None if row is None else dict(row._mapping)

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._engine.dispose)


class _Asking:
    """One question that may be given up: what SQLite works at is ended then, others end by themselves."""

    def __init__(self) -> None:
        self.over = False
        self.driver: Any = None

    def stop(self) -> None:
        self.over = True
        driver = self.driver
        if isinstance(driver, sqlite3.Connection):
            driver.interrupt()


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
        except (SQLAlchemyError, OSError) as error:
            raise DatabaseFailed(_why(error)) from error

    async def close(self) -> None:
        await self._engine.dispose()


_VALUES = re.compile(r"['\"(].*", re.DOTALL)


def _why(error: BaseException) -> str:
    """Say what went wrong, without what stands in quotes or parentheses: that may be the caller's."""
    cause = getattr(error, "orig", None) or error
    cause = cause.__cause__ if cause.__cause__ is not None else cause
    lines = str(cause).splitlines()
    words = _VALUES.sub("", lines[0]).strip(" :")[:200] if lines else ""
    return f"{type(cause).__name__}: {words}" if words else type(cause).__name__


def statement(query: str) -> TextClause:
    """Return a query with its parameters, which are texts. A `;` at its end is taken away."""
    found = text(query.strip().rstrip(";"))
    return found.bindparams(*(bindparam(name, type_=String()) for name in found.compile().params))
