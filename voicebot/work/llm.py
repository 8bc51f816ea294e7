"""Asks a language model, at any OpenAI-compatible endpoint, and passes its words on as they come."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from types import TracebackType
from typing import Self

import aiohttp
import structlog

from voicebot.config import LlmConfig
from voicebot.dialog.turns import AskModel, Replied
from voicebot.work.completion import Completion, Malformed, request_of
from voicebot.work.sse import LineTooLong, SseParser

log = structlog.get_logger(__name__)

WHOLE_REPLY_S = 30.0
"""From the first word to the last: a reply that takes longer is cut off."""
LARGEST_REPLY_BYTES = 4_000_000
"""Of the whole stream, whose every word comes in some hundred bytes."""
READ_BYTES = 16_384
CONNECTIONS = 200


class LanguageModel:
    """The language model of the configuration; an async context manager."""

    def __init__(self, config: LlmConfig) -> None:
        self._config = config
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        key = self._config.key.get_secret_value()
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=CONNECTIONS),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
            read_bufsize=READ_BYTES,
            auto_decompress=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, work: AskModel) -> AsyncGenerator[str | Replied, None]:
        """Yield the reply piece by piece, at last the whole of it or what went wrong.

        Never raises, but for being cancelled. Close the iterator to stop the model.
        """
        began = time.monotonic()
        first_ms: int | None = None
        completion = Completion()
        error = ""
        if not self._config.url:
            error = "no language model is configured: set [llm] url"
        else:
            try:
                async with asyncio.timeout(work.timeout_ms / 1000) as limit:
                    async for piece in self._pieces(work, completion):
                        if first_ms is None:
                            first_ms = round((time.monotonic() - began) * 1000)
                            limit.reschedule(asyncio.get_running_loop().time() + WHOLE_REPLY_S)
                        yield piece
            except TimeoutError:
                error = "the reply takes too long" if first_ms is not None else "no reply in time"
            except Malformed as fault:
                error = str(fault)
            except LineTooLong:
                error = "a line of the reply is too long"
            except (aiohttp.ClientError, OSError, ValueError) as fault:
                error = f"no reply: {type(fault).__name__}"
        result = Replied(completion.text, error=error) if error else completion.reply()
        took_ms = round((time.monotonic() - began) * 1000)
        if result.error:
            log.warning("model failed", step=work.step, error=result.error, took_ms=took_ms)
        else:
            tools = len(result.tools)
            log.info("model replied", step=work.step, first_ms=first_ms, took_ms=took_ms, tools=tools)
        yield result

    async def _pieces(self, work: AskModel, completion: Completion) -> AsyncGenerator[str, None]:
        assert self._session is not None, "the model is entered before it is asked"
        body = request_of(work, self._config.model, self._config.max_tokens)
        async with self._session.post(
            f"{self._config.url}/chat/completions",
            json=body,
            headers={"Accept": "text/event-stream", "Accept-Encoding": "identity"},
            allow_redirects=False,
        ) as reply:
            if reply.status != 200:
                raise Malformed(f"the server answers with status {reply.status}")
            if reply.content_type == "application/json":  # it does not stream
                if added := completion.take(await _whole(reply)):
                    yield added
                return
            parser, taken = SseParser(), 0
            async for chunk in reply.content.iter_any():
                taken += len(chunk)
                if taken > LARGEST_REPLY_BYTES:
                    raise Malformed("the reply does not end")
                for data in parser.feed(chunk):
                    if added := completion.take(data):
                        yield added
                    if completion.over:
                        return
            for data in parser.end():
                if added := completion.take(data):
                    yield added


async def _whole(reply: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in reply.content.iter_chunked(READ_BYTES):
        body += chunk
        if len(body) > LARGEST_REPLY_BYTES // 16:
            raise Malformed("the reply is too long")
    return body.decode("utf-8", errors="replace")
