"""What one connection may cost. All calls have their 20 ms tick on the same event loop, so nobody, signed in
or not, gets to keep it busy: little is read at a time, heads come in time, floods of frames are cut.

Mixed into uvicorn's protocols, which have no such limits of their own.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

if TYPE_CHECKING:
    from websockets.frames import Frame

log = structlog.get_logger(__name__)

READ_BYTES = 2048
"""Read from a connection in a round of the loop: 340 of the smallest frames, 70 of the smallest requests."""
HEAD_S = 10.0
"""From the connection, or the first byte of a request, to the end of its head."""
MOST_HEAD_BYTES = 32 * 1024
STUCK_S = 30.0
"""An answer of which nothing was taken for so long ends the connection: it keeps a place from others."""
MOST_WAITING = 500
"""Connections that have not told what they want; one more, and the oldest is closed."""
MOST_AHEAD = 8
"""Requests sent before the one before them is answered; browsers send none."""
FRAMES_A_SECOND, FRAMES_AT_ONCE = 200.0, 1000
"""Of a websocket; sound has 50 frames a second, also where some seconds of it come at once."""
POLICY_VIOLATION = 1008


class Waiting:
    """Connections whose request is not known yet, the oldest first."""

    def __init__(self) -> None:
        self._open: OrderedDict[Any, None] = OrderedDict()

    def add(self, connection: Any) -> None:
        self._open[connection] = None
        while len(self._open) > MOST_WAITING:
            self._open.popitem(last=False)[0].give_up()

    def drop(self, connection: Any) -> None:
        self._open.pop(connection, None)

    def __len__(self) -> int:
        return len(self._open)


class PatientHttp(HttpToolsProtocol):
    """uvicorn's, with limits for a request's head."""

    waiting = Waiting()  # of the process

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        transport.max_size = READ_BYTES  # type: ignore[attr-defined]
        self._late: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        super().connection_made(transport)
        self._look()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # a websocket now
            self._told()
            return
        if len(self.pipeline) > MOST_AHEAD:
            self.give_up()
            return
        self._look()
        if self._late is None:
            self._head_bytes = 0
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            self.give_up()

    def pause_writing(self) -> None:
        self._stuck = asyncio.get_running_loop().call_later(STUCK_S, self.give_up)
        super().pause_writing()

    def resume_writing(self) -> None:
        self._taken()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._told()
        self._taken()
        super().connection_lost(exc)

    def give_up(self) -> None:
        """Close it without an answer: it is no browser of anybody's."""
        self._told()
        self.transport.abort()

    def _look(self) -> None:
        """Begin or end waiting for a head. Between two requests uvicorn itself waits for the first byte."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering or self.timeout_keep_alive_task is not None or self.transport.is_closing():
            self._told()
        elif self._late is None:
            self._late = asyncio.get_running_loop().call_later(HEAD_S, self.give_up)
            self.waiting.add(self)

    def _taken(self) -> None:
        if self._stuck is not None:
            self._stuck.cancel()
            self._stuck = None

    def _told(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
            self.waiting.drop(self)


class PatientSocket(WebSocketsSansIOProtocol):
    """uvicorn's, with a limit for frames: each costs time, however little is in it."""

    def connection_made(self, transport: Any) -> None:
        self._frames, self._frames_at = 0.0, self.loop.time()
        super().connection_made(transport)

    def handle_cont(self, event: Frame) -> None:
        if self._room():
            super().handle_cont(event)

    def handle_text(self, event: Frame) -> None:
        if self._room():
            super().handle_text(event)

    def handle_bytes(self, event: Frame) -> None:
        if self._room():
            super().handle_bytes(event)

    def handle_ping(self) -> None:
        if self._room():
            super().handle_ping()

    def handle_pong(self, event: Frame) -> None:
        if self._room():
            super().handle_pong(event)

    def _room(self) -> bool:
        if self.transport.is_closing():
            return False
        now = self.loop.time()
        self._frames = max(0.0, self._frames - (now - self._frames_at) * FRAMES_A_SECOND) + 1
        self._frames_at = now
        if self._frames <= FRAMES_AT_ONCE:
            return True
        log.warning("websocket cut", why="too many frames", client=self.client)
        self.conn.fail(POLICY_VIOLATION, "too many frames")
        self.handle_parser_exception()
        return False
