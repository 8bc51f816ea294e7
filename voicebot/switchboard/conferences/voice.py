"""A mouth without a dialog, on a media port: tones, words, and music under them.

    voice = Voice(port.playout, port.sample_rate, tts, library, voice_of_language)
    await voice.say("This conference is locked.", "en-US")     # heard to its end

It is fed from the media tick: `heard()` once a tick, and told of prompts that began and ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count

import structlog

from voicebot.audio.frames import FRAMES_PER_SECOND, Samples, samples_per_frame
from voicebot.audio.playout import Playout
from voicebot.call.speaking import PromptLibrary
from voicebot.errors import SpeechUnavailable
from voicebot.media.port import HeardFrame
from voicebot.speech.tts import TtsService
from voicebot.speech.tts import Voice as SpeakingVoice

MUSIC_AHEAD_FRAMES = 10
"""Music is put into the queue when so little of it is left."""
GRACE_S = 2.0
"""After something should have been heard to its end, until that is believed without a word of the tick."""
LONGEST_WAIT_S = 10.0
"""For the first samples of a voice."""

log = structlog.get_logger(__name__)


class Voice:
    """Says one thing after another; music goes on before and after. An `Attendant` that obeys no keys.

    numbers:   of prompts; shared with whoever else speaks on the same queue
    may_speak: whether nobody else is about to say something there; asked every tick
    """

    def __init__(
        self,
        playout: Playout,
        sample_rate: int,
        tts: TtsService,
        library: PromptLibrary,
        voice: Callable[[str], SpeakingVoice],
        numbers: Iterator[int] | None = None,
        may_speak: Callable[[], bool] = lambda: True,
    ) -> None:
        self._playout = playout
        self._rate = sample_rate
        self._tts = tts
        self._library = library
        self._voice = voice
        self._numbers = numbers if numbers is not None else count(1)
        self._may_speak = may_speak
        self._free: asyncio.Future[None] | None = None
        self._lock = asyncio.Lock()
        self._speaking = 0  # how many things wait to be said, or are being said
        self._ended: dict[int, asyncio.Future[None]] = {}
        self._music: Samples | None = None
        self._music_at = 0
        self._music_number: int | None = None
        self._music_left = 0  # frames in the queue

    # --- what is heard ----------------------------------------------------------------------------------

    async def say(self, words: str, language: str) -> None:
        """Say words, after what is being said; return when they were heard. A failing voice says sorry."""
        if words:
            async with self._turn_to_speak():
                number = next(self._numbers)
                samples = await self._add(number, words, language)
                await self._until_heard(number, samples / self._rate)

    async def sound(self, samples: Samples) -> None:
        """Play samples, after what is being said; return when they were heard."""
        async with self._turn_to_speak():
            number = next(self._numbers)
            self._playout.add(number, samples)
            self._playout.close(number)
            await self._until_heard(number, len(samples) / self._rate)

    def play_music(self, samples: Samples | None) -> None:
        """Repeat this from now on wherever nothing is said; None: be silent."""
        self._music, self._music_at = samples, 0
        self._stop_music()

    # --- from the media tick ----------------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        """A tick has passed: see to the music, and to whoever waits for a word."""
        if self._free is not None and self._may_speak():
            free, self._free = self._free, None
            if not free.done():
                free.set_result(None)
        if self._music is None or self._speaking:
            return
        if self._music_number is None:
            self._music_number, self._music_left = next(self._numbers), 0
        self._music_left -= 1
        if self._music_left < MUSIC_AHEAD_FRAMES:
            size = samples_per_frame(self._rate) * FRAMES_PER_SECOND
            piece = self._music[self._music_at : self._music_at + size]
            self._music_at = (self._music_at + len(piece)) % len(self._music)
            self._playout.add(self._music_number, piece)
            self._music_left = max(self._music_left, 0) + max(1, len(piece) // samples_per_frame(self._rate))

    def prompt_started(self, prompt_id: int, at: float) -> None:
        """Nothing depends on it."""

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        future = self._ended.pop(prompt_id, None)
        if future is not None and not future.done():
            future.set_result(None)

    def press(self, digit: str) -> None:
        """Keys mean nothing while only words are said."""

    # --- parts ------------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn_to_speak(self) -> AsyncIterator[None]:
        """Something is said: nothing else of ours is, and no music."""
        self._speaking += 1
        try:
            async with self._lock:
                self._stop_music()
                if not self._may_speak():
                    self._free = asyncio.get_running_loop().create_future()
                    await self._free
                yield
        finally:
            self._speaking -= 1

    def _stop_music(self) -> None:
        if self._music_number is not None:
            self._playout.clear(self._music_number)
            self._music_number = None

    async def _add(self, number: int, words: str, language: str) -> int:
        """Queue the words; return how many samples they are."""
        voice = self._voice(language)
        samples = self._tts.cached(words, voice, self._rate)
        total = 0
        try:
            if samples is not None:
                total += self._give(number, samples)
            else:
                async with asyncio.timeout(LONGEST_WAIT_S):
                    async for piece in self._tts.speak(words, voice, self._rate):
                        total += self._give(number, piece)
        except (SpeechUnavailable, TimeoutError) as error:
            log.warning("synthesis failed", error=str(error) or "time-out")
            if not total:
                total += self._give(number, self._library.fallback(language, self._rate))
        finally:
            self._playout.close(number)
        return total

    def _give(self, number: int, samples: Samples) -> int:
        self._playout.add(number, samples)
        return len(samples)

    async def _until_heard(self, number: int, seconds: float) -> None:
        """Wait for the last packet. Somebody else may clear the queue meanwhile, who does not tell."""
        ended = self._ended[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(seconds + GRACE_S):
                await ended
        except TimeoutError:
            log.info("an announcement was not heard to its end")
        finally:
            self._ended.pop(number, None)
