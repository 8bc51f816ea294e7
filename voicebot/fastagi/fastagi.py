"""All of FastAGI as `[agi]` of voicebot.toml says it: server, look-ups, functions, and what others add."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from voicebot.config import Config
from voicebot.fastagi.functions import Functions
from voicebot.fastagi.lookups.live import LiveLookups
from voicebot.fastagi.lookups.loading import load_lookups
from voicebot.fastagi.lookups.running import Lookups
from voicebot.fastagi.scripts import Handler, Scripts
from voicebot.fastagi.server import FastAgiServer


class FastAgi:
    """The FastAGI server of a gateway, or alone; an async context manager.

        fastagi = FastAgi(config)
        fastagi.add("dialog", run_dialog)     # before it is entered: more kinds of scripts
        async with fastagi:                   # raises UserError: the file of look-ups, drivers, the port
            ...                               # serves meanwhile, on this event loop
        fastagi.port                          # where it listens
        fastagi.counts                        # Counter: sessions, ok, unknown, failed, busy, refused, faults

    Enter it beside the gateway where `config.agi.enabled`; leaving it takes no more sessions, and ends those
    that there are. It shares nothing with calls of ARI but the loop, which it never blocks: queries and plain
    functions run in threads.
    """

    def __init__(self, config: Config, functions: Functions | None = None) -> None:
        agi = config.agi
        self._config = config
        self._stack = AsyncExitStack()
        self.scripts = Scripts()
        self.functions = functions or Functions(function_s=agi.function_s)
        self.lookups: LiveLookups | None = None
        self.scripts.add("function", self.functions.serve)
        self.server = FastAgiServer(
            self.scripts,
            bind=agi.bind,
            port=agi.port,
            allow=agi.allow,
            sessions=agi.sessions,
            environment_s=agi.environment_s,
            command_s=agi.command_s,
            permitted=agi.applications,
        )

    def add(self, kind: str, handler: Handler) -> None:
        """Let `handler` run agi://host/<kind>/<name>; see scripts.py."""
        self.scripts.add(kind, handler)

    @property
    def port(self) -> int:
        return self.server.port

    @property
    def counts(self) -> dict[str, int]:
        """What became of sessions since the start."""
        return dict(self.server.counts)

    @property
    def sessions(self) -> int:
        """How many there are now."""
        return len(self.server.connections)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            if self._config.agi.lookups:
                self.lookups = await stack.enter_async_context(self._live_lookups())
                self.scripts.add("lookup", self.lookups.serve, tells_itself=True)
            await stack.enter_async_context(self.server)
            self._stack = stack.pop_all()
        return self

    def _live_lookups(self) -> LiveLookups:
        config = self._config
        path = config.resolve(config.agi.lookups)
        return LiveLookups(path, allow=config.fetch.allow, reload=config.dialogs.reload)

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()


async def open_lookups(config: Config, path: Path | None = None) -> Lookups:
    """Return the look-ups of `path`, or that `agi.lookups` names, to be entered.

    Raises UserError with every mistake.
    """
    path = path or config.resolve(config.agi.lookups)
    file = await asyncio.to_thread(load_lookups, path)
    return Lookups(file, path.parent, allow=config.fetch.allow)
