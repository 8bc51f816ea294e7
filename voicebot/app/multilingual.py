"""Recogniser, voice and recorded prompts of a route, each chosen anew by the language that is spoken."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from voicebot.call.speaking import PromptLibrary
from voicebot.config import Route
from voicebot.speech.stt import Expectation, OnPartial, SttService, SttStream
from voicebot.speech.tts import Samples, TtsService, Voice


class SttByLanguage:
    """The recognisers of a route: an `SttService`."""

    def __init__(self, route: Route, stt: Callable[[str], SttService]) -> None:
        self._route, self._stt = route, stt

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        name = self._route.speech(expectation.language).stt
        return self._stt(name).open_stream(call_id, expectation, sample_rate, on_partial)


class TtsByLanguage:
    """The voices of a route: a `TtsService`."""

    def __init__(self, route: Route, tts: Callable[[str], TtsService]) -> None:
        self._route, self._tts = route, tts

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        return self._tts(self._route.speech(voice.language).tts).cached(text, voice, sample_rate)

    def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        return self._tts(self._route.speech(voice.language).tts).speak(text, voice, sample_rate)


class LibraryByLanguage:
    """The recorded prompts of a route, and its apologies: a `PromptLibrary`."""

    def __init__(self, route: Route, library: Callable[[str], PromptLibrary]) -> None:
        self._route, self._library = route, library

    def load(self, path: Path, sample_rate: int) -> Samples:
        return self._library(self._route.tts).load(path, sample_rate)

    def fallback(self, language: str, sample_rate: int) -> Samples:
        return self._library(self._route.speech(language).tts).fallback(language, sample_rate)
