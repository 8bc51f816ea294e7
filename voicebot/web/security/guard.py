"""What every request passes first: host, origin, size; and what every answer carries. Plain ASGI."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection

from voicebot.web.problems import API, Trouble, body
from voicebot.web.security.doorkeeper import Doorkeeper
from voicebot.web.security.journal import Journal
from voicebot.web.security.roles import Identity

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
MOST_BYTES = 64 * 1024
"""Of a request's body."""
MOST_DIALOG_BYTES = 1_200_000
"""Of one that brings a dialog's text, which may have 1 MiB."""
BODY_S = 20.0
"""From a request's head to the end of its body."""
DIALOG_TEXT = f"{API}v1/dialogs/check"

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""No script but our files. Styles may stand in attributes: pictures of dialogs and charts have them."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # without one browsers send forms with `Origin: null`
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
STATIC = "/static/"
EVENTS, LINKS = f"{API}v1/events", "/link/"
"""To which no HEAD is answered: news never end, and a link is used up by a look at it."""


class TooLarge(Trouble):
    def __init__(self, most: int) -> None:
        super().__init__(413, "the request is too large", f"up to {most // 1024} KiB")


class TooSlow(Trouble):
    def __init__(self) -> None:
        super().__init__(408, "the request did not come in time", f"send it within {BODY_S:.0f} s")


class Turns:
    """Lets one request begin in each round of the event loop: two hundred that come at the same time would
    keep the loop from the tick of all calls until the last of them is done."""

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._taken = False

    async def mine(self) -> None:
        """Wait for one's turn; in the order of coming."""
        loop = asyncio.get_running_loop()
        if self._taken:
            turn = loop.create_future()
            self._waiting.append(turn)
            await turn
            return
        self._taken = True
        loop.call_soon(self._next, loop)

    def _next(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # else who waited has gone
                turn.set_result(None)
                loop.call_soon(self._next, loop)
                return
        self._taken = False


class Guard:
    """Around the application. Refuses before anything of it runs; notes what was done."""

    def __init__(self, app: App, doorkeeper: Doorkeeper, journal: Journal) -> None:
        self._app = app
        self._doorkeeper = doorkeeper
        self._journal = journal
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        await self._turns.mine()
        headers = Headers(scope=dict(scope))
        refused = self._refusal(scope, headers)
        if scope["type"] == "websocket":
            if refused is None:
                await self._app(scope, receive, send)
            else:
                log.warning("websocket refused", path=scope["path"], why=str(refused))
                await receive()
                await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        scope.setdefault("state", {})
        most = MOST_DIALOG_BYTES if scope["path"] == DIALOG_TEXT else MOST_BYTES
        bounded = _Bounded(receive, most)
        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(scope, MutableHeaders(raw=message["headers"]))
            await send(message)

        async def answering(message: Message) -> None:
            if bounded.over is None:  # else what the application makes of it does not matter
                await sending(message)

        if refused is not None:
            await _refuse(sending, refused)
            return
        try:
            await self._app(_as_get(scope), bounded, answering)
        except (TooLarge, TooSlow):
            pass
        finally:
            if bounded.over is not None and status == 0:
                await _refuse(sending, bounded.over)
            self._note(scope, status)

    def _refusal(self, scope: Scope, headers: Headers) -> Trouble | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        places = self._doorkeeper.places
        if places.origin_of(host) is None:
            remedy = "use the address of [panel], or add it to panel.origins"
            return Trouble(421, f"this panel is not at {host[:100]!r}", remedy)
        websocket = scope["type"] == "websocket"
        unsafe = websocket or scope["method"] not in SAFE
        if origin is not None and (unsafe or scope["path"].startswith(API)) and not places.same(host, origin):
            return Trouble(403, "another page may not ask this", "open the panel itself")
        site = headers.get("sec-fetch-site", "")
        if site in ("cross-site", "same-site") and (unsafe or scope["path"].startswith(API)):
            return Trouble(403, "another page may not ask this", "open the panel itself")
        if unsafe and origin is None and "cookie" in headers and "authorization" not in headers and not site:
            return Trouble(403, "a change by a browser must tell its origin", "send `Origin`, or use a token")
        length = headers.get("content-length", "")
        most = MOST_DIALOG_BYTES if scope["path"] == DIALOG_TEXT else MOST_BYTES
        if length.isdecimal() and int(length) > most:
            return TooLarge(most)
        return None

    def _dress(self, scope: Scope, headers: MutableHeaders) -> None:
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if not scope["path"].startswith(STATIC):
            headers.setdefault("cache-control", "no-store")
        elif scope["query_string"].startswith(b"v="):  # a file of one version never changes
            headers.setdefault("cache-control", "public, max-age=31536000, immutable")
        else:
            headers.setdefault("cache-control", "no-cache")

    def _note(self, scope: Scope, status: int) -> None:
        """Keep who changed what, or tried to."""
        who: Identity | None = scope["state"].get("who")
        if scope["method"] in SAFE or who is None:
            return
        what = getattr(scope.get("route"), "operation_id", None) or getattr(scope.get("route"), "name", "")
        target = "/".join(str(value) for value in scope.get("path_params", {}).values())
        address = self._doorkeeper.address(HTTPConnection(scope))
        detail = scope["state"].get("detail", {})
        self._journal.note(who, what or scope["path"], target, detail, address, status or 500)


def _as_get(scope: Scope) -> Scope:
    """Return a HEAD as the GET that it is but for the body, which the server leaves out."""
    endless_or_once = scope["path"] == EVENTS or scope["path"].startswith(LINKS)
    return scope if scope["method"] != "HEAD" or endless_or_once else {**scope, "method": "GET"}


async def _refuse(send: Send, trouble: Trouble) -> None:
    text = json.dumps(body(trouble.problems)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(text)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": trouble.status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


class _Bounded:
    """Counts a body that did not say how long it is, and waits for it no longer than BODY_S. over: why it is
    refused."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most
        self._most = most
        self._until = asyncio.get_running_loop().time() + BODY_S
        self._whole = False
        self.over: Trouble | None = None

    async def __call__(self) -> Message:
        if self._whole:  # what follows is that the browser has left
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            self.over = TooSlow()
            raise self.over from None
        if message["type"] == "http.request":
            self._whole = not message.get("more_body", False)
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self.over = TooLarge(self._most)
                raise self.over
        return message
