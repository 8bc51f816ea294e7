"""Look-ups, hooks and models that are really asked, for a conversation in writing."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from voicebot.config import Config
from voicebot.dialog.turns import (
    AskModel,
    Fetch,
    MessageRecorded,
    Replied,
    RunHook,
    Work,
    WorkResult,
)
from voicebot.work.desk import WorkDesk

MESSAGE_MS = 10_000
"""Nobody speaks in writing: a message is taken to be so long."""


class LiveWorker:
    """Really does a conversation's work. A context manager; it has an event loop of its own."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        self._desk = self._runner.run(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._desk.__aexit__(kind, error, trace))
        self._runner.close()

    def __call__(self, work: Work) -> WorkResult:
        """Do the work; a service that fails is a result as well."""
        match work:
            case Fetch():
                return self._runner.run(self._desk.fetch(work))
            case RunHook():
                return self._runner.run(self._desk.run_hook(work))
            case AskModel():
                return self._runner.run(self._ask(work))
        return MessageRecorded("message.wav", MESSAGE_MS)

    async def _open(self) -> WorkDesk:
        return await WorkDesk(self._config).__aenter__()

    async def _ask(self, work: AskModel) -> Replied:
        reply = Replied(error="no reply")
        async for part in self._desk.ask(work):
            if isinstance(part, Replied):
                reply = part
        return reply
