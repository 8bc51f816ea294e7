"""Prompts as a caller hears them: spoken by the configured voice, then sent through a telephone line.

async with Voices(config, route) as voices:
    samples = await voices.speak(prompt.pieces)       # 8 kHz, as synthesised
telephone(samples)                                    # as heard at the other end
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self, get_args

import numpy as np

from voicebot.audio import g711
from voicebot.audio.frames import Samples
from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.config import Config, Route, TtsConfig
from voicebot.dialog.turns import Prompt, SpokenAudio, SpokenPause, SpokenText
from voicebot.engines.tts_service import TtsPool, build_tts
from voicebot.errors import Problem, SpeechUnavailable, UserError
from voicebot.speech.tts import Voice

ENGINES: tuple[str, ...] = get_args(TtsConfig.model_fields["engine"].annotation)
RATE = 8000
"""Samples a second on the telephone."""
LOWEST_HZ, HIGHEST_HZ = 300.0, 3400.0
"""The band of a telephone channel (ITU-T G.712); less than nothing is left outside of it by old lines."""
EDGE_HZ = 100.0
PATIENT_S = 30.0
"""Nobody is on the line: a slow machine may take its time for a sentence."""


def telephone(samples: Samples, law: g711.Law = "ulaw") -> Samples:
    """Return 8 kHz samples as the other end of a G.711 line hears them: band-limited, coded and decoded."""
    if not len(samples):
        return samples
    spectrum = np.fft.rfft(samples.astype(np.float64))
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    rise = np.clip((hertz - (LOWEST_HZ - EDGE_HZ)) / EDGE_HZ, 0, 1)
    fall = np.clip(((HIGHEST_HZ + EDGE_HZ) - hertz) / EDGE_HZ, 0, 1)
    narrow = np.fft.irfft(spectrum * rise * fall, len(samples))
    line: Samples = np.clip(np.round(narrow), -32768, 32767).astype(np.int16)
    return g711.decode(g711.encode(line, law), law)


class Voices:
    """Who speaks each language of a dialog. An async context manager; engines are loaded when first needed.

    `route` says which voice; without it the first configured engine that speaks the language does. `engine`
    and `voice` take the place of both.
    """

    def __init__(self, config: Config, route: Route | None = None, engine: str = "", voice: str = "") -> None:
        self._config = config
        self._sections = _sections(config, route, engine)
        self._voice = voice or (route.voice if route and not engine else "")
        self._pools: dict[str, tuple[TtsPool, TtsConfig]] = {}
        self._cache = config.var / "cache"
        self._temporary: TemporaryDirectory[str] | None = None

    async def __aenter__(self) -> Self:
        var = self._config.var
        if not var.is_dir():  # a tool leaves no folder behind where no gateway runs
            self._temporary = TemporaryDirectory(prefix="voicebot-")
            var = Path(self._temporary.name)
        self._cache = var / "cache"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await asyncio.gather(*(pool.stop() for pool, _ in self._pools.values()))
        finally:
            if self._temporary is not None:
                self._temporary.cleanup()

    def name(self, language: str) -> str:
        """Return the engine that speaks `language`, "" before anything was said in it."""
        return self._pools[language][1].engine if language in self._pools else ""

    async def speak(self, pieces: Iterable[Prompt]) -> Samples:
        """Return what `pieces` sound like in a row, at 8 kHz.

        Raises UserError where no configured engine speaks a language or a wav cannot be read, and
        SpeechUnavailable where an engine fails.
        """
        parts = [np.zeros(0, np.int16)]
        for piece in pieces:
            if isinstance(piece, SpokenPause):
                parts.append(np.zeros(RATE * piece.ms // 1000, np.int16))
            elif isinstance(piece, SpokenAudio):
                wav = await asyncio.to_thread(read_wav, Path(piece.path))
                parts.append(resample(wav.samples, wav.sample_rate, RATE))
            else:
                parts.append(await self._words(piece))
        return np.concatenate(parts)

    async def _words(self, piece: SpokenText) -> Samples:
        pool, section = await self._pool(piece.language)
        voice = Voice(piece.language, self._voice or section.voice, section.rate)
        said = [samples async for samples in pool.speak(piece.text, voice, RATE)]
        return np.concatenate([np.zeros(0, np.int16), *said])

    async def _pool(self, language: str) -> tuple[TtsPool, TtsConfig]:
        if language in self._pools:
            return self._pools[language]
        problems: list[Problem] = []
        for name, section in self._sections:
            patient = section.model_copy(
                update={"timeout_s": max(section.timeout_s, PATIENT_S), "workers": 1}
            )
            try:
                pool = build_tts(patient, self._config.models, self._cache, f"tts.{name}", (language,))
                await pool.start()
            except UserError as error:
                problems += error.problems
                continue
            except SpeechUnavailable as error:
                problems.append(Problem(str(error), "`voicebot doctor` checks the engines"))
                continue
            self._pools[language] = pool, section
            return pool, section
        raise UserError(
            problems or [Problem(f"no engine speaks {language}", "configure one under [tts.NAME]")]
        )


def route_of(config: Config, file: Path) -> Route | None:
    """Return the first route that is answered by this dialog file."""
    return next((r for r in config.routes if config.resolve(r.dialog) == file.resolve()), None)


def _sections(config: Config, route: Route | None, engine: str) -> list[tuple[str, TtsConfig]]:
    """Return who may speak, the likeliest first."""
    if engine:
        named = [(name, section) for name, section in config.tts.items() if engine in (name, section.engine)]
        if not named and engine not in ENGINES:
            there = ", ".join(dict.fromkeys((*config.tts, *ENGINES)))
            raise UserError(Problem(f"there is no voice engine `{engine}`", f"there are {there}"))
        return named[:1] or [(engine, TtsConfig.model_validate({"engine": engine}))]
    sections = list(config.tts.items())
    return sorted(sections, key=lambda item: route is None or item[0] != route.tts)
