"""Category: simulator. Look-ups against a web service on loopback that behaves, and one that does not."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import structlog
from aiohttp import web

from voicebot.dialog.turns import Fetch, Fetched
from voicebot.work import fetching
from voicebot.work.fetching import LARGEST_REPLY_BYTES, Fetcher

pytestmark = pytest.mark.simulator

LOOPBACK = ["127.0.0.0/8"]
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def service(answer: Answer) -> AsyncIterator[str]:
    """A web service on a free port; its address."""
    app = web.Application(client_max_size=10_000_000)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def raw_service(reply: bytes, *, repeat: int = 1, hang: bool = False) -> AsyncIterator[str]:
    """A server that writes these bytes whatever it is asked."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(repeat):
                writer.write(reply)
                await writer.drain()
            if hang:
                await over.wait()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        over.set()
        server.close()


async def ask(url: str, allow: list[str] = LOOPBACK, **changes: Any) -> Fetched:
    request = Fetch(**{"step": "look_up", "method": "get", "url": url, "timeout_ms": 2000, **changes})
    async with Fetcher(allow) as fetcher:
        return await fetcher.fetch(request)


def always(**reply: Any) -> Answer:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(**reply)

    return answer


async def test_a_service_is_asked_and_its_json_comes_back() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.headers["X-Key"] == "k"
        assert request.content_type == "application/json"
        return web.json_response({"path": request.path, "method": request.method, **await request.json()})

    async with service(answer) as url:
        body = json.dumps({"order": 17}).encode()
        found = await ask(
            f"{url}/orders",
            method="post",
            headers=(("X-Key", "k"),),
            body=body,
            content_type="application/json",
        )
    assert found == Fetched(200, {"path": "/orders", "method": "POST", "order": 17})


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ({"status": 204}, Fetched(204)),
        ({"text": "all right"}, Fetched(200, "all right")),
        ({"text": '{"a": 1}'}, Fetched(200, {"a": 1})),
        ({"text": "{broken", "content_type": "application/json"}, Fetched(200, "{broken")),
        ({"status": 404, "text": "[]"}, Fetched(404, [])),
        (
            {"body": gzip.compress(b'{"a": 1}'), "headers": {"Content-Encoding": "gzip"}},
            Fetched(200, {"a": 1}),
        ),
        (
            {"body": b"\xff\xfe", "headers": {"Content-Type": "text/plain; charset=nonsense"}},
            Fetched(200, "��"),
        ),
        ({"body": b"6869", "headers": {"Content-Type": "text/plain; charset=hex"}}, Fetched(200, "6869")),
        ({"text": '{"a": "\\ud800\\u0000\\u001b"}'}, Fetched(200, {"a": "   "})),
        ({"body": b"a\0\x1b[31mb", "headers": {"Content-Type": "text/plain"}}, Fetched(200, "a  [31mb")),
    ],
)
async def test_replies_of_all_kinds(reply: dict[str, Any], expected: Fetched) -> None:
    async with service(always(**reply)) as url:
        assert await ask(url) == expected


async def test_a_redirect_is_an_answer_and_not_followed() -> None:
    async with service(always(status=302, headers={"Location": "http://127.0.0.1:1/"})) as url:
        assert (await ask(url)).status == 302


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/", "http://[::1]:9/", "http://localhost:9/", "http://2130706433:9/",
        "http://0x7f.1:9/", "http://169.254.169.254/latest/", "http://[::ffff:127.0.0.1]:9/",
    ],
)  # fmt: skip
async def test_this_machine_and_its_neighbours_are_closed_unless_allowed(url: str) -> None:
    found = await ask(url, allow=[], retries=3)
    assert found.status is None
    assert "not public" in found.error or "no address" in found.error


@pytest.mark.parametrize("part", ["..", ".", "%2e%2e", ".%2E"])
async def test_no_value_leads_out_of_its_place_in_a_path(part: str) -> None:
    """Callers choose their numbers: `..` in /customers/{caller}/orders would be /orders."""
    for url in (f"http://127.0.0.1:9/customers/{part}/orders", f"http://127.0.0.1:9/customers/{part}?a=b"):
        assert "leads elsewhere" in (await ask(url)).error
    assert "leads" not in (await ask(f"http://127.0.0.1:9/a..b/...?name=/{part}/")).error


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://a.test/", "gopher://a", "//a", "", "http://", "http://a b/\r\nX: y"]
)
async def test_what_is_no_address_of_the_web_is_refused(url: str) -> None:
    found = await ask(url)
    assert found.status is None
    assert found.error


@pytest.mark.parametrize(
    "header", [("Host", "x"), ("X-A", "a\r\nX-B: b"), ("Content-Length", "1"), ("é", "x")]
)
async def test_headers_that_are_not_for_dialogs_are_refused(header: tuple[str, str]) -> None:
    assert "header" in (await ask("http://127.0.0.1:9/", headers=(header,))).error


@pytest.mark.parametrize("packed", [False, True])
async def test_ten_megabytes_are_cut_and_memory_is_bounded(packed: bool) -> None:
    reply = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65_536
    if packed:
        reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"x" * 10_000_000)
    async with raw_service(reply, repeat=160) as url, Fetcher(LOOPBACK) as fetcher:
        tracemalloc.start()
        found = await fetcher.fetch(Fetch("look_up", "get", url))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == Fetched(None, error=f"the reply is longer than {LARGEST_REPLY_BYTES // 1024} KiB")
    assert most < 2_000_000


async def test_what_comes_after_the_end_of_a_packed_reply_is_not_collected() -> None:
    reply = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}") + b"x" * 65_536
    async with raw_service(reply, repeat=160) as url, Fetcher(LOOPBACK) as fetcher:
        tracemalloc.start()
        found = await fetcher.fetch(Fetch("look_up", "get", url))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "longer than" in found.error and most < 2_000_000


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (b"SSH-2.0-OpenSSH\r\n", "no HTTP"),
        (b"", "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nshort", "broke off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope", "unpacked"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 4\r\n\r\nnope", "unknown way"),
    ],
)
async def test_what_is_no_answer(reply: bytes, why: str) -> None:
    async with raw_service(reply) as url:
        found = await ask(url)
    assert found.status is None
    assert why in found.error


async def test_a_service_that_hangs_or_drips_is_given_up_in_time() -> None:
    for reply in (b"", b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nx"):
        async with raw_service(reply, hang=True) as url:
            found = await asyncio.wait_for(ask(url, timeout_ms=100), 1)
        assert found == Fetched(None, error="no answer within 0.1 s")


@pytest.mark.parametrize("first", [503, "cut"])
async def test_another_attempt_is_made_where_the_dialog_wants_it(
    first: int | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "FIRST_BACKOFF_S", 0.01)
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.method)
        if len(seen) < 3:
            if first == "cut":
                assert request.transport is not None
                request.transport.abort()
            return web.Response(status=503)
        return web.json_response("yes")

    async with service(answer) as url:
        assert await ask(url, method="post", retries=2) == Fetched(200, "yes")
        assert seen == ["POST"] * 3
        seen.clear()
        assert (await ask(url, method="post")).status == (503 if first == 503 else None)
        assert len(seen) == 1, "nobody asked for another attempt"


async def test_an_attempt_that_cannot_help_is_not_repeated() -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.method)
        return web.Response(status=404)

    async with service(answer) as url:
        assert (await ask(url, retries=5)).status == 404
    assert len(seen) == 1


async def test_a_service_that_fails_is_a_warning_and_one_that_refuses_is_none() -> None:
    with structlog.testing.capture_logs() as logs:
        for status in (200, 404, 500):
            async with service(always(status=status)) as url:
                await ask(url)
    assert [(log["status"], log["log_level"]) for log in logs] == [
        (200, "info"),
        (404, "info"),
        (500, "warning"),
    ]


async def test_what_is_sensitive_is_not_logged() -> None:
    with structlog.testing.capture_logs() as logs:
        async with service(always(status=500, text="4111")) as url:
            await ask(f"{url}/card/4111?n=4111", sensitive=True, body=b"4111", method="post")
        await ask("http://127.0.0.1:9/4111", sensitive=True)
    assert len(logs) == 2
    assert "4111" not in str(logs)
    assert "127.0.0.1" not in str(logs)
