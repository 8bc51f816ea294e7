"""Python functions that dialogs may run, registered as entry points of the group `voicebot.hooks`.

    [project.entry-points."voicebot.hooks"]
    order_status = "shop.voice:order_status"

A function gets the step's arguments by name and returns a mapping or one value. Plain functions run in a
thread, `async` ones on the event loop, which they must not block.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points

import structlog

from voicebot.dialog.turns import HookDone, RunHook
from voicebot.errors import Problem
from voicebot.work.plain import NotPlain, plain
from voicebot.work.registered import NotUsable, Registered, told

log = structlog.get_logger(__name__)

GROUP = "voicebot.hooks"


def known_hooks() -> frozenset[str]:
    """Return the names of all registered functions. None of them is imported."""
    return frozenset(entry.name for entry in entry_points(group=GROUP))


class Hooks:
    """Runs hooks. `entries` are the registered functions; by default all of this Python."""

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        self._registered = Registered(GROUP, "hook", entries)

    def problems(self, names: Iterable[str]) -> list[Problem]:
        """Import the hooks of these names; return why some cannot be run."""
        found = []
        for name in dict.fromkeys(names):
            try:
                self._registered.load(name)
            except NotUsable as error:
                remedy = f"install the package that registers it as an entry point of `{GROUP}`"
                found.append(Problem(f"hook `{name}`: {error}", remedy, code="hook"))
        return found

    async def run(self, work: RunHook) -> HookDone:
        """Run a hook. Never raises, but for being cancelled."""
        began = time.monotonic()
        task = asyncio.create_task(self._run(work), name=f"hook {work.name}")
        try:
            done, _ = await asyncio.wait({task}, timeout=work.timeout_ms / 1000)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not done:
            task.cancel()  # not awaited: it may refuse
            result = HookDone(error=f"no result within {work.timeout_ms / 1000:g} s")
        elif task.cancelled():
            result = HookDone(error="it was cancelled")
        else:
            result = task.result()
        took_ms = round((time.monotonic() - began) * 1000)
        if result.error:
            log.warning("hook failed", step=work.step, hook=work.name, error=result.error, took_ms=took_ms)
        else:
            log.info("hook done", step=work.step, hook=work.name, took_ms=took_ms)
        return result

    async def _run(self, work: RunHook) -> HookDone:
        try:
            function = await self._registered.find(work.name)
            arguments = dict(work.arguments)
            if inspect.iscoroutinefunction(function):
                return HookDone(plain(await function(**arguments)))
            return HookDone(plain(await self._registered.in_thread(function, **arguments)))
        except NotPlain as error:
            return HookDone(error=f"what it returned {error}")
        except (Exception, SystemExit) as error:  # whatever somebody else's function does
            return HookDone(error=told(error))
