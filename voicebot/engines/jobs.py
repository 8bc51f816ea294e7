"""What a worker does with an exchange: recognise an utterance, speak a sentence, answer a question.

A job is run with the frames that have come in; it yields answers, and None between two pieces of work so
that the host can tell a long job from a hang.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Any, Protocol

from voicebot.engines.wire import Frame, Kind
from voicebot.speech.stt import Expectation, Recognition, Recognizer, Transcript, Word
from voicebot.speech.tts import Synthesizer, Voice

SLICE_MS = 500
"""Audio given to an engine at once; longer pieces would look like a hang on a slow machine."""
CALLABLE = frozenset({"lacks", "describe", "voices"})
"""Methods of an engine that the gateway may call by name."""


class Job(Protocol):
    """One exchange's work."""

    over: bool

    def run(self, frames: list[Frame], alone: bool = False) -> Iterator[Frame | None]:
        """`alone`: the worker has no other exchange just now."""
        ...


def transcript_from_meta(meta: dict[str, Any]) -> Transcript:
    """Rebuild a Transcript that `asdict` took apart."""
    words = tuple(Word(**word) for word in meta.pop("words", ()))
    alternatives = tuple(meta.pop("alternatives", ()))
    return Transcript(words=words, alternatives=alternatives, **meta)


def expectation_from_meta(meta: dict[str, Any]) -> Expectation:
    """Rebuild an Expectation that `asdict` took apart."""
    return replace(
        Expectation(**meta), phrases=tuple(meta.get("phrases", ())), words=tuple(meta.get("words", ()))
    )


class UtteranceJob:
    """One utterance. Its audio is kept, so that a guess that came too early can be taken back."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.over = False
        self._recognizer = recognizer
        self._expectation = Expectation()
        self._rate = 8000
        self._audio = bytearray()
        self._accepted = 0
        self._recognition: Recognition | None = None
        self._result: Transcript | None = None
        self._partial: str | None = None  # told last; None: nobody wants to know

    def run(self, frames: list[Frame], alone: bool = False) -> Iterator[Frame | None]:
        wanted: Kind | None = None
        for frame in frames:
            if frame.kind == Kind.OPEN:
                self._expectation = expectation_from_meta(frame.meta["expectation"])
                self._rate = int(frame.meta["sample_rate"])
                self._partial = "" if frame.meta.get("partial") else None
            elif frame.kind == Kind.AUDIO:
                self._audio += frame.payload
                wanted = None  # a guess that audio has overtaken is not worth computing
            else:
                wanted = frame.kind
        if self._result is not None and self._accepted < len(self._audio):
            self._result, self._recognition, self._accepted = None, None, 0
        started = time.monotonic()
        yield from self._accept()
        if wanted is None:
            yield from self._tell_partial(alone)
            return
        if self._result is None:
            self._result = self._finish()
        self.over = wanted == Kind.FINISH
        took = round((time.monotonic() - started) * 1000, 1)
        meta = asdict(replace(self._result, took_ms=took))
        yield Frame(Kind.RESULT, meta={"transcript": meta, "heard": self._accepted})

    def _accept(self) -> Iterator[None]:
        if self._recognition is None:
            self._recognition = self._recognizer.open(self._expectation, self._rate)
        step = self._rate * 2 * SLICE_MS // 1000
        while self._accepted < len(self._audio):
            piece = bytes(self._audio[self._accepted : self._accepted + step])
            self._recognition.accept(piece)
            self._accepted += len(piece)
            yield None

    def _tell_partial(self, alone: bool) -> Iterator[Frame]:
        """Tell the words so far where they have changed. Audio comes in pieces of 100 ms: no more often."""
        if self._partial is not None and self._recognition is not None:
            text = self._recognition.partial(alone)
            if text and text != self._partial:
                self._partial = text
                yield Frame(Kind.PARTIAL, meta={"text": text, "at": time.time()})

    def _finish(self) -> Transcript:
        assert self._recognition is not None
        return replace(self._recognition.finish(), audio_ms=len(self._audio) * 1000 // (2 * self._rate))


class SpeakJob:
    """One sentence: its samples in order, then DONE."""

    def __init__(self, synthesizer: Synthesizer) -> None:
        self.over = True
        self._synthesizer = synthesizer

    def run(self, frames: list[Frame], alone: bool = False) -> Iterator[Frame | None]:
        meta = frames[0].meta
        for chunk in self._synthesizer.synthesize(meta["text"], Voice(**meta["voice"])):
            yield Frame(
                Kind.CHUNK,
                meta={"sample_rate": chunk.sample_rate},
                payload=chunk.samples.astype("<i2").tobytes(),
            )
        yield Frame(Kind.DONE)


class CallJob:
    """One question to the engine; the answer is whatever JSON can carry."""

    def __init__(self, engine: Any) -> None:
        self.over = True
        self._engine = engine

    def run(self, frames: list[Frame], alone: bool = False) -> Iterator[Frame | None]:
        method, args = frames[0].meta["method"], frames[0].meta["args"]
        if method not in CALLABLE:
            raise ValueError(f"no engine answers {method!r}")
        yield Frame(Kind.RESULT, meta={"answer": getattr(self._engine, method)(*args)})
