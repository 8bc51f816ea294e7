"""Wakes whoever waits for a change: PostgreSQL tells by NOTIFY; in doubt a counter is looked at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from voicebot.store import tables
from voicebot.store.database import Database, told
from voicebot.store.errors import StoreUnavailable
from voicebot.store.writing import CHANNEL

POLL_S = 0.5
"""How often SQLite is asked whether another process changed something."""
SLOW_POLL_S = 5.0
"""How often PostgreSQL is, which tells by itself: a notification may be lost with its connection."""

_COUNTER = select(tables.meta.c.n).where(tables.meta.c.name == "changes")


class Changes:
    """One watcher for all that follow."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen = 0
        self._changed = asyncio.Condition()
        self._look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._driver: Any = None

    async def follow(self) -> AsyncIterator[None]:
        """Yield once for any number of changes since the last time."""
        if self._task is None:
            with suppress(StoreUnavailable):
                self._seen = await self._counter()
            self._task = asyncio.create_task(self._watch(), name="store changes")
        seen = self._seen
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._seen != seen)  # noqa: B023
                seen = self._seen
            yield

    async def close(self) -> None:
        """Stop watching."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _counter(self) -> int:
        async with self._database.reading() as connection:
            return int((await connection.execute(_COUNTER)).scalar_one())

    async def _watch(self) -> None:
        listener: AsyncConnection | None = None
        try:
            while True:
                try:
                    if listener is not None and self._driver.is_closed():
                        await self._forget(listener)
                        listener = None
                    if self._database.postgresql and listener is None:
                        listener = await self._listen()
                    await self._compare()
                except StoreUnavailable:
                    if listener is not None:
                        await self._forget(listener)
                    listener = None
                pause = SLOW_POLL_S if listener is not None else POLL_S
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._look.wait()
                self._look.clear()
        finally:
            if listener is not None:
                await self._forget(listener)

    async def _forget(self, listener: AsyncConnection) -> None:
        """Never back into the pool: it listens."""
        with suppress(SQLAlchemyError, OSError):
            await listener.invalidate()
            await listener.close()

    async def _compare(self) -> None:
        n = await self._counter()
        if n != self._seen:
            async with self._changed:
                self._seen = n
                self._changed.notify_all()

    async def _listen(self) -> AsyncConnection:
        with told():
            async with asyncio.timeout(self._database.limit_s()):
                connection = await self._database.engine.connect()
                try:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
                    driver: Any = (await connection.get_raw_connection()).driver_connection
                    self._driver = driver
                    await driver.add_listener(CHANNEL, lambda *_: self._look.set())
                    driver.add_termination_listener(lambda *_: self._look.set())
                except Exception as error:  # the driver's own: the pool's connection was dead
                    await self._forget(connection)
                    raise StoreUnavailable(f"it cannot be listened to: {error}") from error
                except BaseException:
                    await self._forget(connection)
                    raise
                return connection
