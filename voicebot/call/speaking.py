"""The bot's mouth in one call: prompts to samples to the playout queue, and what the caller heard of them."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import structlog

from voicebot.audio.playout import Playout
from voicebot.dialog.turns import Prompt, SpokenAudio, SpokenPause, SpokenText
from voicebot.errors import SpeechUnavailable, UserError
from voicebot.speech.tts import Samples, TtsService, Voice

log = structlog.get_logger(__name__)


class PromptLibrary(Protocol):
    """Recorded prompts, decoded and ready at a call's rate."""

    def load(self, path: Path, sample_rate: int) -> Samples:
        """Return a wav prompt. Raises UserError when it cannot be used."""
        ...

    def fallback(self, language: str, sample_rate: int) -> Samples:
        """Return a canned apology that needs no engine."""
        ...


@dataclass(frozen=True, slots=True)
class Beep:
    """The tone after which a caller may speak."""

    ms: int = 300
    hz: int = 1000
    bargein: bool = False
    text: str = ""


BEEP_LEVEL = 8000
"""Amplitude, of 32767."""


@dataclass(slots=True)
class Spoken:
    """One prompt on its way to the caller. Times in seconds of the event loop's clock.

    `aside`: it only fills a wait, and is no part of what the dialog says.
    """

    number: int
    prompt: Prompt | Beep
    aside: bool = False
    total_samples: int = 0
    began_at: float | None = None
    ended_at: float | None = None
    heard: str = ""

    @property
    def text(self) -> str:
        return "" if isinstance(self.prompt, SpokenPause) else self.prompt.text


class Heard(NamedTuple):
    """What a caller has heard of a turn: `text` all of it, `words` without what only filled a wait."""

    text: str
    words: str


class Speaking:
    """Plays one list of prompts at a time.

    `on_began(bargein)` and `on_done()` are called from the media tick, so they must be quick. `numbers` of
    prompts grow; one who speaks after another on the same playout goes on with the other's. `on_audible` is
    told whether the bot is heard, again and again; `on_prompt` which prompt begins to be.
    """

    def __init__(
        self,
        *,
        tts: TtsService,
        library: PromptLibrary,
        playout: Playout,
        sample_rate: int,
        voice: Callable[[str], Voice],
        on_began: Callable[[bool], None],
        on_done: Callable[[], None],
        on_fault: Callable[[str], None],
        numbers: Iterator[int] | None = None,
        on_audible: Callable[[bool], None] = lambda audible: None,
        on_prompt: Callable[[Spoken], None] = lambda spoken: None,
    ) -> None:
        self._tts = tts
        self._library = library
        self._playout = playout
        self._rate = sample_rate
        self._voice = voice
        self._on_began = on_began
        self._on_done = on_done
        self._on_fault = on_fault
        self._on_audible = on_audible
        self._on_prompt = on_prompt
        self._numbers = numbers or count(1)
        self._current: deque[Spoken] = deque()
        self._unfinished: set[int] = set()
        self._waiting: deque[Spoken] = deque()  # for their samples
        self._task: asyncio.Task[None] | None = None

    @property
    def prompts(self) -> Sequence[Spoken]:
        """The prompts of the present turn."""
        return tuple(self._current)

    @property
    def busy(self) -> bool:
        """Whether prompts of the present turn have not ended yet."""
        return bool(self._unfinished)

    @property
    def playing(self) -> Spoken | None:
        """The prompt that is being heard."""
        begun = [spoken for spoken in self._current if spoken.began_at is not None]
        return begun[-1] if begun and begun[-1].ended_at is None else None

    def say(self, prompts: Sequence[Prompt | Beep], aside: bool = False) -> None:
        """Begin to play `prompts`; what is cached is in the playout queue when this returns."""
        self.stop()
        self.add(prompts, aside)

    def add(self, prompts: Sequence[Prompt | Beep], aside: bool = False) -> Sequence[Spoken]:
        """Play `prompts` after those of the present turn, of which they become part. Returns them."""
        added = [Spoken(next(self._numbers), prompt, aside) for prompt in prompts]
        self._current.extend(added)
        self._unfinished |= {spoken.number for spoken in added}
        self._waiting.extend(added)
        if self._task is None or self._task.done():
            while self._waiting and self._say_at_once(self._waiting[0]):
                self._waiting.popleft()
            if self._waiting:
                self._task = asyncio.create_task(self._synthesise(self._waiting), name="speaking")
        return added

    def hold(self) -> None:
        """Go silent, but keep the place."""
        self._playout.hold()
        self._on_audible(False)

    def resume(self, back_ms: int) -> None:
        """Go on, `back_ms` before the place where the prompt was held."""
        self._playout.resume(back_ms)
        self._on_audible(self.playing is not None)

    def stop(self) -> Heard:
        """Drop what was not played. Returns what the caller has heard of this turn's prompts."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        for spoken in self._current:
            if spoken.number in self._unfinished:
                spoken.heard = self._heard_part(spoken)
        self._playout.clear()
        self._on_audible(False)
        self._unfinished.clear()
        self._waiting = deque()
        heard = [spoken for spoken in self._current if spoken.heard]
        self._current.clear()
        return Heard(
            " ".join(spoken.heard for spoken in heard),
            " ".join(spoken.heard for spoken in heard if not spoken.aside),
        )

    # --- from the media tick ----------------------------------------------------------------------------

    def prompt_started(self, number: int, at: float) -> None:
        for spoken in self._current:
            if spoken.number == number and spoken.began_at is None:
                spoken.began_at = at
                self._on_audible(True)
                self._on_prompt(spoken)
                self._on_began(spoken.prompt.bargein)

    def prompt_finished(self, number: int, at: float) -> None:
        for spoken in self._current:
            if spoken.number == number:
                spoken.ended_at = at
                spoken.heard = spoken.text
                self._unfinished.discard(number)
                if not self._unfinished:
                    self._on_audible(False)
                    self._on_done()

    # --- samples ----------------------------------------------------------------------------------------

    def _say_at_once(self, spoken: Spoken) -> bool:
        samples = self._ready(spoken.prompt)
        if samples is None:
            return False
        self._give(spoken, samples)
        self._playout.close(spoken.number)
        return True

    def _ready(self, prompt: Prompt | Beep) -> Samples | None:
        if isinstance(prompt, Beep):
            return beep(prompt, self._rate)
        if isinstance(prompt, SpokenPause):
            return np.zeros(max(1, prompt.ms * self._rate // 1000), dtype=np.int16)
        if isinstance(prompt, SpokenAudio):
            return self._recorded(prompt)
        return self._tts.cached(prompt.text, self._voice(prompt.language), self._rate)

    def _recorded(self, prompt: SpokenAudio) -> Samples:
        try:
            return self._library.load(Path(prompt.path), self._rate)
        except UserError as error:  # it was there when the dialog was loaded
            log.error("wav prompt unusable", error=str(error))
            self._on_fault(f"wav prompt: {error}")
            return self._library.fallback("en", self._rate)

    async def _synthesise(self, waiting: deque[Spoken]) -> None:
        while waiting:
            spoken = waiting.popleft()
            if self._say_at_once(spoken):
                continue
            assert isinstance(spoken.prompt, SpokenText)
            try:
                voice = self._voice(spoken.prompt.language)
                async for samples in self._tts.speak(spoken.prompt.text, voice, self._rate):
                    self._give(spoken, samples)
            except Exception as error:  # whatever an engine does, the prompt must come to its end
                if isinstance(error, SpeechUnavailable):
                    log.warning("synthesis failed", error=str(error))
                else:
                    log.exception("synthesis failed")
                self._on_fault(f"synthesis: {error}")
                if not spoken.total_samples:
                    self._give(spoken, self._library.fallback(spoken.prompt.language, self._rate))
            if not spoken.total_samples:  # an engine that says nothing must still let time pass
                self._give(spoken, np.zeros(self._rate // 50, dtype=np.int16))
            self._playout.close(spoken.number)

    def _give(self, spoken: Spoken, samples: Samples) -> None:
        spoken.total_samples += len(samples)
        self._playout.add(spoken.number, samples)

    def _heard_part(self, spoken: Spoken) -> str:
        """Cut the text at the word that was reached, by the share of the samples that were played."""
        if spoken.began_at is None or not spoken.total_samples:
            return ""
        total_ms = spoken.total_samples * 1000 / self._rate
        share = min(1.0, self._playout.heard_ms(spoken.number) / total_ms)
        words = spoken.text.split()
        return " ".join(words[: round(share * len(words))])


def beep(tone: Beep, sample_rate: int) -> Samples:
    """Return a sine that rises and falls within 5 ms, so that it does not click."""
    time = np.arange(tone.ms * sample_rate // 1000) / sample_rate
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.005)
    return (BEEP_LEVEL * edge * np.sin(2 * np.pi * tone.hz * time)).astype(np.int16)
