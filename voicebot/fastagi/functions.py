"""Python functions for the dialplan, registered as entry points of the group `voicebot.agi`.

    [project.entry-points."voicebot.agi"]
    table_free = "restaurant.voice:table_free"

    async def table_free(channel: AgiChannel) -> dict[str, object] | None:
        day = channel.environment.query.get("day")
        return {"TABLE_FREE": await ask_the_book(day)}

AGI(agi://host/function/table_free?day=monday) runs it. What it returns becomes variables of the channel; it
may play, ask and set by itself as well. A plain function runs in a thread, and gets a channel that waits
(`BlockingChannel`). It fails alone: the dialplan goes on with VOICEBOT_AGI_STATUS = failed.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import structlog

from voicebot.agi.command import AgiError, CallerHungUp, CommandFailed
from voicebot.errors import Problem
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.scripts import UnknownScript

log = structlog.get_logger(__name__)

GROUP = "voicebot.agi"
THREADS = 64
"""Plain functions that run at once; one that hangs holds its thread for good, so their number is bounded."""
FUNCTION_S = 30.0


class FunctionFailed(AgiError):
    """A function raised, returned what cannot be variables, or took too long. The text is for the log."""


class BlockingChannel:
    """An AgiChannel for a plain function: the same methods and attributes, but its methods wait.

    They raise as those of AgiChannel do, and CallerHungUp once the function has taken too long.
    """

    def __init__(self, channel: AgiChannel) -> None:
        self._channel = channel
        self._loop = asyncio.get_running_loop()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._channel, name)
        if not inspect.iscoroutinefunction(found):
            return found

        def waiting(*arguments: Any, **named: Any) -> Any:
            if self._channel.closed:
                raise CallerHungUp("the session is over")
            return asyncio.run_coroutine_threadsafe(found(*arguments, **named), self._loop).result()

        return waiting


class Functions:
    """Runs functions. `entries` are the registered ones; by default all of this Python."""

    def __init__(self, entries: Iterable[EntryPoint] | None = None, function_s: float = FUNCTION_S) -> None:
        found = entry_points(group=GROUP) if entries is None else entries
        self._entries = {entry.name: entry for entry in found}
        self._loaded: dict[str, Callable[..., Any]] = {}
        self._function_s = function_s
        self._threads = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._entries))

    def problems(self) -> list[Problem]:
        """Import all functions; return why some cannot be run."""
        found = []
        for name in self._entries:
            try:
                self._function(name)
            except (FunctionFailed, UnknownScript) as error:
                remedy = f"mend the package that registers it as an entry point of `{GROUP}`"
                found.append(Problem(f"function `{name}`: {error}", remedy, code="function"))
        return found

    async def serve(self, channel: AgiChannel, name: str) -> None:
        """Run agi://host/function/<name> for a call. Raises UnknownScript, FunctionFailed, CallerHungUp."""
        function = self._loaded.get(name)
        if function is None:
            function = await asyncio.to_thread(self._function, name)
        try:
            async with asyncio.timeout(self._function_s):
                variables = await self._run(function, channel)
        except TimeoutError:
            raise FunctionFailed(f"not done within {self._function_s:g} s") from None
        except (CallerHungUp, FunctionFailed, asyncio.CancelledError):
            raise
        except CommandFailed as error:
            raise FunctionFailed(str(error)) from error
        except (Exception, SystemExit) as error:  # whatever somebody else's function does
            raise FunctionFailed(_told(error)) from error
        if variables is None:
            return
        if not isinstance(variables, Mapping) or not all(isinstance(key, str) for key in variables):
            raise FunctionFailed("it returned neither None nor names and values")
        await channel.set_variables(variables)

    async def _run(self, function: Callable[..., Any], channel: AgiChannel) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(channel)
        value = await self._in_thread(function, BlockingChannel(channel))
        return await value if inspect.isawaitable(value) else value

    def _function(self, name: str) -> Callable[..., Any]:
        if name not in self._loaded:
            entry = self._entries.get(name)
            if entry is None:
                raise UnknownScript("no such function")
            try:
                function = entry.load()
            except Exception as error:  # importing runs somebody else's module
                raise FunctionFailed(f"cannot be imported: {_told(error)}") from error
            if not callable(function):
                raise FunctionFailed("is no function")
            self._loaded[name] = function
        return self._loaded[name]

    async def _in_thread(self, function: Callable[..., Any], channel: BlockingChannel) -> Any:
        """Run it in a thread of its own, which a hang does not keep from ending the process."""
        if self._threads >= THREADS:
            raise FunctionFailed(f"{THREADS} functions run already")
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
                value = function(channel)
            except BaseException as error:  # a thread has nobody above it
                failure = error
            with contextlib.suppress(RuntimeError):  # the gateway has ended meanwhile
                loop.call_soon_threadsafe(tell, value, failure)

        self._threads += 1
        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name="agi function", daemon=True).start()
        return await result


def _told(error: BaseException) -> str:
    """Say what failed and where; not in the words of foreign exceptions, which may be the caller's."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
