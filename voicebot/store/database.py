"""A connection to SQLite or PostgreSQL: how it is made, how long it may take, what its errors mean."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, ColumnElement, event, func, make_url, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.sql import bindparam
from sqlalchemy.sql.sqltypes import BigInteger, Text

from voicebot.errors import UserError
from voicebot.store.errors import StoreUnavailable

POOL = 6
"""Connections of a process at the most, one of them its writer's."""
SQLITE_CACHE_KIB = 65_536
PRIVATE_FILE, OTHERS = 0o600, 0o007
IDLE_IN_TRANSACTION_MS = 10_000
"""PostgreSQL ends a transaction whose process is stopped: it may hold the lock that all claims wait for."""
STATEMENT_MS = 120_000
"""PostgreSQL's own limit for one statement, far above ours, for what we lost sight of."""

UNAVAILABLE_STATES = ("08", "25P03", "28", "3D", "53", "55P03", "57", "58", "XX")
"""SQLSTATEs (by their beginning) of a server that is away, full, shutting down, or has us wait too long."""
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""Codes (their lowest byte) of a file that is SQLite's no more: until it is put back, it is away."""
AGAIN_STATES = ("40001", "40P01")
"""A conflict with another transaction: at once again."""


def parse_url(url: str, password: str, base: Path) -> URL:
    """Return the url with its driver. Raises UserError for one that is none of ours, or lacks a driver."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UserError(
            f"`{url}` is no database", "write sqlite:///FILE or postgresql://user@host/database"
        ) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database:
            raise UserError(f"`{url}` names no file", "write sqlite:///voicebot.db")
        return URL.create("sqlite+aiosqlite", database=str((base / parsed.database).absolute()))
    if kind != "postgresql":
        raise UserError(
            f"a store cannot be kept in {kind}", "write sqlite:///FILE or postgresql://user@host/database"
        )
    if find_spec("asyncpg") is None:
        raise UserError(
            "the store is in PostgreSQL, whose driver is not installed",
            "pip install 'voicebot[postgresql]'",
        )
    parsed = parsed.set(drivername="postgresql+asyncpg")
    return parsed.set(password=password) if password else parsed


def make_engine(url: URL, patience_s: float) -> AsyncEngine:
    """Return an engine whose connections are set up as the store needs them."""
    if url.get_backend_name() == "sqlite":
        engine = create_async_engine(
            url, pool_size=POOL, max_overflow=0, pool_timeout=patience_s, connect_args={"timeout": patience_s}
        )
        same = SameFile(Path(url.database or ""))
        event.listen(engine.sync_engine, "do_connect", same.before_connecting)
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
        event.listen(engine.sync_engine, "connect", same.connected)
        event.listen(engine.sync_engine, "begin", same.check)
        event.listen(engine.sync_engine, "begin", _begin_sqlite)
        return engine
    return create_async_engine(
        url,
        pool_size=POOL,
        max_overflow=0,
        pool_timeout=patience_s,
        connect_args={
            "timeout": patience_s,
            "server_settings": {
                "application_name": "voicebot",
                "statement_timeout": str(STATEMENT_MS),
                "lock_timeout": str(int(patience_s * 1000)),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS),
                "jit": "off",
            },
        },
    )


class SameFile:
    """Sees to it that SQLite's file is the one that was opened first.

    SQLite goes on with a file that was deleted, moved away, or replaced by a copy: what is written there is
    lost, or the copy knows nothing of whom we called since. Methods are event listeners of an engine.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: tuple[int, int] | None = None

    def before_connecting(self, *_: object) -> None:
        if self._known is not None:  # else it may be made now
            self.check()
        elif self._path.parent.is_dir():
            self._keep_private()

    def connected(self, *_: object) -> None:
        self._known = self._known or self._found()

    def check(self, *_: object) -> None:
        """Raise OSError, which is told as StoreUnavailable."""
        found = self._found()
        if found is None:
            raise FileNotFoundError(f"{self._path} is gone; put it back")
        if self._known is not None and found != self._known:
            raise OSError(
                f"{self._path} was replaced by another file; put back the first one, or start anew on this"
            )

    def _keep_private(self) -> None:
        """Others must not read it, nor its WAL, which gets the same rights: it holds numbers, names, and the
        key of their hashes."""
        with suppress(OSError):  # SQLite says it better
            os.close(os.open(self._path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE))
            mode = self._path.stat().st_mode
            if mode & OTHERS:
                self._path.chmod(mode & ~OTHERS)

    def _found(self) -> tuple[int, int] | None:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN, not the driver, which would do it too late
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        f"cache_size = -{SQLITE_CACHE_KIB}",
        "temp_store = MEMORY",
        "journal_size_limit = 67108864",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    """A writer takes the lock at once: a transaction that read first could not get it any more."""
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _code(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", "") or getattr(error, "pgcode", "") or "")


def is_conflict(error: BaseException) -> bool:
    """Whether a transaction only needs to be done again."""
    return isinstance(error, DBAPIError) and _code(error.orig) in AGAIN_STATES


def is_disconnect(error: BaseException) -> bool:
    """Whether a connection turned out to be dead."""
    return isinstance(error, DisconnectionError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def is_unavailable(error: BaseException) -> bool:
    """Whether it is the database that is gone, locked or full, and not a mistake of ours."""
    if isinstance(error, (PoolTimeout, TimeoutError, OSError)) or is_disconnect(error):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if code := _code(error.orig):
        return code.startswith(UNAVAILABLE_STATES) or code in AGAIN_STATES
    return (
        isinstance(error, (OperationalError, InterfaceError))
        or isinstance(error.orig, sqlite3.OperationalError)
        or getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in DAMAGED
    )


def unopened(error: BaseException, url: URL) -> UserError | None:
    """Return what is wrong with a url whose database will not open whenever one asks; None: it may."""
    cause = getattr(error, "orig", None) or error
    why = " ".join(str(cause).split())
    shown = url.set(drivername=url.get_backend_name()).render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        if "not a database" in why:
            return UserError(f"{url.database} is no SQLite database", "give [store] url another file")
        if "unable to open" in why or "readonly" in why:
            return UserError(
                f"{url.database} cannot be opened ({why})", "its folder must exist, and be ours to write"
            )
        return None
    if _code(cause).startswith(("28", "3D", "42501")):
        return UserError(
            f"{shown} cannot be opened: {why}",
            "see docs/store.md for making the database and its user, and for the password",
        )
    return None


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return what callers are told."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = " ".join(str(cause).split()) or "it did not answer in time"
    return StoreUnavailable(f"the database cannot be used now: {text[:300]}")


@contextmanager
def told() -> Iterator[None]:
    """Turn a database's failure into StoreUnavailable; let all else through."""
    try:
        yield
    except (DBAPIError, DisconnectionError, PoolTimeout, TimeoutError, OSError) as error:
        if is_unavailable(error):
            raise unavailable(error) from error
        raise


class Database:
    """An engine, and what differs between the two kinds.

    secret: the key of number keys;  trouble: why the last look, or the last change, could not be done
    """

    def __init__(self, engine: AsyncEngine, patience_s: float) -> None:
        self.engine = engine
        self.patience_s = patience_s
        self.postgresql = engine.dialect.name == "postgresql"
        self.secret = b""
        self.read_trouble: StoreUnavailable | None = None
        self.write_trouble: StoreUnavailable | None = None

    @property
    def trouble(self) -> str:
        return str(self.write_trouble or self.read_trouble or "")

    async def close(self) -> None:
        """Close all connections; one whose server is silent is dropped."""
        try:
            async with asyncio.timeout(self.patience_s):
                await self.engine.dispose()
        except TimeoutError:
            await self.engine.dispose(close=False)

    def limit_s(self, long_s: float = 0.0) -> float | None:
        """Return how long a transaction may take. SQLite has its own time-out for locks, and no network."""
        return max(self.patience_s, long_s) if self.postgresql else None

    @asynccontextmanager
    async def reading(self, *, long_s: float = 0.0, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads. snapshot: it sees one moment. long_s: it may take so long."""
        with self._noted(), told():
            async with self.engine.connect() as connection:
                options: dict[str, Any] = {"reads": True}
                if self.postgresql and snapshot:
                    options["isolation_level"] = "REPEATABLE READ"
                await connection.execution_options(**options)
                async with self.watched(connection, self.limit_s(long_s)), connection.begin():
                    yield connection

    @contextmanager
    def _noted(self) -> Iterator[None]:
        try:
            yield
        except StoreUnavailable as error:
            self.read_trouble = error
            raise
        self.read_trouble = None

    @asynccontextmanager
    async def watched(self, connection: AsyncConnection, limit_s: float | None) -> AsyncIterator[None]:
        """Cut the connection when `limit_s` is over: what waits for an answer fails at once.

        Cancelling instead would wait for a server that is silent, to part from it in good order.
        """
        if limit_s is None:
            yield
            return
        driver: Any = (await connection.get_raw_connection()).driver_connection
        cut = asyncio.get_running_loop().call_later(limit_s, driver.terminate)
        try:
            yield
        finally:
            cut.cancel()


def among(column: ColumnElement[Any], name: str, postgresql: bool) -> ColumnElement[bool]:
    """`column` is one of the values of a parameter (`listed`): one statement for any number."""
    if postgresql:
        kind: BigInteger | Text = BigInteger() if isinstance(column.type, BigInteger) else Text()
        return column == func.any(bindparam(name, type_=ARRAY(kind)))
    return column.in_(select(func.json_each(bindparam(name, type_=Text())).table_valued("value").c.value))


def listed(values: Iterable[int] | Iterable[str], postgresql: bool) -> list[Any] | str:
    """Return the values as a parameter for `among`."""
    return list(values) if postgresql else json.dumps(list(values))
