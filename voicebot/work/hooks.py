"""Python functions that dialogs may run, registered as entry points of the group `voicebot.hooks`.

    [project.entry-points."voicebot.hooks"]
    order_status = "shop.voice:order_status"

A function gets the step's arguments by name and returns a mapping or one value. Plain functions run in a
thread, `async` ones on the event loop, which they must not block.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
import time
import traceback
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import structlog

from voicebot.dialog.turns import HookDone, RunHook
from voicebot.errors import Problem
from voicebot.work.plain import NotPlain, plain

log = structlog.get_logger(__name__)

GROUP = "voicebot.hooks"
THREADS = 64
"""Plain functions that run at once; one that hangs holds its thread for good, so their number is bounded."""


def known_hooks() -> frozenset[str]:
    """Return the names of all registered functions. None of them is imported."""
    return frozenset(entry.name for entry in entry_points(group=GROUP))


class HookFault(Exception):
    """A hook cannot be run; the text says why."""


class Hooks:
    """Runs hooks. `entries` are the registered functions; by default all of this Python."""

    def __init__(self, entries: Iterable[EntryPoint] | None = None) -> None:
        found = entry_points(group=GROUP) if entries is None else entries
        self._entries = {entry.name: entry for entry in found}
        self._loaded: dict[str, Callable[..., Any]] = {}
        self._threads = 0

    def problems(self, names: Iterable[str]) -> list[Problem]:
        """Import the hooks of these names; return why some cannot be run."""
        found = []
        for name in dict.fromkeys(names):
            try:
                self._function(name)
            except HookFault as error:
                remedy = f"install the package that registers it as an entry point of `{GROUP}`"
                found.append(Problem(f"hook `{name}`: {_told(error)}", remedy, code="hook"))
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
            function = self._loaded.get(work.name)
            if function is None:
                function = await asyncio.to_thread(self._function, work.name)
            arguments = dict(work.arguments)
            if inspect.iscoroutinefunction(function):
                value = await function(**arguments)
            else:
                value = await self._in_thread(function, arguments)
                if inspect.isawaitable(value):
                    value = await value
            return HookDone(plain(value))
        except NotPlain as error:
            return HookDone(error=f"what it returned {error}")
        except (Exception, SystemExit) as error:  # whatever somebody else's function does
            return HookDone(error=_told(error))

    def _function(self, name: str) -> Callable[..., Any]:
        if name not in self._loaded:
            entry = self._entries.get(name)
            if entry is None:
                raise HookFault("is not registered")
            try:
                function = entry.load()
            except Exception as error:  # importing runs somebody else's module
                raise HookFault(f"cannot be imported: {error!r}") from error
            if not callable(function):
                raise HookFault("is no function")
            self._loaded[name] = function
        return self._loaded[name]

    async def _in_thread(self, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
        """Run it in a thread of its own, which a hang does not keep from ending the process."""
        if self._threads >= THREADS:
            raise HookFault(f"{THREADS} hooks run already")
        loop = asyncio.get_running_loop()
        result: asyncio.Future[Any] = loop.create_future()

        def tell(value: Any, error: BaseException | None) -> None:
            self._threads -= 1
            if result.done():
                return
            if isinstance(error, StopIteration):  # a future does not take it
                error = RuntimeError("StopIteration")
            if error is None:
                result.set_result(value)
            else:
                result.set_exception(error)

        def work() -> None:
            value, failure = None, None
            try:
                value = function(**arguments)
            except BaseException as error:  # a thread has nobody above it
                failure = error
            with contextlib.suppress(RuntimeError):  # the gateway has ended meanwhile
                loop.call_soon_threadsafe(tell, value, failure)

        self._threads += 1
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="hook", daemon=True).start()
        return await result


def _told(error: BaseException) -> str:
    """Say what failed and where; not in the words of foreign exceptions, which may be the caller's."""
    if isinstance(error, HookFault):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
