"""What the panel does beside the event loop, apart from what calls need: work in threads of its own, and the
work of authors, which may take seconds of a processor, in a process of its own.

The loop's own threads finish what the bot is about to say: a panel that is asked for much must not fill them.
Nor may threads compute for long: they share the interpreter's lock with the tick of all calls.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from typing import TypeVar

import structlog

from voicebot.web.problems import Trouble

log = structlog.get_logger(__name__)

T = TypeVar("T")

THREADS = 4
MOST_WAITING = 20
"""Pieces of authors' work that may wait for the one before."""
LONGEST_S = 30.0
"""For one; the largest draft takes 3 s."""
NICE = 10
"""So much do authors stand back behind calls, where there are too few processors."""

_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="panel")


async def aside(work: Callable[..., T], *given: object) -> T:
    """Return what `work` returns, done in one of the panel's threads."""
    return await asyncio.get_running_loop().run_in_executor(_threads, partial(work, *given))


class Desk:
    """Authors' work, a piece at a time, in a process that begins with the first."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def do(self, work: Callable[..., T], *given: object) -> T:
        """Return what `work` returns: a function of a module; it and `given` are pickled.

        Raises Trouble where too much waits already, or it takes too long.
        """
        if self._waiting >= MOST_WAITING:
            raise Trouble(503, "too many dialogs are being looked at", "try again soon", {"Retry-After": "5"})
        self._waiting += 1
        try:
            async with self._turn:
                return await self._do(work, *given)
        finally:
            self._waiting -= 1

    async def _do(self, work: Callable[..., T], *given: object) -> T:
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(1, context, _begin)
        done = False
        try:
            async with asyncio.timeout(LONGEST_S):
                coming = await aside(self._pool.submit, work, *given)  # it may start the process
                result: T = await asyncio.wrap_future(coming)
            done = True
            return result
        except TimeoutError:
            raise Trouble(503, "this takes too long to look at", "make it smaller") from None
        except BrokenProcessPool as error:
            log.error("who looks at dialogs is gone", error=str(error))
            raise Trouble(503, "it could not be looked at", "try again") from None
        finally:
            if not done and (self._pool is not None):
                self.close()

    def close(self) -> None:
        """End the process, whatever it does. The next work begins another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            processes = tuple((pool._processes or {}).values())  # it has no way to end one that computes
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()


def _begin() -> None:
    """In the process: signals to all are the gateway's, whose end is ours as well."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    os.nice(NICE)
    gateway = multiprocessing.parent_process()
    assert gateway is not None

    def follow() -> None:
        gateway.join()
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
