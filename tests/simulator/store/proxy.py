"""Stands between the store and PostgreSQL, so that the database can be gone, or silent."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Proxy:
    """Listens on 127.0.0.1:port. state: `there`, `gone` (connections break), or `silent` (nothing passes)."""

    def __init__(self, socket: str) -> None:
        self.state = "there"
        self.port = 0
        self._socket = socket
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
            far_reader, far_writer = await asyncio.open_unix_connection(self._socket)
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

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await self._there.wait()
                writer.write(data)
                await writer.drain()
