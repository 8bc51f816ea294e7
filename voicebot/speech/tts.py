"""Text to speech: the two protocols between a prompt and its samples.

`Synthesizer` is what an engine implements, synchronously, inside a worker process.
`TtsService` is what a call is handed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Protocol

from voicebot.audio.frames import Samples as Samples


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks.

    name: the engine's name of the voice, "" its default
    rate: words a minute, 0 the engine's own
    """

    language: str = "en-US"
    name: str = ""
    rate: int = 0


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """Some synthesised samples at the engine's own `sample_rate` in Hz."""

    samples: Samples
    sample_rate: int


class Synthesizer(Protocol):
    """A loaded voice engine, inside a worker."""

    def synthesize(self, text: str, voice: Voice) -> Iterator[AudioChunk]:
        """Yield the speech of one sentence in order. Raises ValueError where the voice does not exist."""
        ...


class TtsService(Protocol):
    """Synthesis for calls: cached prompts at once, everything else sentence by sentence."""

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        """Return the whole prompt if it was rendered ahead, without waiting."""
        ...

    def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        """Yield samples at `sample_rate`, the first sentence as early as can be.

        Raises `SpeechUnavailable` when the engine fails; the caller then plays a canned prompt.
        """
        ...
