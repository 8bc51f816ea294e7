"""All that can be done for a dialog outside of its call, opened and closed together."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from voicebot.config import Config
from voicebot.dialog.turns import AskModel, Fetch, Fetched, HookDone, Replied, RunHook
from voicebot.work.fetching import Fetcher
from voicebot.work.hooks import Hooks
from voicebot.work.llm import LanguageModel


class WorkDesk:
    """Web services, hooks and the language model of a gateway. An async context manager."""

    def __init__(self, config: Config) -> None:
        self.hooks = Hooks()
        self._fetcher = Fetcher(config.fetch.allow)
        self._model = LanguageModel(config.llm)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self._fetcher)
        await self._stack.enter_async_context(self._model)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def fetch(self, work: Fetch) -> Fetched:
        return await self._fetcher.fetch(work)

    async def run_hook(self, work: RunHook) -> HookDone:
        return await self.hooks.run(work)

    def ask(self, work: AskModel) -> AsyncGenerator[str | Replied, None]:
        """Yield the model's words as they come, at last the whole reply."""
        return self._model.ask(work)
