"""Asks web services for dialogs: `Fetch` in, `Fetched` out, whatever the service does.

A reply is read up to `LARGEST_REPLY_BYTES` and no further, unpacked or not. Redirects are answers, not
followed. Bodies and addresses are never logged; of the rest only what `Fetch.sensitive` leaves.
"""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Iterable
from types import TracebackType
from typing import Self

import aiohttp
import structlog
from aiohttp.abc import AbstractResolver
from yarl import URL

from voicebot.dialog.turns import Fetch, Fetched
from voicebot.speech.characters import without_controls
from voicebot.work.addresses import Denied, GuardedResolver, Places
from voicebot.work.plain import NotPlain, parse_json

log = structlog.get_logger(__name__)

LARGEST_REPLY_BYTES = 65_536
LARGEST_HEADER_BYTES = 8_190
LARGEST_URL_CHARS = 4_096
READ_BYTES = 16_384
WORTH_RETRYING = frozenset({429, 502, 503, 504})
FIRST_BACKOFF_S = 0.2
"""Before the first retry; twice as long before each further one."""
LONGEST_BACKOFF_S = 2.0
CONNECTIONS = 100
OWN_HEADERS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
"""Headers that belong to the transport; a dialog does not set them."""
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}")
_TEXT_CODEC = re.compile(r"utf-(8|16|32)|ascii|iso8859|cp\d|euc_|shift_jis|gb|big5|koi8|mac|johab|hz$")
_CLIMBS = re.compile(r"(?:\.|%2e){1,2}", re.IGNORECASE)
"""A part of a path that leads out of the one before, also where it is encoded (RFC 3986, 5.2.4)."""
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class _Refused(Exception):
    """There is no point in another attempt; the text says why."""


class _NoAnswer(Exception):
    """Nothing came, or nothing that is HTTP; another attempt may do better."""


class Fetcher:
    """An async context manager. `allow`: see `Places`; `resolver` is for tests."""

    def __init__(self, allow: Iterable[str] = (), resolver: AbstractResolver | None = None) -> None:
        self._places = Places(allow)
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        # Each request has a connection of its own: one that the service has closed meanwhile would make a
        # POST fail that nobody may repeat.
        connector = aiohttp.TCPConnector(
            resolver=GuardedResolver(self._places, self._resolver),
            use_dns_cache=False,
            force_close=True,
            limit=CONNECTIONS,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            auto_decompress=False,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            max_line_size=LARGEST_HEADER_BYTES,
            max_field_size=LARGEST_HEADER_BYTES,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def fetch(self, request: Fetch) -> Fetched:
        """Ask, again where that is asked for and may help. Never raises, but for being cancelled."""
        began = time.monotonic()
        attempts = 0
        pause = FIRST_BACKOFF_S
        while True:
            attempts += 1
            last = attempts > request.retries
            try:
                result = await self._attempt(request)
            except _Refused as error:
                result, last = Fetched(None, error=str(error)), True
            except _NoAnswer as error:
                result = Fetched(None, error=str(error))
            if last or (result.status is not None and result.status not in WORTH_RETRYING):
                break
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_BACKOFF_S)
        self._note(request, result, attempts, round((time.monotonic() - began) * 1000))
        return result

    def _note(self, request: Fetch, result: Fetched, attempts: int, took_ms: int) -> None:
        about: dict[str, object] = {"step": request.step, "status": result.status, "attempts": attempts}
        if not request.sensitive:
            about |= {"method": request.method, "host": _host(request.url)}
        if result.error or (result.status or 0) >= 500:
            log.warning(
                "look-up failed", error=result.error or "the service failed", took_ms=took_ms, **about
            )
        else:
            log.info("looked up", took_ms=took_ms, **about)

    async def _attempt(self, request: Fetch) -> Fetched:
        assert self._session is not None, "the fetcher is entered before it is used"
        url = self._checked_url(request.url)
        headers = _checked_headers(request)
        try:
            async with (
                asyncio.timeout(request.timeout_ms / 1000),
                self._session.request(
                    request.method.upper(), url, data=request.body, headers=headers, allow_redirects=False
                ) as reply,
            ):
                body = await _read(reply)
                return Fetched(reply.status, _meaning(body, reply))
        except Denied as error:
            raise _Refused(str(error)) from error
        except TimeoutError as error:
            raise _NoAnswer(f"no answer within {request.timeout_ms / 1000:g} s") from error
        except aiohttp.InvalidURL as error:
            raise _Refused("the address is no address of the web") from error
        except aiohttp.ClientConnectorCertificateError as error:
            raise _Refused("its certificate is not valid") from error
        except (aiohttp.ClientError, OSError, ssl.SSLError) as error:
            raise _NoAnswer(_why(error)) from error
        except (ValueError, zlib.error) as error:  # what neither a header nor an address can be
            raise _Refused(f"cannot be asked: {type(error).__name__}") from error

    def _checked_url(self, text: str) -> URL:
        if len(text) > LARGEST_URL_CHARS or _CONTROL.search(text):
            raise _Refused("the address is no address of the web")
        try:
            url = URL(text)
        except ValueError as error:
            raise _Refused("the address is no address of the web") from error
        if url.scheme not in ("http", "https") or not url.host:
            raise _Refused("the address does not begin with http:// or https://")
        path = re.split(r"[?#]", text, maxsplit=1)[0]
        if any(_CLIMBS.fullmatch(part) for part in path.split("/")):  # of a value that a caller gave
            raise _Refused("the address leads elsewhere: a part of its path is `.` or `..`")
        try:
            self._places.check_literal(url.host)
        except Denied as error:
            raise _Refused(str(error)) from error
        return url


def _checked_headers(request: Fetch) -> dict[str, str]:
    headers = {"Accept": "application/json, text/plain;q=0.9, */*;q=0.1", "Accept-Encoding": "gzip, deflate"}
    if request.body is not None and request.content_type:
        headers["Content-Type"] = request.content_type
    for name, value in request.headers:
        if not _HEADER_NAME.fullmatch(name) or name.lower() in OWN_HEADERS:
            raise _Refused(f"the header `{name[:64]!a}` is not for dialogs to set")
        if _CONTROL.search(value):
            raise _Refused(f"the header `{name}` has a control character in it")
        headers[name] = value
    return headers


async def _read(reply: aiohttp.ClientResponse) -> bytes:
    """Return the body, unpacked. Raises _Refused for one that is too large, packed or not."""
    body = bytearray()
    async for piece in _unpacked(reply):
        body += piece
        if len(body) > LARGEST_REPLY_BYTES:
            reply.close()
            raise _Refused(f"the reply is longer than {LARGEST_REPLY_BYTES // 1024} KiB")
    return bytes(body)


async def _unpacked(reply: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    packing = reply.headers.get("Content-Encoding", "").strip().lower()
    if packing in ("", "identity"):
        async for piece in reply.content.iter_chunked(READ_BYTES):
            yield piece
        return
    if packing not in ("gzip", "x-gzip", "deflate"):
        raise _Refused("the reply is packed in an unknown way")
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: the header tells gzip from zlib
    taken = 0
    try:
        async for piece in reply.content.iter_chunked(READ_BYTES):
            taken += len(piece)
            if taken > LARGEST_REPLY_BYTES:  # nothing may come out of it, or it goes on after its end
                raise _Refused(f"the reply is longer than {LARGEST_REPLY_BYTES // 1024} KiB")
            yield unpacker.decompress(piece, LARGEST_REPLY_BYTES + 1)
            if unpacker.unconsumed_tail:  # more came out than is taken
                raise _Refused(f"the reply is longer than {LARGEST_REPLY_BYTES // 1024} KiB")
    except zlib.error as error:
        raise _Refused("the reply cannot be unpacked") from error


def _meaning(body: bytes, reply: aiohttp.ClientResponse) -> object:
    """Return the JSON of a reply; its text where it is none; None where there is nothing."""
    if not body:
        return None
    text = body.decode(_charset(reply.charset), errors="replace").removeprefix("\ufeff")
    text = without_controls(text)
    kind = reply.content_type
    if kind == "application/json" or kind.endswith("+json") or text.lstrip()[:1] in ("{", "["):
        try:
            return parse_json(text)
        except NotPlain:
            return text
    return text


def _charset(name: str | None) -> str:
    """Return the codec of a charset, where it is one of text: Python's own (`hex`, `punycode`) are not."""
    try:
        found = codecs.lookup(name).name if name else "utf-8"
    except LookupError:
        return "utf-8"
    return found if _TEXT_CODEC.match(found) else "utf-8"


def _host(url: str) -> str:
    try:
        return URL(url).host or ""
    except ValueError:
        return ""


def _why(error: BaseException) -> str:
    """Say in a few words what went wrong, without the address."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no secure connection"
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno  # its text has the address in it
        return f"no connection: {os.strerror(number).lower() if number else 'refused'}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "it hung up without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "its reply broke off"
    if isinstance(error, aiohttp.ClientResponseError):
        return "its reply is no HTTP"
    return f"no connection: {type(error).__name__}"
