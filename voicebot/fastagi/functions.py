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
import inspect
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import Any

from voicebot.agi.command import AgiError, CallerHungUp, CommandFailed
from voicebot.errors import Problem
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.scripts import UnknownScript
from voicebot.work.registered import NotRegistered, NotUsable, Registered, told

GROUP = "voicebot.agi"
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
        self._registered = Registered(GROUP, "function", entries)
        self._function_s = function_s

    @property
    def names(self) -> tuple[str, ...]:
        return self._registered.names

    def problems(self) -> list[Problem]:
        """Import all functions; return why some cannot be run."""
        found = []
        for name in self.names:
            try:
                self._registered.load(name)
            except NotUsable as error:
                remedy = f"mend the package that registers it as an entry point of `{GROUP}`"
                found.append(Problem(f"function `{name}`: {error}", remedy, code="function"))
        return found

    async def serve(self, channel: AgiChannel, name: str) -> None:
        """Run agi://host/function/<name> for a call. Raises UnknownScript, FunctionFailed, CallerHungUp."""
        try:
            function = await self._registered.find(name)
        except NotRegistered as error:
            raise UnknownScript("no such function") from error
        except NotUsable as error:
            raise FunctionFailed(str(error)) from error
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
            raise FunctionFailed(told(error)) from error
        if variables is None:
            return
        if not isinstance(variables, Mapping) or not all(isinstance(key, str) for key in variables):
            raise FunctionFailed("it returned neither None nor names and values")
        await channel.set_variables(variables)

    async def _run(self, function: Callable[..., Any], channel: AgiChannel) -> Any:
        if inspect.iscoroutinefunction(function):
            return await function(channel)
        return await self._registered.in_thread(function, BlockingChannel(channel))
