"""SQLite, opened read-only: a connection for each thread, whose set-up is done once.

SQLAlchemy makes connection and statement, once; the question itself goes to the driver, for at this size
what lies between costs more than the answer. Each SELECT is a transaction of its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Engine, TextClause, create_engine
from sqlalchemy.pool import NullPool

from voicebot.fastagi.lookups.asking import Row

BUSY_S = 3.0
"""Longest wait for somebody who writes."""


def read_only(path: Path) -> Engine:
    """Return an engine whose connections cannot write to the file, nor make it."""
    return create_engine(
        URL.create("sqlite", database=f"file:{quote(str(path))}", query={"mode": "ro", "uri": "true"}),
        poolclass=NullPool,
        connect_args={"timeout": BUSY_S, "check_same_thread": False, "isolation_level": None},
    )


class SqliteAsker:
    """One thread's connection to a file. A file that was replaced by a newer one is opened anew."""

    def __init__(self, engine: Engine, path: Path) -> None:
        self._engine = engine
        self._path = path
        self._connection: Any = None
        self._driver: sqlite3.Connection
        self._file: tuple[int, int] | None = None
        self._prepared: dict[TextClause, tuple[str, tuple[str, ...]]] = {}

    def first(self, statement: TextClause, values: Mapping[str, str]) -> Row | None:
        found = self._find()
        if self._connection is None or found != self._file:
            self._open(found)
        prepared = self._prepared.get(statement)
        if prepared is None:
            compiled: Any = statement.compile(dialect=self._engine.dialect)
            prepared = self._prepared[statement] = (str(compiled), tuple(compiled.positiontup or ()))
        query, names = prepared
        cursor = self._driver.execute(query, [values[name] for name in names])
        try:
            row = cursor.fetchone()
            if row is None:
                return None
            return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}
        finally:
            cursor.close()  # and with it what it reads: a writer may go on

    def interrupt(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.ProgrammingError):  # it is just being opened anew
                self._driver.interrupt()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _open(self, found: tuple[int, int] | None) -> None:
        self.close()
        connection = self._engine.raw_connection()
        driver = connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        try:
            driver.execute("PRAGMA query_only = ON")
        except sqlite3.Error:
            connection.close()
            raise
        self._driver, self._connection, self._file = driver, connection, found

    def _find(self) -> tuple[int, int] | None:
        try:
            found = os.stat(self._path)  # noqa: PTH116 (for each call, and twice as fast)
        except OSError:
            return None
        return found.st_dev, found.st_ino
