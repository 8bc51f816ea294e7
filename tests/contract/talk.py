"""The whole gateway with scripted speech: what the recogniser "hears" is told by the test, prompts are tones.

So call scenarios test calls, on both kinds of PBX, and leave the engines to tests/engines.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from tests.contract.pbx import Pbx
from voicebot.app.gateway import Gateway
from voicebot.call.calls_live import LiveCalls
from voicebot.call.outbound import Campaigns
from voicebot.call.people import People
from voicebot.call.record import CallRecord, list_records, read_record
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import SpeechUnavailable
from voicebot.speech.stt import Expectation, SttStream, Transcript
from voicebot.speech.tts import Samples, Voice

DATA = Path(__file__).resolve().parents[1] / "data"
DIALOG = DATA / "dialogs" / "contract.yaml"
WORD_MS = 120
RECORD_TIMEOUT_S = 8.0
BROKEN = "(broken)"
NOISE = "(noise)"


def tone(text: str, sample_rate: int) -> Samples:
    """Return what stands for speech: an audible hum, as long as its words would take."""
    count = len(text.split()) * WORD_MS * sample_rate // 1000
    phase = 2 * math.pi * 220 * np.arange(count) / sample_rate
    return (6000 * np.sin(phase)).astype(np.int16)


class ScriptedStream:
    """Hears what the test said it would."""

    def __init__(self, results: list[str]) -> None:
        self._results = results

    def feed(self, pcm: bytes) -> None:
        return

    def guess(self) -> None:
        return

    def close(self) -> None:
        return

    def finish(self) -> Awaitable[Transcript]:
        async def result() -> Transcript:
            text = self._results.pop(0) if self._results else ""
            if text == BROKEN:
                raise SpeechUnavailable("the worker was killed")
            if text == NOISE:
                return Transcript("", no_speech=True, engine="script")
            return Transcript(text, confidence=0.9, engine="script")

        return result()


class ScriptedSpeech:
    """Recogniser, voice and recorded prompts in one. `will_hear` are the coming transcripts, in order."""

    def __init__(self, config: Config, languages: Callable[[Route], Sequence[str]]) -> None:
        self.will_hear: list[str] = []

    async def __aenter__(self) -> ScriptedSpeech:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return

    def stt(self, name: str) -> ScriptedSpeech:
        return self

    def tts(self, name: str) -> ScriptedSpeech:
        return self

    def library(self, tts_name: str) -> ScriptedSpeech:
        return self

    async def render_ahead(
        self, served: Iterable[tuple[Route, Dialog]], progress: Callable[[int, int], None]
    ) -> None:
        return

    def open_stream(
        self, call_id: str, expectation: Expectation, sample_rate: int, on_partial: Any = None
    ) -> SttStream:
        return ScriptedStream(self.will_hear)

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        return tone(text, sample_rate)

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        yield tone(text, sample_rate)

    def load(self, path: Path, sample_rate: int) -> Samples:
        return tone("a recorded prompt", sample_rate)

    def fallback(self, language: str, sample_rate: int) -> Samples:
        return tone("sorry", sample_rate)


class Bot:
    """A running gateway in this process. `async with Bot(pbx, folder) as bot:`"""

    def __init__(
        self,
        pbx: Pbx,
        folder: Path,
        campaigns: Campaigns | None = None,
        *,
        people: Callable[[Gateway], People] | None = None,
        live: LiveCalls | None = None,
        **changes: Any,
    ) -> None:
        route = {"number": "600", "dialog": str(DIALOG), **changes.pop("route", {})}
        self.config = Config.model_validate(
            {
                "asterisk": {**pbx.settings},
                "media": {"first_port": 20000, "last_port": 29999, **changes.pop("media", {})},
                "limits": {"drain_s": 5, **changes.pop("limits", {})},
                "paths": {"var": str(folder)},
                "routes": [route],
                **changes,
            }
        )
        self._stop_reasons: list[BaseException] = []
        self._done = asyncio.Event()
        self.gateway = Gateway(
            self.config,
            speech=self._make_speech,
            observer=self._note,
            campaigns=campaigns,
            people=people,
            live=live,
        )

    def _make_speech(self, config: Config, languages: Callable[[Route], Sequence[str]]) -> ScriptedSpeech:
        self.speech = ScriptedSpeech(config, languages)
        return self.speech

    def _note(self, record: CallRecord, turn: object) -> None:
        self.turns = record.turns

    async def __aenter__(self) -> Self:
        await self.gateway.start()
        self._running = asyncio.create_task(self.gateway.run_until_stopped())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.gateway.stop()
        await self._running

    def will_hear(self, *texts: str) -> None:
        self.speech.will_hear += texts

    async def stopped(self) -> None:
        """Wait until the gateway has ended by itself."""
        await self._running

    async def records(self, count: int = 1) -> list[CallRecord]:
        """Wait for the records of `count` ended calls, and return them."""
        async with asyncio.timeout(RECORD_TIMEOUT_S):
            while len(paths := list_records(self.config.var)) < count:  # noqa: ASYNC110 - files tell nobody
                await asyncio.sleep(0.02)
        return [read_record(path) for path in paths]

    async def record(self) -> CallRecord:
        return (await self.records())[0]
