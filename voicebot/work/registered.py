"""Python functions of other packages: found by their entry points, and run so that they hold up nobody.

A plain function runs in a thread of its own, which a hang does not keep from ending the process. What it
raises is told by its kind and place, not in its words.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import threading
import traceback
from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

THREADS = 64
"""Plain functions that run at once; one that hangs holds its thread for good, so their number is bounded."""


class NotUsable(Exception):
    """A function cannot be run; the text says why."""


class NotRegistered(NotUsable):
    """There is no function of this name."""


class Registered:
    """The functions of one group of entry points, imported when they are first wanted.

    kind:    what they are called where something goes wrong
    entries: the registered ones; by default all of this Python
    """

    def __init__(self, group: str, kind: str, entries: Iterable[EntryPoint] | None = None) -> None:
        found = entry_points(group=group) if entries is None else entries
        self._kind = kind
        self._entries = {entry.name: entry for entry in found}
        self._loaded: dict[str, Callable[..., Any]] = {}
        self._threads = 0

    @property
    def names(self) -> tuple[str, ...]:
        """Of all, sorted. None of them is imported for it."""
        return tuple(sorted(self._entries))

    def load(self, name: str) -> Callable[..., Any]:
        """Import a function, which may take a while. Raises NotUsable."""
        if name not in self._loaded:
            entry = self._entries.get(name)
            if entry is None:
                raise NotRegistered("is not registered")
            try:
                function = entry.load()
            except Exception as error:  # importing runs somebody else's module
                raise NotUsable(f"cannot be imported: {error!r}") from error
            if not callable(function):
                raise NotUsable("is no function")
            self._loaded[name] = function
        return self._loaded[name]

    async def find(self, name: str) -> Callable[..., Any]:
        """Return a function; it is imported in a thread, where it is not yet. Raises NotUsable."""
        return self._loaded[name] if name in self._loaded else await asyncio.to_thread(self.load, name)

    async def in_thread(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Run a plain function, and await what it returns, if need be. Raises what it raises, NotUsable."""
        if self._threads >= THREADS:
            raise NotUsable(f"{THREADS} {self._kind}s run already")
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
                value = function(*arguments, **named)
            except BaseException as error:  # a thread has nobody above it
                failure = error
            with contextlib.suppress(RuntimeError):  # the gateway has ended meanwhile
                loop.call_soon_threadsafe(tell, value, failure)

        context = contextvars.copy_context()
        threading.Thread(target=context.run, args=(work,), name=self._kind, daemon=True).start()
        self._threads += 1  # now that it runs; `tell` comes later, on this loop
        value = await result
        return await value if inspect.isawaitable(value) else value


def told(error: BaseException) -> str:
    """Say what failed and where; not in the words of foreign exceptions, which may be the caller's."""
    if isinstance(error, NotUsable):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
