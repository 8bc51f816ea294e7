"""The playout of somebody who waits: music without end, and words in it. Never silence between."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import count

import numpy as np
import structlog

from voicebot.audio.frames import Samples
from voicebot.audio.playout import Playout
from voicebot.errors import SpeechUnavailable
from voicebot.speech.tts import TtsService, Voice

log = structlog.get_logger(__name__)

CHUNK_S = 4
"""Music is queued in such pieces, the next one when a piece begins."""
FADE_IN_MS = 30
MOST_PHRASES = 200
"""That are remembered: about 10 MB."""


class HoldSound:
    """Plays on one port's playout. `numbers` are those of the port's prompts.

    The port's listener passes `prompt_started` and `prompt_finished` on.
    """

    def __init__(self, playout: Playout, sample_rate: int, numbers: Iterator[int] | None = None) -> None:
        self._playout = playout
        self._rate = sample_rate
        self._numbers = numbers or count(1)
        self._music: Samples | None = None
        self._place = 0  # in the music, of the next piece
        self._pieces: dict[int, int] = {}  # numbers of queued music, and where in it they begin
        self._words: dict[int, asyncio.Future[None]] = {}

    @property
    def on(self) -> bool:
        """Whether music plays."""
        return self._music is not None

    def start(self, music: Samples) -> None:
        """Play music from now on, where it was left off."""
        if self._music is not music:
            self._place = 0
        self._clear()
        self._music = music
        self._refill()

    def say(self, words: Samples) -> asyncio.Future[None]:
        """Say something now; the music goes on after it. The future is done once it was heard.

        It is cancelled where other words, or the end, come before.
        """
        self._clear()
        number = next(self._numbers)
        heard = self._words[number] = asyncio.get_running_loop().create_future()
        self._playout.add(number, words)
        self._playout.close(number)
        self._refill()
        return heard

    def stop(self) -> None:
        """Be silent."""
        self._clear()
        self._music = None

    def prompt_started(self, number: int) -> None:
        if self._pieces and number == next(reversed(self._pieces)):
            self._queue_piece(self._place)

    def prompt_finished(self, number: int) -> None:
        self._pieces.pop(number, None)
        if (heard := self._words.pop(number, None)) is not None and not heard.done():
            heard.set_result(None)

    def _refill(self) -> None:
        if self._music is not None:
            self._queue_piece(self._place, fade=True)
            self._queue_piece(self._place)

    def _queue_piece(self, place: int, *, fade: bool = False) -> None:
        assert self._music is not None
        size = CHUNK_S * self._rate
        piece = np.take(self._music, np.arange(place, place + size), mode="wrap")
        if fade:
            ramp = np.linspace(0, 1, FADE_IN_MS * self._rate // 1000)
            piece[: len(ramp)] = (piece[: len(ramp)] * ramp).astype(np.int16)
        number = next(self._numbers)
        self._pieces[number] = place
        self._place = (place + size) % len(self._music)
        self._playout.add(number, piece)
        self._playout.close(number)

    def _clear(self) -> None:
        if self._pieces and self._music is not None:
            first, place = next(iter(self._pieces.items()))
            heard = self._playout.heard_ms(first) * self._rate // 1000
            self._place = (place + heard) % len(self._music)
        self._playout.clear()
        self._pieces.clear()
        for heard_to_end in self._words.values():
            heard_to_end.cancel()
        self._words.clear()


async def rendered(tts: TtsService, text: str, voice: Voice, sample_rate: int) -> Samples | None:
    """Return the speech of a text; None where it cannot be had: whoever waits hears music then."""
    samples = tts.cached(text, voice, sample_rate)
    if samples is not None:
        return samples
    parts: list[Samples] = []
    try:
        async for part in tts.speak(text, voice, sample_rate):
            parts.append(part)  # noqa: PERF401 - what came before a failure is of no use
    except SpeechUnavailable as error:
        log.warning("synthesis failed", error=str(error))
        return None
    return np.concatenate(parts) if parts else None


class Phrases:
    """What many who wait are told, synthesised once: nothing that is about one caller alone."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, Voice, int], Samples] = {}

    async def speak(
        self, tts: TtsService, engine: str, text: str, voice: Voice, sample_rate: int
    ) -> Samples | None:
        """Return the speech; `engine` is the name of the voice's [tts.NAME]. None as of `rendered`."""
        key = (engine, text, voice, sample_rate)
        if key in self._known:
            return self._known[key]
        samples = await rendered(tts, text, voice, sample_rate)
        if samples is not None:
            self._known[key] = samples
            while len(self._known) > MOST_PHRASES:
                del self._known[next(iter(self._known))]
        return samples
