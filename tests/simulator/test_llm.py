"""Category: simulator. A language model's words, from a stub server on loopback, good and hostile."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import structlog
from aiohttp import web

from tests.simulator.test_fetching import service
from voicebot.config import LlmConfig
from voicebot.dialog.turns import AskModel, Message, Replied, ToolUse
from voicebot.work import llm
from voicebot.work.llm import LanguageModel

pytestmark = pytest.mark.simulator

ASK = AskModel("chat", (Message("user", "When do you open?"),), timeout_ms=2000)
Serve = Callable[[web.StreamResponse], Awaitable[None]]


def chunk(text: str = "", **delta: Any) -> bytes:
    body = {"choices": [{"delta": {"content": text, **delta}, "finish_reason": None}]}
    return f"data: {json.dumps(body)}\n\n".encode()


async def asked(serve: Serve, work: AskModel = ASK, key: str = "") -> tuple[list[str], Replied]:
    """Ask a server whose stream `serve` writes; return the pieces and the reply."""

    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/chat/completions"
        assert request.headers.get("Authorization", "") == (f"Bearer {key}" if key else "")
        assert (await request.json())["messages"][-1] == {"role": "user", "content": "When do you open?"}
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the client has had enough
            await serve(response)
        return response

    pieces: list[str] = []
    async with service(answer) as url:
        config = LlmConfig.model_validate({"url": f"{url}/v1/", "model": "small", "key": key})
        async with LanguageModel(config) as model, asyncio.timeout(10):
            async for piece in model.ask(work):
                if isinstance(piece, Replied):
                    return pieces, piece
                pieces.append(piece)
    raise AssertionError("the last piece is the reply")


async def test_words_come_while_the_model_still_thinks() -> None:
    go_on = asyncio.Event()
    seen: list[str] = []

    async def serve(response: web.StreamResponse) -> None:
        await response.write(b": hello\n\n" + chunk("At nine. "))
        await go_on.wait()
        await response.write(chunk("Anything else?") + b"data: [DONE]\n\n")

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await serve(response)
        return response

    async with service(answer) as url, LanguageModel(LlmConfig(url=url)) as model, asyncio.timeout(5):
        async for piece in model.ask(ASK):
            if isinstance(piece, str):
                seen.append(piece)
                go_on.set()
            else:
                assert piece == Replied("At nine. Anything else?")
    assert seen == ["At nine. ", "Anything else?"]


async def test_tools_and_the_key() -> None:
    async def serve(response: web.StreamResponse) -> None:
        call = {"index": 0, "id": "c1", "function": {"name": "book", "arguments": '{"day":'}}
        await response.write(chunk(tool_calls=[call]))
        await response.write(chunk(tool_calls=[{"index": 0, "function": {"arguments": "1}"}}]))
        await response.write(b"data: [DONE]\n\n")

    assert await asked(serve, key="k1") == ([], Replied("", (ToolUse("book", '{"day":1}', "c1"),)))


async def test_a_server_that_does_not_stream() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        message = {"role": "assistant", "content": "At nine."}
        return web.json_response({"choices": [{"message": message, "finish_reason": "stop"}]})

    async with service(answer) as url, LanguageModel(LlmConfig(url=url)) as model:
        assert [piece async for piece in model.ask(ASK)] == ["At nine.", Replied("At nine.")]


@pytest.mark.parametrize("status", [302, 401, 429, 500])
async def test_a_server_that_refuses(status: int) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text="no")

    async with service(answer) as url, LanguageModel(LlmConfig(url=url)) as model:
        assert [piece async for piece in model.ask(ASK)] == [
            Replied(error=f"the server answers with status {status}")
        ]


async def test_no_server_and_no_configuration() -> None:
    for url, why in (("http://127.0.0.1:9", "no reply"), ("", "no language model")):
        async with LanguageModel(LlmConfig(url=url)) as model:
            (reply,) = [piece async for piece in model.ask(ASK)]
        assert isinstance(reply, Replied)
        assert why in reply.error


async def hangs(response: web.StreamResponse) -> None:
    await asyncio.sleep(3)


async def breaks_off(response: web.StreamResponse) -> None:
    await response.write(chunk("At "))


async def never_ends_a_line(response: web.StreamResponse) -> None:
    for _ in range(160):
        await response.write(b"x" * 65_536)


async def never_ends_silently(response: web.StreamResponse) -> None:
    for _ in range(200):
        await response.write(b": still here\n" * 5_000)


async def never_stops_talking(response: web.StreamResponse) -> None:
    for _ in range(5_000):
        await response.write(chunk("and so on "))


async def talks_nonsense(response: web.StreamResponse) -> None:
    await response.write(b"data: {]\n\n")


@pytest.mark.parametrize(
    ("serve", "why"),
    [
        (hangs, "no reply in time"),
        (breaks_off, "broke off"),
        (never_ends_a_line, "too long"),
        (never_ends_silently, "does not end"),
        (never_stops_talking, "longer than"),
        (talks_nonsense, "not valid JSON"),
    ],
)
async def test_a_hostile_server_costs_a_reply_and_no_more(serve: Serve, why: str) -> None:
    work = AskModel("chat", ASK.messages, timeout_ms=300 if serve is hangs else 5000)
    pieces, reply = await asked(serve, work)
    assert why in reply.error
    assert reply.text == "".join(pieces)
    assert len(reply.text) <= 8_000


async def test_a_reply_that_drips_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(llm, "WHOLE_REPLY_S", 0.1)

    async def serve(response: web.StreamResponse) -> None:
        await response.write(chunk("At nine. "))
        await asyncio.sleep(2)

    assert await asked(serve) == (["At nine. "], Replied("At nine. ", error="the reply takes too long"))


async def test_words_are_not_logged() -> None:
    async def serve(response: web.StreamResponse) -> None:
        await response.write(chunk("At nine.") + b"data: [DONE]\n\n")

    with structlog.testing.capture_logs() as logs:
        await asked(serve)
    assert [entry["event"] for entry in logs] == ["model replied"]
    assert "nine" not in str(logs)
    assert "open" not in str(logs)
