"""The FastAGI server: connections from Asterisk, each a session with a script.

A peer that does not behave is closed with one line in the log, and counted: who may not connect, sends no
environment in time, none that ends, or what is no AGI, does not answer or does not read.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Iterable
from typing import Any

import structlog

from voicebot.agi.status import BUSY
from voicebot.errors import UserError, cannot_listen
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.deadlines import Deadlines
from voicebot.fastagi.exchange import COMMAND_S
from voicebot.fastagi.scripts import Scripts, tell

log = structlog.get_logger(__name__)

ENVIRONMENT_S = 5.0
SESSIONS = 500
BACKLOG = 512
"""Connections that the kernel holds for us while we are busy with others."""
TOLD_BUSY = 2
"""Times `sessions`: up to so many connections are told that we are busy, more are closed at once."""
LARGEST_UNSENT = 64 * 1024
"""Bytes; one command is 2 KiB, so only who does not read comes here."""
DRAIN_S = 2.0
"""How long the end of a session may take to reach a peer that reads slowly."""
GRACE_S = 5.0
"""How long sessions may take to end when the server is closed."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class FastAgiServer:
    """An async context manager. `port` 0 takes any free one, which `port` tells once it is entered.

    allow: networks that may connect, such as "10.0.0.5/32"; none: all. `counts` are of the server's life:
    sessions, ok, unknown, failed, busy, refused (not allowed), faults.
    """

    def __init__(
        self,
        scripts: Scripts,
        *,
        bind: str = "127.0.0.1",
        port: int = 4573,
        allow: Iterable[str] = (),
        sessions: int = SESSIONS,
        environment_s: float = ENVIRONMENT_S,
        command_s: float = COMMAND_S,
        permitted: Iterable[str] = (),
    ) -> None:
        self.scripts = scripts
        self.bind = bind
        self.port = port
        self.counts: Counter[str] = Counter()
        self.sessions_at_once = sessions
        self.environment_s = environment_s
        self.command_s = command_s
        self.permitted = frozenset(permitted)
        self._allow = tuple(ipaddress.ip_network(each, strict=False) for each in allow)
        self._server: asyncio.Server | None = None
        self.deadlines: Deadlines
        self.connections: set[_Connection] = set()

    async def __aenter__(self) -> FastAgiServer:
        """Listen. Raises UserError where that is not possible."""
        loop = asyncio.get_running_loop()
        self.deadlines = Deadlines(loop)
        try:
            self._server = await loop.create_server(
                lambda: _Connection(self, loop), self.bind, self.port, backlog=BACKLOG
            )
        except OSError as error:
            raise UserError(cannot_listen("FastAGI", self.bind, self.port, "agi", error)) from error
        self.port = self._server.sockets[0].getsockname()[1]
        log.info("FastAGI listens", at=f"{self.bind}:{self.port}", scripts=self.scripts.kinds)
        return self

    async def __aexit__(self, *error: object) -> None:
        """Take no more sessions, and end those that there are."""
        assert self._server is not None
        self._server.close()
        ended = [connection.end() for connection in tuple(self.connections)]
        if tasks := [task for task in ended if task is not None]:
            _, late = await asyncio.wait(tasks, timeout=GRACE_S)
            if late:
                log.warning("AGI scripts did not end", count=len(late))
        await self._server.wait_closed()

    def admits(self, address: str) -> bool:
        """Whether a peer may connect."""
        if not self._allow:
            return True
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        inner = getattr(found, "ipv4_mapped", None) or found
        return any(each in network for network in self._allow for each in (found, inner))


class _Connection(asyncio.Protocol):
    """One connection, and the wire of its channel."""

    def __init__(self, server: FastAgiServer, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._transport: asyncio.Transport
        self._peer = ""
        self._channel: AgiChannel | None = None
        self._task: asyncio.Task[None] | None = None
        self._busy = False

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        server = self._server
        address = transport.get_extra_info("peername")
        self._peer = str(address[0]) if isinstance(address, tuple) else ""
        if not server.admits(self._peer):
            self._reject("refused", "AGI peer is not allowed")
            return
        count = len(server.connections)
        if count >= server.sessions_at_once * TOLD_BUSY:
            self._reject("busy", "too many AGI sessions")
            return
        self._busy = count >= server.sessions_at_once
        server.connections.add(self)
        server.counts["sessions"] += 1
        transport.set_write_buffer_limits(LARGEST_UNSENT)
        self._channel = AgiChannel(
            self,
            command_s=server.command_s,
            began=self._begin,
            permitted=server.permitted,
            deadlines=server.deadlines,
        )
        here = transport.get_extra_info("sockname")
        self._channel.local = isinstance(here, tuple) and here[0] == self._peer
        self._channel.watch(server.environment_s)

    def data_received(self, data: bytes) -> None:
        if self._channel is not None:
            self._channel.feed(data)

    def eof_received(self) -> bool:
        if self._channel is not None:
            self._channel.feed_end()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self._channel is not None:
            self._channel.feed_end()
            self._channel = None  # no cycle is left for the garbage collector

    def pause_writing(self) -> None:
        if self._channel is not None:
            self._channel.fail("it does not read")

    # What the channel calls

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def close(self) -> None:
        server, channel = self._server, self._channel
        assert channel is not None
        if self._task is None:  # else it counts until its script has ended
            server.connections.discard(self)
        if channel.fault:
            server.counts["faults"] += 1
            log.warning("AGI peer closed", peer=self._peer, why=channel.fault)
            self._transport.abort()
            return
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._loop.call_later(DRAIN_S, self._transport.abort)

    # The session

    def end(self) -> asyncio.Task[Any] | None:
        """End it now; return what still runs."""
        if self._channel is not None:
            self._channel.close()
        if self._task is not None:
            self._task.cancel()
        return self._task

    def _reject(self, kind: str, why: str) -> None:
        self._server.counts[kind] += 1
        log.warning(why, peer=self._peer)
        self._transport.abort()

    def _begin(self) -> None:
        self._task = self._loop.create_task(self._run())
        self._task.add_done_callback(lambda _: self._server.connections.discard(self))  # however it ends

    async def _run(self) -> None:
        channel, counts = self._channel, self._server.counts
        assert channel is not None
        try:
            if self._busy:
                counts[BUSY] += 1
                log.warning("too many AGI sessions", peer=self._peer)
                await tell(channel, BUSY)
            else:
                counts[await self._server.scripts.run(channel)] += 1
        finally:
            channel.close()
