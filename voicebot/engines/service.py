"""Recognition for calls: streams over a pool of workers, and the factory that builds a configured service.

A stream keeps its utterance's audio. If its worker is lost, everything is told once more to another one; if
there is none, the result fails in time. Whatever happens, `finish()` ends within the configured time-out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import asdict
from pathlib import Path

import structlog

from voicebot.config import SttConfig
from voicebot.engines.jobs import transcript_from_meta
from voicebot.engines.link import Link
from voicebot.engines.pool import WorkerPool
from voicebot.engines.rejection import judge
from voicebot.engines.wire import EngineSpec, Frame, Kind
from voicebot.errors import Problem, SpeechUnavailable, UserError
from voicebot.speech.stt import Expectation, OnPartial, SttStream, Transcript

log = structlog.get_logger(__name__)

BATCH_MS = 100
"""Audio is sent in pieces of this length: one write instead of five, and nothing is lost in speed."""
LONGEST_S = 120
"""An utterance longer than this is not kept, and fails."""
TRIES = 2
"""How many workers an utterance is told to before it fails."""
FACTORIES = {
    "vosk": "voicebot.engines.stt_vosk:VoskRecognizer",
    "whisper": "voicebot.engines.stt_whisper:WhisperRecognizer",
    "pocketsphinx": "voicebot.engines.stt_pocketsphinx:PocketsphinxRecognizer",
}
THREADS = {"vosk": 2, "whisper": 1, "pocketsphinx": 1}
"""Threads that share one worker's model. Vosk's model is half a gigabyte, so threads come before workers."""


def build_stt(name: str, config: SttConfig, models: Path) -> StreamingStt:
    """Return the service of one `[stt.<name>]`, not started. Raises UserError if its model is missing."""
    model = ""
    if config.model:
        folder = (models / config.model).resolve()
        if not folder.is_dir():
            raise UserError(
                Problem(
                    f"stt.{name}: there is no model {config.model!r} in {models}",
                    "see `voicebot models list`; `voicebot models add <folder or zip>` adds one",
                )
            )
        model = str(folder)
    options = {} if config.engine == "pocketsphinx" and not model else {"model": model}
    spec = EngineSpec(FACTORIES[config.engine], options, THREADS[config.engine])
    pool = WorkerPool(f"stt-{name}", spec, config.workers, config.timeout_s)
    return StreamingStt(pool, config.reject_below)


class StreamingStt:
    """An `SttService` on a pool of workers. `start()` before the first stream, `stop()` after the last."""

    def __init__(self, pool: WorkerPool, reject_below: float = 0.0) -> None:
        self.pool = pool
        self._reject_below = reject_below

    async def start(self) -> None:
        """Load the engine in all workers. Raises UserError or SpeechUnavailable."""
        await self.pool.start()

    async def stop(self) -> None:
        """End all workers; streams that are open fail."""
        await self.pool.stop()

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        """Begin an utterance. Never raises: if nobody can serve it, its `finish()` fails at once.

        `on_partial` is told words while the caller speaks (vosk), or only in their pause (whole-utterance
        engines: the guess), and at most every 100 ms.
        """
        return _Stream(self.pool, call_id, expectation, sample_rate, self._reject_below, on_partial)

    async def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `words` that the model can never understand. Raises SpeechUnavailable."""
        return tuple(await self.pool.call("lacks", list(words)))


class _Stream:
    """One utterance. Says to a worker: OPEN, AUDIO ..., perhaps GUESS, FINISH."""

    def __init__(
        self,
        pool: WorkerPool,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        reject_below: float,
        on_partial: OnPartial | None = None,
    ) -> None:
        self._pool = pool
        self._call_id = call_id
        self._expectation = expectation
        self._rate = sample_rate
        self._reject_below = reject_below
        self._on_partial = on_partial
        self._audio = bytearray()
        self._sent = 0
        self._batch = sample_rate * 2 * BATCH_MS // 1000
        self._id = 0
        self._link: Link | None = None
        self._tries = 0
        self._partial = ""  # told last
        self._refused = ""
        self._guess_at = -1
        self._guess: tuple[int, Transcript] | None = None
        self._result: asyncio.Future[Transcript] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._closed = False
        self._connect()

    # --- SttStream ---

    def feed(self, pcm: bytes) -> None:
        if self._closed or self._result is not None or self._refused:
            return
        self._audio += pcm
        if len(self._audio) > LONGEST_S * self._rate * 2:
            self._refuse(f"the utterance is longer than {LONGEST_S} s")
        elif len(self._audio) - self._sent >= self._batch:
            self._flush()

    def guess(self) -> None:
        if self._closed or self._result is not None or self._guess_at == len(self._audio):
            return
        self._guess_at = len(self._audio)
        self._flush()
        self._say(Kind.GUESS)

    def finish(self) -> Awaitable[Transcript]:
        if self._result is not None:
            return self._result
        loop = asyncio.get_running_loop()
        self._result = loop.create_future()
        if self._closed:
            self._fail("the utterance was given up")
        elif self._refused:
            self._fail(self._refused)
        elif self._guess is not None and self._guess[0] == len(self._audio):
            self._succeed(self._guess[1])
        else:
            self._deadline = loop.call_later(self._pool.timeout_s, self._on_deadline)
            self._flush()
            self._say(Kind.FINISH)
        return self._result

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._leave()
        self._pool.no_longer(self._connect)
        self._audio.clear()
        if self._result is not None and not self._result.done():
            self._result.cancel()

    # --- Exchange ---

    def on_frame(self, frame: Frame) -> None:
        if frame.kind == Kind.FAILED:
            self._refuse(str(frame.meta["error"]))
            return
        if frame.kind == Kind.PARTIAL:
            self._tell_partial(str(frame.meta["text"]), float(frame.meta["at"]))
            return
        if frame.kind != Kind.RESULT or frame.meta["heard"] != len(self._audio):
            return  # a guess that audio has overtaken
        transcript = transcript_from_meta(frame.meta["transcript"])
        if self._result is None:
            self._guess = (len(self._audio), transcript)
            self._tell_partial(transcript.text, time.time())
        else:
            self._succeed(transcript)

    def on_lost(self, why: str) -> None:
        log.warning("utterance lost its worker", call=self._call_id, why=why, tries=self._tries)
        self._link = None
        if self._tries >= TRIES:
            self._refuse(f"its workers were lost: {why}")
        else:
            self._connect()

    # --- inside ---

    def _connect(self) -> None:
        """Tell everything so far to a worker; if none is ready, wait for the next that is."""
        if self._closed or self._link is not None or self._refused:
            return
        try:
            link = self._pool.choose()
        except SpeechUnavailable as overload:
            self._refuse(str(overload))
            return
        if link is None:
            self._pool.when_ready(self._connect)
            return
        self._tries += 1
        self._link, self._id, self._sent = link, self._pool.next_id(), 0
        link.open(self._id, self)
        meta = {"expectation": asdict(self._expectation), "sample_rate": self._rate}
        if self._on_partial is not None:
            meta["partial"] = True
        link.send(Frame(Kind.OPEN, self._id, meta))
        self._flush()
        if self._result is not None:
            self._say(Kind.FINISH)
        elif self._guess_at == len(self._audio):
            self._say(Kind.GUESS)

    def _tell_partial(self, text: str, at: float) -> None:
        if self._on_partial is not None and self._result is None and text and text != self._partial:
            self._partial = text
            self._on_partial(text, at)

    def _flush(self) -> None:
        if self._link is None or self._sent == len(self._audio):
            return
        if self._link.choked:
            self._refuse("its worker does not keep up")
            return
        self._link.send(Frame(Kind.AUDIO, self._id, payload=bytes(self._audio[self._sent :])))
        self._sent = len(self._audio)

    def _say(self, kind: Kind) -> None:
        if self._link is not None:
            self._link.send(Frame(kind, self._id))

    def _leave(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self._link is not None:
            self._link.close(self._id)
            self._link = None

    def _succeed(self, transcript: Transcript) -> None:
        self._leave()
        if self._result is not None and not self._result.done():
            self._result.set_result(judge(transcript, self._expectation, self._reject_below))

    def _refuse(self, why: str) -> None:
        """This utterance cannot be recognised any more; `finish()` says so."""
        self._refused = why
        self._leave()
        if self._result is not None:
            self._fail(why)

    def _fail(self, why: str) -> None:
        self._leave()
        if self._result is not None and not self._result.done():
            self._result.set_exception(SpeechUnavailable(f"{self._pool.name}: {why}"))

    def _on_deadline(self) -> None:
        self._fail(f"no result within {self._pool.timeout_s:g} s")
