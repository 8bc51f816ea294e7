"""The look-ups of a file, and what happens when somebody saves it while calls go on.

A saved file is live for the next call; who was asking goes on with the version before. A file with faults is
told of, once, and the version before it stays in service.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import structlog

from voicebot.errors import Problem, UserError
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.lookups.loading import load_lookups
from voicebot.fastagi.lookups.running import Lookups, Outcome

log = structlog.get_logger(__name__)

WATCH_S = 2.0
"""Between two looks at the file where nobody calls."""
FRESH_S = 0.25
"""A call has the file looked at unless that was done so shortly before."""
SETTLE_S = 0.25
"""A file written to so recently may be written to again: an editor empties it first, then fills it."""
SETTLE_LIMIT_S = 5.0
"""A file that is still written to after so long is read as it is."""
CALL_WAITS_S = 1.0
"""A call waits so long for a file just saved, or for a disk that hangs; then it has the version before."""

Signature = tuple[tuple[int, int, int], ...]
"""Of files: time of the last change in ns, size, inode; zeros for one that is not there."""


class _Version:
    """Look-ups in service, or on their way out: they are closed when the last call has its answer."""

    def __init__(self, lookups: Lookups) -> None:
        self.lookups = lookups
        self.users = 0
        self.idle = asyncio.Event()


class LiveLookups:
    """Has the interface of `Lookups`. An async context manager; entering raises UserError with every mistake.

    allow: places beside the public internet that `fetch` may ask. reload: whether a saved file is taken.
    """

    def __init__(
        self,
        path: Path,
        *,
        allow: Iterable[str] = (),
        environment: Mapping[str, str] | None = None,
        reload: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._allow = tuple(allow)
        self._environment = environment
        self._reload = reload
        self._clock = clock
        self._now: _Version
        self._watched: tuple[Path, ...] = (path,)
        self._signature: Signature = ()
        self._looked_at = 0.0
        self._looking: asyncio.Task[None] | None = None
        self._refused: tuple[Problem, ...] = ()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        return self._now.lookups.names

    @property
    def unguarded(self) -> tuple[str, ...]:
        return self._now.lookups.unguarded

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why the file as it is now was refused; () if it was not."""
        return self._refused

    async def __aenter__(self) -> Self:
        self._signature = await asyncio.to_thread(signature_of, self._watched)
        self._now = await self._open()
        # Passwords are read with the file: what was saved since is found at the first look.
        self._signature += await asyncio.to_thread(signature_of, self._watched[1:])
        self._looked_at = self._clock()
        if self._reload:
            self._start(self._watch(), "look-up file watch")
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._now.lookups.__aexit__()

    async def serve(self, channel: AgiChannel, name: str) -> None:
        """Run agi://host/lookup/<name> for a call: set its variables. Raises UnknownScript."""
        version = await self._version()
        version.users += 1
        try:
            await version.lookups.serve(channel, name)
        finally:
            self._leave(version)

    async def look_up(self, name: str, given: Mapping[str, str]) -> Outcome:
        """Run a look-up with the parameters of a call. Raises UnknownScript."""
        version = await self._version()
        version.users += 1
        try:
            return await version.lookups.look_up(name, given)
        finally:
            self._leave(version)

    # --- versions ---------------------------------------------------------------------------------------

    async def _version(self) -> _Version:
        """Return the version for a call that asks now."""
        if self._reload and self._clock() - self._looked_at >= FRESH_S:
            if self._looking is None or self._looking.done():
                self._looking = self._start(self._look(), "look-up file")
            await asyncio.wait({self._looking}, timeout=CALL_WAITS_S)
        return self._now

    def _leave(self, version: _Version) -> None:
        version.users -= 1
        if not version.users and version is not self._now:
            version.idle.set()

    def _start(self, work: Any, name: str) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            if self._clock() - self._looked_at >= WATCH_S:
                await self._version()

    async def _look(self) -> None:
        """Take in what was saved; tell what is wrong with it, once."""
        try:
            found = await asyncio.to_thread(signature_of, self._watched)
            if found != self._signature:
                await self._take(await self._settled(found))
        except Exception:  # the file is somebody else's, the calls are ours
            log.exception("file of look-ups not looked at", file=str(self._path))
        finally:
            self._looked_at = self._clock()

    async def _take(self, found: Signature) -> None:
        self._signature = found
        try:
            version = await self._open()
        except UserError as error:
            if error.problems != self._refused:
                log.error(
                    "look-ups not reloaded, the version before stays",
                    file=str(self._path),
                    problems=[str(problem) for problem in error.problems],
                )
            self._refused = tuple(error.problems)
            return
        self._signature = await asyncio.to_thread(signature_of, self._watched)
        if self._signature[:1] != found[:1]:
            self._signature = ()  # it was written to while it was read: the next look reads it again
        before, self._now, self._refused = self._now, version, ()
        log.info("look-ups reloaded", file=str(self._path), lookups=version.lookups.names)
        self._start(self._retire(before), "look-ups retire")

    async def _retire(self, version: _Version) -> None:
        try:
            if version.users:
                await version.idle.wait()
        finally:
            await version.lookups.__aexit__()

    async def _open(self) -> _Version:
        """Read the file and make ready what it needs. Raises UserError."""
        file = await asyncio.to_thread(load_lookups, self._path, self._environment)
        base = self._path.parent
        lookups = Lookups(file, base, environment=self._environment, allow=self._allow)
        await lookups.__aenter__()
        passwords = [each.password_file for each in file.databases.values() if each.password_file]
        self._watched = (self._path, *(base / each for each in passwords))
        return _Version(lookups)

    async def _settled(self, found: Signature) -> Signature:
        """Wait until nobody has written to the files for a moment; return their signature then."""
        until = time.monotonic() + SETTLE_LIMIT_S
        while time.monotonic() < until:
            missing = not all(inode for _, _, inode in found)
            if not missing and max(changed for changed, _, _ in found) < time.time_ns() - SETTLE_S * 1e9:
                break
            await asyncio.sleep(SETTLE_S)
            again = await asyncio.to_thread(signature_of, self._watched)
            if again == found:
                break
            found = again
        return found


def signature_of(files: Iterable[Path]) -> Signature:
    """Return what changes when one of the files does."""
    found = []
    for file in files:
        try:
            stat = os.stat(file)  # noqa: PTH116 - twice as fast as Path, and done for calls
            found.append((stat.st_mtime_ns, stat.st_size, stat.st_ino))
        except OSError:
            found.append((0, 0, 0))
    return tuple(found)
