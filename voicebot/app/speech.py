"""The speech engines that routes and campaigns name: started and stopped together, prompts rendered ahead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

from voicebot.call.services import voice_of
from voicebot.config import Config, Route
from voicebot.dialog.checking.check import wav_files
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.needs import given_values
from voicebot.dialog.running.static_prompts import static_prompts
from voicebot.engines.pool import WorkerPool
from voicebot.engines.service import StreamingStt, build_stt
from voicebot.engines.tts_recorded import RecordedPrompts
from voicebot.engines.tts_service import TtsPool, build_tts
from voicebot.errors import Problem, SpeechUnavailable, UserError
from voicebot.speech.tts import Voice

log = structlog.get_logger(__name__)


class SpeechEngines:
    """Recognisers and voices by their names in the configuration.

    Only those that a route names; where calls are placed all, for campaigns may name any of them.

    An async context manager: entering it loads all models. Raises UserError with every one that cannot be.
    """

    def __init__(self, config: Config, languages: Callable[[Route], Sequence[str]]) -> None:
        self._config = config
        self._rate = config.media.sample_rate
        routes = config.routes
        everything = config.dialling.enabled
        listening = dict.fromkeys(each.stt for route in routes for each in route.speeches)
        speaking = dict.fromkeys(each.tts for route in routes for each in route.speeches)
        self._stt = {
            name: build_stt(name, config.stt[name], config.models)
            for name in (config.stt if everything else listening)
        }
        self._tts: dict[str, TtsPool] = {}
        for name in config.tts if everything else speaking:
            spoken = list(
                dict.fromkeys(
                    language
                    for route in routes
                    for language in languages(route)
                    if route.speech(language).tts == name
                )
            )
            self._tts[name] = build_tts(
                config.tts[name],
                config.models,
                config.var / "cache",
                name=f"tts.{name}",
                languages=spoken or ("en-US",),
            )
        self._libraries = {name: RecordedPrompts(tts.fallback_prompt) for name, tts in self._tts.items()}

    async def __aenter__(self) -> Self:
        engines: list[StreamingStt | TtsPool] = [*self._stt.values(), *self._tts.values()]
        try:
            results = await asyncio.gather(*(engine.start() for engine in engines), return_exceptions=True)
        except BaseException:  # Ctrl-C while one is ready and another still loads
            await self._stop()
            raise
        faults = [result for result in results if isinstance(result, BaseException)]
        if faults:
            await self._stop()
            raise _as_one(faults)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def pools(self) -> tuple[tuple[str, WorkerPool], ...]:
        """Return all workers, under names such as stt.english."""
        listening = [(f"stt.{name}", each.pool) for name, each in self._stt.items()]
        return (*listening, *((f"tts.{name}", each.pool) for name, each in self._tts.items()))

    def stt(self, name: str) -> StreamingStt:
        return self._stt[name]

    def tts(self, name: str) -> TtsPool:
        return self._tts[name]

    def library(self, tts_name: str) -> RecordedPrompts:
        """Return the recorded prompts that stand beside this voice."""
        return self._libraries[tts_name]

    async def render_ahead(
        self, served: Iterable[tuple[Route, Dialog]], progress: Callable[[int, int], None]
    ) -> None:
        """Render every prompt known ahead, and decode every wav prompt. Raises UserError for a wav."""
        prompts: dict[str, list[tuple[str, Voice]]] = {}
        for route, dialog in served:
            spoken = list(static_prompts(dialog, _known_ahead(dialog, route), route.language))
            wavs = []
            for part in _parts(dialog):
                wavs += [Path(part.folder) / wav for wav in wav_files(part.file)]
                if part is not dialog:
                    spoken += static_prompts(part, {}, route.language or dialog.language)
            for prompt in spoken:
                voice = voice_of(self._config, route, prompt.language)
                prompts.setdefault(route.speech(prompt.language).tts, []).append((prompt.text, voice))
            await asyncio.to_thread(self._libraries[route.tts].load_ahead, wavs, [self._rate])
        missing = {
            name: [p for p in dict.fromkeys(wanted) if self._tts[name].cached(*p, self._rate) is None]
            for name, wanted in prompts.items()
        }
        total = sum(map(len, missing.values()))
        counts = dict.fromkeys(missing, 0)

        def report(name: str, done: int, _of: int) -> None:
            counts[name] = done
            progress(sum(counts.values()), total)

        for name, wanted in missing.items():
            if wanted:
                await self._tts[name].render_ahead(wanted, [self._rate], partial(report, name))

    async def _stop(self) -> None:
        engines: list[StreamingStt | TtsPool] = [*self._stt.values(), *self._tts.values()]
        await asyncio.gather(*(engine.stop() for engine in engines))


def _known_ahead(dialog: Dialog, route: Route) -> dict[str, object]:
    """Return the values that are the same in all calls of a route; a campaign's contacts have their own."""
    try:
        return given_values(dialog, route.given)
    except UserError:
        return {}


def _parts(dialog: Dialog) -> Iterator[Dialog]:
    """Yield a dialog and all that it includes."""
    yield dialog
    for included in dialog.included.values():
        yield from _parts(included)


def _as_one(faults: list[BaseException]) -> BaseException:
    """Make one UserError of what went wrong, unless something else than a fault of the set-up is among it."""
    problems: list[Problem] = []
    for fault in faults:
        if isinstance(fault, UserError):
            problems += fault.problems
        elif isinstance(fault, SpeechUnavailable):
            problems.append(Problem(str(fault), "see the log above; `voicebot doctor` checks the engines"))
        else:
            return fault
    return UserError(problems)
