"""Synthesis for calls: what is rendered ahead at once, everything else sentence by sentence by a worker.

tts = build_tts(config.tts["english"], config.models, config.var / "cache", name="english")
await tts.start()
await tts.render_ahead([("Hello.", Voice())], [8000], progress)
async for samples in tts.speak("You have an appointment. Will you be there?", Voice(), 8000): ...
await tts.stop()
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import structlog

from voicebot.audio.levels import PROMPT_DB, normalise
from voicebot.audio.resample import resample
from voicebot.config import TtsConfig
from voicebot.engines.pool import WorkerPool
from voicebot.engines.prompt_cache import PromptCache, PromptKey
from voicebot.engines.tts_finish import finish
from voicebot.engines.wire import EngineSpec, Frame, Kind
from voicebot.errors import Problem, SpeechUnavailable, UserError
from voicebot.speech.prompts import apology, speakable
from voicebot.speech.sentences import Sentence, split_sentences
from voicebot.speech.tts import AudioChunk, Samples, Voice

log = structlog.get_logger(__name__)

SENTENCES_AHEAD = 1
"""So many sentences are synthesised while the one before them is being waited for or played."""
FIRST_AUDIO_LIMIT_S = 2.5
"""A caller is not kept in silence longer than this, whatever `timeout_s` allows: then comes the apology."""
PIPER_FIRST_CHARS = 48
"""Piper needs about 10 ms a word: a longer first sentence is cut at a clause, if it has one."""
FALLBACK_RATES = (8000, 16000)
FALLBACK_TONES_HZ = (440, 330)
FALLBACK_TONE_MS = 180

Progress = Callable[[int, int], None]
"""Called with how many prompts are done, and how many there are."""


class TtsPool:
    """One engine and its workers behind `voicebot.speech.tts.TtsService`.

    `languages`: those whose apology is rendered at start, to be at hand when the engine is not.
    """

    def __init__(
        self,
        name: str,
        config: TtsConfig,
        spec: EngineSpec,
        cache: PromptCache,
        languages: Sequence[str] = ("en-US",),
    ) -> None:
        self.name = name
        self.pool = WorkerPool(name, spec, config.workers, config.timeout_s)
        self._config = config
        self._cache = cache
        self._languages = tuple(languages)
        self._first_chars = PIPER_FIRST_CHARS if config.engine == "piper" else 0
        self._engine, self._version = config.engine, ""
        self._fallbacks: dict[tuple[str, int], Samples] = {}

    async def start(self) -> None:
        """Start the workers and render the apologies.

        Raises UserError if the engine is not installed or does not have the voice, SpeechUnavailable if it
        does not work; no worker is left behind then.
        """
        await asyncio.to_thread(self._cache.open)
        await self.pool.start()
        try:
            described = await self.pool.call("describe")
            self._version = str(described["version"])
            await self._prepare_fallbacks()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End the workers. Idempotent."""
        await self.pool.stop()

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        """Return the whole prompt if it was rendered ahead, without waiting."""
        return self._cache.get(self._key(text, voice, sample_rate))

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncGenerator[Samples, None]:
        """Yield the prompt sentence by sentence at `sample_rate`; nothing if it has no words.

        Nothing of it is stored. Raises SpeechUnavailable when the engine fails, at the latest `timeout_s`
        after a sentence was asked for, and FIRST_AUDIO_LIMIT_S after the first.
        """
        ready = self.cached(text, voice, sample_rate)
        if ready is not None:
            yield ready
            return
        waiting = deque(split_sentences(speakable(text), self._first_chars))
        under_way: deque[asyncio.Task[Samples]] = deque()
        limit_s = min(self.pool.timeout_s, FIRST_AUDIO_LIMIT_S)
        try:
            while waiting or under_way:
                while waiting and len(under_way) <= SENTENCES_AHEAD:
                    work = self._render(waiting.popleft(), voice, sample_rate, limit_s)
                    under_way.append(asyncio.create_task(work, name=f"{self.name} sentence"))
                    limit_s = self.pool.timeout_s
                samples = await under_way.popleft()
                if len(samples):
                    yield samples
        except ValueError as error:
            raise SpeechUnavailable(f"{self.name}: {error}") from error
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def render_ahead(
        self,
        prompts: Iterable[tuple[str, Voice]],
        sample_rates: Sequence[int],
        progress: Progress | None = None,
    ) -> int:
        """Render prompts into the cache, and return how many could not be: those are tried anew when due.

        They are stored on disk, so they must hold nothing sensitive or personal. Calls may go on meanwhile.
        """
        todo = list(dict.fromkeys(prompts))
        queue = iter(todo)
        done = failed = 0

        async def work_off() -> None:
            nonlocal done, failed
            for text, voice in queue:
                try:
                    await self._render_whole(text, voice, sample_rates)
                except (SpeechUnavailable, ValueError) as error:
                    failed += 1
                    log.warning("prompt not rendered ahead", tts=self.name, text=text[:60], error=str(error))
                done += 1
                if progress is not None:
                    progress(done, len(todo))

        async with asyncio.TaskGroup() as group:
            for _ in range(max(1, self._config.workers)):
                group.create_task(work_off())
        return failed

    def fallback_prompt(self, language: str, sample_rate: int) -> Samples:
        """Return the apology in `language`, else in the first one there is, else two falling tones.

        Never fails, and needs no engine.
        """
        highest = max(FALLBACK_RATES)
        for spoken in (_primary(language), *map(_primary, self._languages)):
            if (spoken, sample_rate) in self._fallbacks:
                return self._fallbacks[spoken, sample_rate]
            if (spoken, highest) in self._fallbacks:
                return resample(self._fallbacks[spoken, highest], highest, sample_rate)
        return _tones(sample_rate)

    async def _prepare_fallbacks(self) -> None:
        problems = []
        for language in dict.fromkeys(self._languages):
            voice = Voice(language)
            try:
                await self._render_whole(apology(language), voice, FALLBACK_RATES)
            except ValueError as error:
                problems.append(
                    Problem(
                        f"{self.name}: {error}", "choose another engine, voice or model for this language"
                    )
                )
                continue
            for rate in FALLBACK_RATES:
                samples = self.cached(apology(language), voice, rate)
                if samples is not None:
                    self._fallbacks[_primary(language), rate] = samples
        if problems:
            raise UserError(problems)

    async def _render_whole(self, text: str, voice: Voice, sample_rates: Sequence[int]) -> None:
        """Render one prompt at all rates it is not cached at, synthesising it once."""
        missing = [rate for rate in sample_rates if self.cached(text, voice, rate) is None]
        if not missing:
            return
        sentences = split_sentences(speakable(text))
        spoken = [await self._synthesise(sentence.text, voice, self.pool.timeout_s) for sentence in sentences]

        def put() -> None:
            for rate in missing:
                parts = [
                    finish(chunks, rate, sentence.pause_ms)
                    for chunks, sentence in zip(spoken, sentences, strict=True)
                ]
                whole = np.concatenate([np.zeros(0, np.int16), *parts])
                self._cache.put(self._key(text, voice, rate), whole, keep=True)

        await asyncio.to_thread(put)

    async def _render(self, sentence: Sentence, voice: Voice, sample_rate: int, limit_s: float) -> Samples:
        chunks = await self._synthesise(sentence.text, voice, limit_s)
        return await asyncio.to_thread(finish, chunks, sample_rate, sentence.pause_ms)

    async def _synthesise(self, text: str, voice: Voice, limit_s: float) -> list[AudioChunk]:
        """Ask a worker. Raises SpeechUnavailable, or ValueError where there is no such voice."""
        request = Frame(Kind.SPEAK, meta={"text": text, "voice": asdict(self._resolved(voice))})
        try:
            async with (
                asyncio.timeout(limit_s),
                contextlib.aclosing(self.pool.request(request)) as answers,
            ):
                return [
                    AudioChunk(np.frombuffer(answer.payload, "<i2"), int(answer.meta["sample_rate"]))
                    async for answer in answers
                ]
        except TimeoutError:
            raise SpeechUnavailable(f"{self.name}: not spoken within {limit_s:g} s") from None

    def _resolved(self, voice: Voice) -> Voice:
        return replace(voice, name=voice.name or self._config.voice, rate=voice.rate or self._config.rate)

    def _key(self, text: str, voice: Voice, sample_rate: int) -> PromptKey:
        name, rate = voice.name or self._config.voice, voice.rate or self._config.rate
        return PromptKey(self._engine, self._version, voice.language, name, rate, text, sample_rate)


def build_tts(
    config: TtsConfig,
    models: Path,
    cache: Path,
    name: str = "tts",
    languages: Sequence[str] = ("en-US",),
) -> TtsPool:
    """Return the service for one [tts.<name>] section; prompts are stored in `cache`/prompts.

    Raises UserError where a model is missing. What is installed is found out by `start()`.
    """
    classes = {
        "pyttsx3": "tts_pyttsx3:Pyttsx3Synthesizer",
        "espeak": "tts_espeak:EspeakSynthesizer",
        "piper": "tts_piper:PiperSynthesizer",
    }
    options = {"model": _piper_model(config.model, models)} if config.engine == "piper" else {}
    spec = EngineSpec(f"voicebot.engines.{classes[config.engine]}", options)
    return TtsPool(name, config, spec, PromptCache(cache / "prompts"), languages)


def _piper_model(model: str, models: Path) -> str:
    """Find a voice by its file, its name without the ending, or the folder that holds it."""
    if not model:
        return ""
    path = models / model
    found = [path] if path.is_file() else [path.with_name(path.name + ".onnx")]
    if path.is_dir():
        found = sorted(path.glob("*.onnx"))
    if not found or not found[0].is_file():
        raise UserError(
            f"there is no Piper voice {path}",
            "put <voice>.onnx and <voice>.onnx.json there, or leave `model` empty",
        )
    return str(found[0])


def _primary(language: str) -> str:
    return language.split("-")[0].lower()


def _tones(sample_rate: int) -> Samples:
    """Return two falling tones: "something went wrong" in any language."""
    time = np.arange(sample_rate * FALLBACK_TONE_MS // 1000) / sample_rate
    both = np.concatenate([np.sin(2 * np.pi * pitch * time) for pitch in FALLBACK_TONES_HZ])
    return normalise((both * 8000).astype(np.int16), sample_rate, PROMPT_DB)
