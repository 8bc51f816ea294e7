"""Stands between us and PostgreSQL, or AMI, so that it can be gone, or silent."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit


class Proxy:
    """Listens on 127.0.0.1:port, for a Unix socket or a host and port.

    state: `there`, `gone` (connections break), or `silent` (nothing passes)
    """

    def __init__(self, far: str | tuple[str, int]) -> None:
        self.state = "there"
        self.port = 0
        self._far = far
        self._there = asyncio.Event()
        self._there.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self.state = "there"
        self._there.set()

    async def gone(self) -> None:
        self.state = "gone"
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def silent(self) -> None:
        self.state = "silent"
        self._there.clear()

    def there(self) -> None:
        self.state = "there"
        self._there.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._there.wait()
            far_reader, far_writer = await self._connect()
            try:
                _, left = await asyncio.wait(
                    [
                        asyncio.create_task(self._pass(reader, far_writer)),
                        asyncio.create_task(self._pass(far_reader, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                for each in left:
                    each.cancel()
            finally:
                far_writer.close()
        except asyncio.CancelledError:
            pass  # the server's own callback would complain of it
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._far, str):
            return await asyncio.open_unix_connection(self._far)
        return await asyncio.open_connection(*self._far)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._there.wait()
                writer.write(data)
                await writer.drain()


def socket_of(url: str) -> str:
    """Return the Unix socket of a database of tests/postgres.py."""
    return f"{parse_qs(urlsplit(url).query)['host'][0]}/.s.PGSQL.5432"


def through(proxy: Proxy, url: str) -> str:
    """Return the url of the same database, by way of a proxy."""
    return f"postgresql://postgres@127.0.0.1:{proxy.port}{urlsplit(url).path}?ssl=disable"
