"""unit: in each language of a call somebody else listens and speaks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from voicebot.app.multilingual import LibraryByLanguage, SttByLanguage, TtsByLanguage
from voicebot.config import Route
from voicebot.speech.stt import Expectation
from voicebot.speech.tts import Samples, Voice

pytestmark = pytest.mark.unit

ROUTE = Route.model_validate(
    {"number": "1", "dialog": "d", "languages": {"ko-KR": {"stt": "ears", "tts": "mouth"}}}
)


class Named:
    """An engine of all kinds that notes what it is asked."""

    def __init__(self, name: str, asked: list[str]) -> None:
        self.name, self.asked = name, asked

    def open_stream(
        self, call_id: str, expectation: Expectation, sample_rate: int, on_partial: Any = None
    ) -> Any:
        self.asked.append(f"{self.name} hears")

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        self.asked.append(f"{self.name} says {text}")
        return None

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        self.asked.append(f"{self.name} speaks {text}")
        yield np.zeros(1, dtype=np.int16)

    def load(self, path: Path, sample_rate: int) -> Samples:
        self.asked.append(f"{self.name} loads {path}")
        return np.zeros(1, dtype=np.int16)

    def fallback(self, language: str, sample_rate: int) -> Samples:
        self.asked.append(f"{self.name} apologises")
        return np.zeros(1, dtype=np.int16)


async def test_the_language_decides_who_is_asked() -> None:
    asked: list[str] = []

    def named(name: str) -> Any:
        return cast(Any, Named(name, asked))

    stt, tts, library = (
        SttByLanguage(ROUTE, named),
        TtsByLanguage(ROUTE, named),
        LibraryByLanguage(ROUTE, named),
    )
    for language in ("en-US", "ko-KR"):
        stt.open_stream("a", Expectation(language=language), 8000)
        tts.cached("x", Voice(language), 8000)
        async for _ in tts.speak("y", Voice(language), 8000):
            pass
        library.fallback(language, 8000)
    library.load(Path("z.wav"), 8000)
    assert asked == [
        "english hears", "english says x", "english speaks y", "english apologises",
        "ears hears", "mouth says x", "mouth speaks y", "mouth apologises",
        "english loads z.wav",
    ]  # fmt: skip
