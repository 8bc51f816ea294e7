"""The workers of one engine: started, watched, replaced, and chosen from by least load.

    pool = WorkerPool("english", EngineSpec("voicebot.engines.stt_whisper:WhisperRecognizer"), workers=2)
    await pool.start()
    answer = await pool.call("lacks", ["appointment"])          # one question, one answer
    async with aclosing(pool.request(Frame(Kind.SPEAK, meta=...))) as frames:  # one request, many answers
        async for frame in frames: ...
    await pool.stop()

A worker that crashes is noticed at once, one that hangs within two seconds; both are killed and replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncGenerator, Callable
from typing import Any

import structlog

from voicebot.engines.link import Link
from voicebot.engines.wire import EngineSpec, Frame, Kind
from voicebot.errors import SpeechUnavailable, VoicebotError

log = structlog.get_logger(__name__)

EXCHANGES_PER_WORKER = 256
"""More at once than this is overload; refused at once rather than served late."""
JOB_LIMIT = 0.9
"""Share of the deadline after which one piece of work counts as a hang, so that it is noticed in time."""
FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.5, 10.0
STABLE_S = 10.0
"""A worker that lived this long is replaced without delay and without counting towards the back-off."""


class WorkerPool:
    """`workers` processes that each hold the engine of `spec`; 0 holds it in a thread of this process.

    `timeout_s`: how long an answer may take; also the measure of a hang.
    """

    def __init__(self, name: str, spec: EngineSpec, workers: int = 1, timeout_s: float = 2.0) -> None:
        self.name = name
        self.timeout_s = timeout_s
        self._spec = spec
        self._in_thread = workers == 0
        self._links: list[Link | None] = [None] * max(workers, 1)
        self._tasks: list[asyncio.Task[None]] = []
        self._ids = itertools.count(1)
        self._waiters: dict[Callable[[], None], None] = {}
        self.replaced = 0

    @property
    def links(self) -> list[Link]:
        """Workers that are ready now."""
        return [link for link in self._links if link is not None and link.ready]

    @property
    def wanted(self) -> int:
        """How many workers there should be."""
        return len(self._links)

    async def start(self) -> None:
        """Start all workers and wait until they are ready.

        Raises UserError or SpeechUnavailable, and leaves no worker behind then.
        """
        try:
            await asyncio.gather(*(self._launch(slot) for slot in range(len(self._links))))
        except BaseException:
            await self.stop()
            raise
        self._tasks = [
            asyncio.create_task(self._keep(slot), name=f"{self.name} worker {slot}")
            for slot in range(len(self._links))
        ]

    async def stop(self) -> None:
        """End all workers; whoever still waits gets SpeechUnavailable. Idempotent."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        links = [link for link in self._links if link is not None]
        self._links = [None] * len(self._links)
        await asyncio.gather(*(link.stop() for link in links))

    async def _launch(self, slot: int) -> Link:
        link = Link(f"{self.name}-{slot}", self._spec, self._in_thread, self.timeout_s * JOB_LIMIT)
        self._links[slot] = link
        await link.start()
        return link

    async def _keep(self, slot: int) -> None:
        """Replace the worker of `slot` whenever it is lost."""
        loop = asyncio.get_running_loop()
        backoff = 0.0
        since = loop.time()
        while True:
            link = self._links[slot]
            if link is not None:
                await link.gone.wait()
                log.error("speech worker lost", worker=link.name, why=link.why)
                await link.stop()
                self._links[slot] = None
            if loop.time() - since > STABLE_S:
                backoff = 0.0
            await asyncio.sleep(backoff)
            backoff = min(max(backoff * 2, FIRST_BACKOFF_S), LAST_BACKOFF_S)
            since = loop.time()
            try:
                link = await self._launch(slot)
            except Exception as error:  # whatever it was, the next try may succeed
                log.error("speech worker not replaced", worker=f"{self.name}-{slot}", error=repr(error))
                continue
            self.replaced += 1
            log.info("speech worker replaced", worker=link.name, took_ms=round((loop.time() - since) * 1000))
            self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, {}
        for waiter in waiters:
            waiter()

    def when_ready(self, waiter: Callable[[], None]) -> None:
        """Call `waiter` once, when a lost worker has been replaced."""
        self._waiters[waiter] = None

    def no_longer(self, waiter: Callable[[], None]) -> None:
        """Forget a waiter that has given up."""
        self._waiters.pop(waiter, None)

    def choose(self) -> Link | None:
        """Return the least loaded ready worker, None while none is ready.

        Raises SpeechUnavailable when all are overloaded.
        """
        links = self.links
        if not links:
            return None
        fit = [
            link
            for link in links
            if not link.choked
            and link.load < EXCHANGES_PER_WORKER
            and link.waiting_ms < self.timeout_s * 1000
        ]
        if not fit:
            raise SpeechUnavailable(f"{self.name}: all {len(links)} workers are overloaded")
        return min(fit, key=lambda link: (link.load, link.waiting_ms))

    def next_id(self) -> int:
        """Return an id for an exchange that no other exchange of this pool has had lately."""
        return next(self._ids) % 0xFFFFFFFF + 1

    async def call(self, method: str, *args: Any) -> Any:
        """Ask the engine one question (see `jobs.CALLABLE`) and return its answer."""
        question = Frame(Kind.CALL, meta={"method": method, "args": args})
        async with contextlib.aclosing(self.request(question)) as answers:
            async for frame in answers:
                return frame.meta["answer"]
        raise SpeechUnavailable(f"{self.name}: no answer")

    async def request(self, frame: Frame) -> AsyncGenerator[Frame, None]:
        """Send one request and yield its answers, up to RESULT or DONE (which is not yielded).

        If the worker is lost before its first answer, the request is repeated once on another one.
        Raises SpeechUnavailable if it fails, if no answer comes for `timeout_s`, or on overload;
        ValueError if the engine says that the request itself is wrong.
        """
        answered = False
        for last_try in (False, True):
            try:
                async with contextlib.aclosing(self._request_once(frame)) as answers:
                    async for answer in answers:
                        answered = True
                        yield answer
                return
            except _WorkerLostError as error:
                if answered or last_try:
                    raise SpeechUnavailable(f"{self.name}: the worker {error}") from error

    async def _request_once(self, frame: Frame) -> AsyncGenerator[Frame, None]:
        answers = _Answers()
        link = await self._ready_link()
        id_ = self.next_id()
        link.open(id_, answers)
        link.send(Frame(frame.kind, id_, frame.meta, frame.payload))
        try:
            while True:
                try:
                    async with asyncio.timeout(self.timeout_s):
                        answer = await answers.queue.get()
                except TimeoutError:
                    raise SpeechUnavailable(f"{self.name}: no answer within {self.timeout_s:g} s") from None
                if isinstance(answer, str):
                    raise _WorkerLostError(answer)
                if answer.kind == Kind.DONE:
                    return
                if answer.kind == Kind.FAILED:
                    error = str(answer.meta["error"])
                    if error.startswith("ValueError: "):
                        raise ValueError(error.removeprefix("ValueError: "))
                    raise SpeechUnavailable(f"{self.name}: {error}")
                yield answer
                if answer.kind == Kind.RESULT:
                    return
        finally:
            link.close(id_)

    async def _ready_link(self) -> Link:
        """Choose a worker, or wait for one that is being replaced as long as an answer may take."""
        link = self.choose()
        if link is not None:
            return link
        ready = asyncio.Event()
        self.when_ready(ready.set)
        try:
            async with asyncio.timeout(self.timeout_s):
                await ready.wait()
        except TimeoutError:
            raise SpeechUnavailable(f"{self.name}: no worker is ready") from None
        link = self.choose()
        if link is None:
            raise SpeechUnavailable(f"{self.name}: no worker is ready")
        return link


class _WorkerLostError(VoicebotError):
    """The worker went away in the middle of a request."""


class _Answers:
    """An exchange that keeps its answers for an iterator; a string is the reason of a loss."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Frame | str] = asyncio.Queue()

    def on_frame(self, frame: Frame) -> None:
        self.queue.put_nowait(frame)

    def on_lost(self, why: str) -> None:
        self.queue.put_nowait(why)
