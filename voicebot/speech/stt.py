"""Speech to text: what a step expects, what came back, and the two protocols between them.

`Recognizer`/`Recognition` are what an engine implements, synchronously, inside a worker process.
`SttService`/`SttStream` are what a call is handed; neither ever blocks.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the caller may say now, as far as the dialog step knows; engines use as much as they can.

    phrases:  complete things a caller may say here ("yes", "the first one", "an agent")
    words:    further vocabulary that may be mixed with the phrases (number words, names of months)
    jsgf:     the same as a JSGF grammar (W3C JSpeech Grammar Format) or "" if the step has none
    open:     True where anything may be said (free text): no grammar may be forced on the caller
    prompt:   what the bot has just asked; a recogniser with a language model may use it as context
    """

    language: str = "en-US"
    phrases: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    jsgf: str = ""
    open: bool = False
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """One recognised word; times in ms from the start of the utterance's audio."""

    text: str
    start_ms: int
    end_ms: int
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What an engine understood of one utterance.

    text:        lower case words without punctuation as a rule; "" when nothing was understood
    confidence:  0 to 1, None where the engine has no notion of it
    no_speech:   the engine holds that nobody spoke (noise, tones, silence): the text must not be used
    engine:      name of the engine that produced it
    audio_ms:    length of the audio it heard
    took_ms:     from the request for the result to the result
    """

    text: str
    confidence: float | None = None
    no_speech: bool = False
    words: tuple[Word, ...] = ()
    engine: str = ""
    audio_ms: int = 0
    took_ms: float = 0.0
    alternatives: tuple[str, ...] = field(default=())


OnPartial = Callable[[str, float], None]
"""Told the words understood so far, and when the recogniser had them (s of the epoch). Must not raise."""


class Recognition(Protocol):
    """One utterance being recognised, inside a worker. PCM: 16-bit little-endian mono at the opened rate."""

    def accept(self, pcm: bytes) -> None: ...

    def partial(self, alone: bool) -> str:
        """Return the words understood so far, "" for none. The result of `finish()` is the same, whether it
        is asked for or not. `alone`: nobody else speaks to this worker, so that some work may be done for it.
        """
        ...

    def finish(self) -> Transcript:
        """Return what was understood of everything accepted so far; may be called once."""
        ...


class Recognizer(Protocol):
    """A loaded model, inside a worker; makes one `Recognition` an utterance."""

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition: ...

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Return those of `words` that the model's lexicon does not have (never understood)."""
        ...


class SttStream(Protocol):
    """One utterance of one call, as the call sees it. No method blocks."""

    def feed(self, pcm: bytes) -> None:
        """Give 16-bit little-endian mono PCM at the stream's rate, any length."""
        ...

    def guess(self) -> None:
        """Say that the caller may be done: the engine may prepare its result now.

        If more audio is fed afterwards the guess is void and everything is recognised anew.
        """
        ...

    def finish(self) -> Awaitable[Transcript]:
        """Say that the utterance is complete; await the result.

        It fails with `SpeechUnavailable`, and never hangs.
        """
        ...

    def close(self) -> None:
        """Forget the utterance; idempotent, and due on every path."""
        ...


class SttService(Protocol):
    """Recognition for calls, on whatever engine the route names."""

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        """Begin an utterance. `on_partial` is told words before the utterance is over; they may change."""
        ...
