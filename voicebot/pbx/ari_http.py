"""HTTP under the ARI client: a pool for requests, and the opening of the events websocket."""

from __future__ import annotations

import asyncio
import base64
import ssl
from typing import Any

import aiohttp
from yarl import URL

from voicebot.ari.requests import Request
from voicebot.errors import PbxError, told_by_system

CONNECTIONS = 10
"""Asterisk's HTTP backlog is 10: more at once wait for a retransmitted SYN, a whole second."""
KEEPALIVE_S = 10.0
"""Idle connections are closed by us before Asterisk does (`session_keep_alive`, 15 s)."""
REQUEST_TIMEOUT_S = 3.0
CONNECT_TIMEOUT_S = 2.0
HEARTBEAT_S = 5.0
"""A ping this often; no pong within half of it means that the websocket is dead."""
CLOSE_TIMEOUT_S = 1.0
EVENT_BYTES = 1 << 20


class LinkLost(Exception):
    """The websocket is gone. `refused`: nobody listens there, so Asterisk itself is gone."""

    def __init__(self, why: str, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(why)


class AriHttp:
    """Asterisk's HTTP server at `url` (without /ari). `open()` it in a running loop; `close()` is due."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url.rstrip("/")
        credentials = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {credentials}"}

    def open(self) -> None:
        self._session = aiohttp.ClientSession(
            headers=self._headers,
            connector=aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=KEEPALIVE_S),
            timeout=aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
        )

    async def close(self) -> None:
        await self._session.close()

    async def request(self, request: Request) -> Any:
        """Send a request; return its decoded JSON, or None where there is none.

        Raises PbxError: with `status` and Asterisk's message where it refused, without a status where it
        did not answer within REQUEST_TIMEOUT_S.
        """
        url = URL(f"{self.url}/ari{request.path}", encoded=True).with_query(request.params)
        try:
            async with self._session.request(request.method, url, json=request.json) as reply:
                body = await reply.json(content_type=None) if reply.status != 204 else None
                if reply.status >= 400:
                    told = body if isinstance(body, dict) else {}
                    why = told.get("message") or told.get("error") or reply.reason
                    raise PbxError(f"Asterisk refused: {why} ({request}, {reply.status})", reply.status)
                return body
        except TimeoutError as error:
            raise PbxError(f"Asterisk does not answer at {self.url} ({request}: time-out)") from error
        except aiohttp.ClientConnectorError as error:
            raise PbxError(f"Asterisk cannot be reached at {self.url}: {_why(error)}") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise PbxError(f"{request}: {error or type(error).__name__}") from error

    async def open_events(self, app: str) -> aiohttp.ClientWebSocketResponse:
        """Open the websocket of an application's events. Raises LinkLost."""
        url = URL(f"{self.url}/ari/events", encoded=True).with_query(app=app)
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                return await self._session.ws_connect(
                    url.with_scheme("wss" if url.scheme == "https" else "ws"),
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=EVENT_BYTES,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                )
        except aiohttp.ClientConnectorError as error:
            refused = isinstance(error.os_error, ConnectionRefusedError)
            raise LinkLost(_why(error), refused) from error
        except aiohttp.WSServerHandshakeError as error:
            raise LinkLost(f"Asterisk refuses the websocket ({error.status})") from error
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise LinkLost(str(error) or "time-out") from error


def _why(error: aiohttp.ClientConnectorError) -> str:
    cause = error.os_error
    if isinstance(cause, ssl.SSLError):
        return f"TLS fails ({cause.reason or cause})"
    return told_by_system(cause)
