"""The inside of a speech worker: one loaded engine that serves many exchanges over one socket.

The reading thread only sorts frames and answers pings; compute threads do the work, the most urgent
exchange first (a finished utterance before a running one). The same host runs in a process of its own
(`worker.py`) or in a thread of the gateway (`workers = 0`).
"""

from __future__ import annotations

import contextlib
import heapq
import importlib
import itertools
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from voicebot.engines.jobs import CallJob, Job, SpeakJob, UtteranceJob
from voicebot.engines.wire import NO_EXCHANGE, Decoder, EngineSpec, Frame, Kind, WireError
from voicebot.errors import UserError

READ_BYTES = 256 * 1024
_URGENCY = {Kind.CALL: 0, Kind.FINISH: 0, Kind.SPEAK: 0, Kind.GUESS: 1, Kind.OPEN: 2, Kind.AUDIO: 2}
_JOBS: dict[Kind, Callable[[Any], Job]] = {Kind.OPEN: UtteranceJob, Kind.SPEAK: SpeakJob, Kind.CALL: CallJob}


class _Exchange:
    """One exchange's frames that wait for a compute thread."""

    def __init__(self, id_: int, job: Job) -> None:
        self.id = id_
        self.job = job
        self.inbox: list[Frame] = []
        self.since = 0.0
        self.running = False
        self.closed = False


class _Engine(Protocol):
    """Whatever the factory returned; a Recognizer or a Synthesizer."""


def load(spec: EngineSpec) -> _Engine:
    """Import and build the engine. Raises whatever its factory raises."""
    module, _, name = spec.factory.partition(":")
    factory: Callable[..., _Engine] = getattr(importlib.import_module(module), name)
    return factory(**spec.options)


def serve(sock: socket.socket) -> None:
    """Serve the other end of `sock` until it closes: LOAD first, then any exchanges."""
    with sock:
        decoder = Decoder()
        with contextlib.suppress(OSError, WireError):
            frames: list[Frame] = []
            while not frames:
                data = sock.recv(READ_BYTES)
                if not data:
                    return
                frames = decoder.feed(data)
            if frames[0].kind != Kind.LOAD:
                raise WireError("the first frame must be LOAD")
            started = time.monotonic()
            spec = EngineSpec(**frames[0].meta)
            try:
                engine = load(spec)
            except Exception as error:  # reported to the parent, which tells the operator
                sock.sendall(Frame(Kind.FAILED, NO_EXCHANGE, _fault(error)).encode())
                return
            took = round((time.monotonic() - started) * 1000)
            sock.sendall(Frame(Kind.READY, NO_EXCHANGE, {"load_ms": took}).encode())
            Host(sock, engine, spec.threads).run(decoder, frames[1:])


def _fault(error: Exception) -> dict[str, Any]:
    problems = [[p.what, p.remedy] for p in error.problems] if isinstance(error, UserError) else []
    return {"error": f"{type(error).__name__}: {error}", "problems": problems}


class Host:
    """Sorts frames to exchanges and lets `threads` compute threads work them off."""

    def __init__(self, sock: socket.socket, engine: object, threads: int = 1) -> None:
        self._sock = sock
        self._engine = engine
        self._sending = threading.Lock()
        self._changed = threading.Condition()
        self._exchanges: dict[int, _Exchange] = {}
        self._ready: list[tuple[int, int, _Exchange]] = []
        self._order = itertools.count()
        self._busy: dict[int, tuple[float, int]] = {}
        self._over = False
        self._threads = [
            threading.Thread(target=self._compute, name=f"engine-{n}", daemon=True) for n in range(threads)
        ]

    def run(self, decoder: Decoder, frames: list[Frame]) -> None:
        """Read and sort frames until the other side closes."""
        for thread in self._threads:
            thread.start()
        try:
            while True:
                for frame in frames:
                    self._sort(frame)
                data = self._sock.recv(READ_BYTES)
                if not data:
                    return
                frames = decoder.feed(data)
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _sort(self, frame: Frame) -> None:
        if frame.kind == Kind.PING:
            self._send(Frame(Kind.PONG, NO_EXCHANGE, self._health()))
            return
        with self._changed:
            exchange = self._exchanges.get(frame.id)
            if frame.kind == Kind.CLOSE:
                if exchange:
                    exchange.closed = True
                    exchange.inbox.clear()
                    del self._exchanges[frame.id]
                return
            if exchange is None:
                if frame.kind not in _JOBS:
                    return  # late audio of an exchange that is closed
                exchange = self._exchanges[frame.id] = _Exchange(frame.id, _JOBS[frame.kind](self._engine))
            if not exchange.inbox:
                exchange.since = time.monotonic()
            exchange.inbox.append(frame)
            self._enqueue(exchange, frame.kind)

    def _enqueue(self, exchange: _Exchange, kind: Kind) -> None:
        """Put an exchange in line; it may stand there twice, the later place is then void."""
        if not exchange.running:
            heapq.heappush(self._ready, (_URGENCY.get(kind, 2), next(self._order), exchange))
            self._changed.notify()

    def _health(self) -> dict[str, int]:
        """How long the longest piece of work runs and whose it is; how long the oldest frame waits."""
        now = time.monotonic()
        with self._changed:
            since, busy_id = min(self._busy.values(), default=(now, NO_EXCHANGE))
            waits = [now - e.since for e in self._exchanges.values() if e.inbox]
        return {
            "busy_ms": round((now - since) * 1000),
            "busy_id": busy_id,
            "waiting": len(waits),
            "waiting_ms": round(max(waits, default=0.0) * 1000),
        }

    def _compute(self) -> None:
        me = threading.get_ident()

        def alive() -> None:
            """Called between two pieces of work: a long job is not a hang."""
            self._busy[me] = (time.monotonic(), self._busy[me][1])

        while True:
            with self._changed:
                exchange = None
                while exchange is None:
                    while not self._ready and not self._over:
                        self._changed.wait()
                    if self._over:
                        return
                    exchange = heapq.heappop(self._ready)[2]
                    if exchange.running or exchange.closed or not exchange.inbox:
                        exchange = None
                frames, exchange.inbox = exchange.inbox, []
                exchange.running = True
                self._busy[me] = (time.monotonic(), exchange.id)
                alone = len(self._exchanges) == 1
            done = self._work(exchange, frames, alive, alone)
            with self._changed:
                self._busy.pop(me, None)
                exchange.running = False
                if done:
                    self._exchanges.pop(exchange.id, None)
                elif exchange.inbox:
                    self._enqueue(exchange, min(exchange.inbox, key=lambda f: _URGENCY.get(f.kind, 2)).kind)

    def _work(self, exchange: _Exchange, frames: list[Frame], alive: Callable[[], None], alone: bool) -> bool:
        """Work off `frames`; True when the exchange is over."""
        try:
            for answer in exchange.job.run(frames, alone):
                alive()
                if exchange.closed:
                    return True
                if answer is not None:
                    self._send(Frame(answer.kind, exchange.id, answer.meta, answer.payload))
        except OSError:
            return True
        except Exception as error:  # an engine's fault ends this exchange, not the worker
            with contextlib.suppress(OSError):
                self._send(Frame(Kind.FAILED, exchange.id, _fault(error)))
            return True
        return exchange.job.over

    def _send(self, frame: Frame) -> None:
        with self._sending:
            self._sock.sendall(frame.encode())
