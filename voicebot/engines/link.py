"""The gateway's side of one speech worker: its process (or thread), its socket, its health."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
import threading
from collections import deque
from typing import Protocol

import structlog

from voicebot.engines import host
from voicebot.engines.wire import NO_EXCHANGE, Decoder, EngineSpec, Frame, Kind, WireError
from voicebot.errors import Problem, SpeechUnavailable, UserError

log = structlog.get_logger(__name__)

LOAD_TIMEOUT_S = 90.0
PING_EVERY_S = 0.2
SILENT_S = 1.5
"""A worker that has not said anything for this long hangs."""
LATE_LOOP_S = 0.3
"""If our own loop was this late, a worker's silence proves nothing: judge it at the next ping."""
WRITE_BUFFER_BYTES = 4 * 1024 * 1024
"""More than this unread by a worker (two minutes of audio) is overload."""
LAST_WORDS = 20
"""Lines of a worker's output that are kept to explain its death."""
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


class Exchange(Protocol):
    """Whoever waits for a worker's answers. Neither method may block or raise."""

    def on_frame(self, frame: Frame) -> None: ...

    def on_lost(self, why: str) -> None:
        """The worker is gone; no frame follows."""
        ...


class Link(asyncio.Protocol):
    """One worker. `start()`, then `open()` exchanges and `send()`; `gone` is set when it is lost."""

    def __init__(self, name: str, spec: EngineSpec, in_thread: bool, job_limit_s: float) -> None:
        self.name = name
        self.ready = False
        self.gone = asyncio.Event()
        self.why = ""
        self.waiting_ms = 0
        self.pid: int | None = None
        self._spec = spec
        self._in_thread = in_thread
        self._job_limit_s = job_limit_s
        self._decoder = Decoder()
        self._exchanges: dict[int, Exchange] = {}
        self._transport: asyncio.Transport | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._first: asyncio.Future[Frame] | None = None
        self._heard = 0.0
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def load(self) -> int:
        """Exchanges under way."""
        return len(self._exchanges)

    @property
    def choked(self) -> bool:
        """True when the worker does not even read what we write."""
        return self._transport is None or self._transport.get_write_buffer_size() > WRITE_BUFFER_BYTES

    async def start(self) -> None:
        """Start the worker and load its engine.

        Raises UserError if the engine says that the set-up is wrong, SpeechUnavailable if it fails otherwise.
        """
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        self._first = loop.create_future()
        try:
            with contextlib.ExitStack() as on_failure:
                on_failure.callback(ours.close)
                on_failure.callback(theirs.close)
                if self._in_thread:
                    threading.Thread(target=host.serve, args=(theirs,), name=self.name, daemon=True).start()
                else:
                    await self._spawn(theirs)
                    theirs.close()
                on_failure.pop_all()
            ours.setblocking(False)
            self._transport, _ = await loop.create_connection(lambda: self, sock=ours)
            self.send(Frame(Kind.LOAD, NO_EXCHANGE, self._spec.as_meta()))
            async with asyncio.timeout(LOAD_TIMEOUT_S):
                first = await self._first
        except TimeoutError:
            self.lose(f"was not ready after {LOAD_TIMEOUT_S:.0f} s")
            raise SpeechUnavailable(f"{self.name} {self.why}") from None
        except BaseException:
            self.lose("could not be started")
            raise
        if first.kind == Kind.FAILED:
            self.lose(first.meta["error"])
            if first.meta["problems"]:
                raise UserError([Problem(what, remedy) for what, remedy in first.meta["problems"]])
            raise SpeechUnavailable(f"{self.name}: {first.meta['error']}")
        if first.kind != Kind.READY:
            self.lose("did not say that it is ready")
            raise SpeechUnavailable(f"{self.name} {self.why}")
        self.ready = True
        self._tasks.append(asyncio.create_task(self._watch(), name=f"{self.name} watch"))

    async def _spawn(self, theirs: socket.socket) -> None:
        environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
        fd = str(theirs.fileno())
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "voicebot.engines.worker", fd, str(os.getpid()), self.name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=(theirs.fileno(),),
            env=environment,
        )
        self.pid = self._process.pid
        self._tasks.append(
            asyncio.create_task(self._listen_to_output(self._process), name=f"{self.name} output")
        )

    async def _listen_to_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while chunk := await process.stderr.read(4096):
            for line in chunk.decode(errors="replace").splitlines():
                self._last_words.append(line)
                log.debug("speech worker says", worker=self.name, line=line)

    def open(self, id_: int, exchange: Exchange) -> None:
        """Route the answers with `id_` to `exchange` until `close(id_)`."""
        self._exchanges[id_] = exchange

    def close(self, id_: int) -> None:
        """Forget an exchange here and there; idempotent."""
        if self._exchanges.pop(id_, None) is not None:
            self.send(Frame(Kind.CLOSE, id_))

    def send(self, frame: Frame) -> None:
        """Write without ever blocking; nothing happens if the worker is gone."""
        if self._transport is not None and not self.gone.is_set():
            self._transport.write(frame.encode())

    # --- asyncio.Protocol ---

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            frames = self._decoder.feed(data)
        except WireError as error:
            self.lose(f"sent nonsense: {error}")
            return
        for frame in frames:
            if frame.kind == Kind.PONG:
                self._on_pong(frame)
            elif frame.id == NO_EXCHANGE:
                if self._first is not None and not self._first.done():
                    self._first.set_result(frame)
            elif exchange := self._exchanges.get(frame.id):
                exchange.on_frame(frame)

    def connection_lost(self, error: Exception | None) -> None:
        self.lose("crashed")

    def _on_pong(self, frame: Frame) -> None:
        self.waiting_ms = int(frame.meta["waiting_ms"])
        if frame.meta["busy_ms"] > self._job_limit_s * 1000:
            why = f"has been at one piece of work for {frame.meta['busy_ms']} ms"
            # Its own exchange fails now; told to the next worker it would hang that one as well.
            culprit = self._exchanges.pop(frame.meta["busy_id"], None)
            if culprit is not None:
                culprit.on_frame(Frame(Kind.FAILED, frame.meta["busy_id"], {"error": why, "problems": []}))
            self.lose(why)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        while not self.gone.is_set():
            due = loop.time() + PING_EVERY_S
            self.send(Frame(Kind.PING))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(due):
                    await self.gone.wait()
            now = loop.time()
            if now - due > LATE_LOOP_S:
                self._heard = max(self._heard, now - SILENT_S / 2)
            elif now - self._heard > SILENT_S:
                self.lose(f"has been silent for {now - self._heard:.1f} s")

    def lose(self, why: str) -> None:
        """Kill the worker and tell everybody who waits for it; idempotent."""
        if self.gone.is_set():
            return
        self.why, self.ready = why, False
        self.gone.set()
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
        if self._transport is not None:
            self._transport.abort()
        if self._first is not None and not self._first.done():
            self._first.set_result(
                Frame(Kind.FAILED, meta={"error": " | ".join([why, *self._last_words]), "problems": []})
            )
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            exchange.on_lost(why)

    async def stop(self) -> None:
        """End the worker and wait until it is really gone."""
        self.lose("was stopped")
        if self._process is not None:
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
