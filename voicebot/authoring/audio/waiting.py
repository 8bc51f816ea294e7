"""Recognisers and voices whose work a test's clock waits for."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable
from dataclasses import dataclass, field

import numpy as np

from voicebot.audio.frames import Samples
from voicebot.authoring.audio.line import RATE
from voicebot.errors import SpeechUnavailable
from voicebot.speech.stt import Expectation, OnPartial, SttService, SttStream, Transcript
from voicebot.speech.tts import TtsService, Voice

PLACEHOLDER = np.zeros(RATE // 5, np.int16)
"""Stands for a prompt that nobody needs to hear."""


@dataclass(slots=True)
class Busy:
    """How many recognitions and syntheses are under way; what the next recognition is forced to be."""

    count: int = 0
    forced: deque[Transcript | SpeechUnavailable] = field(default_factory=deque)


class WaitedStt:
    """A recogniser whose results the clock waits for."""

    def __init__(self, service: SttService, busy: Busy) -> None:
        self._service, self._busy = service, busy

    def open_stream(
        self,
        call_id: str,
        expectation: Expectation,
        sample_rate: int,
        on_partial: OnPartial | None = None,
    ) -> SttStream:
        stream = self._service.open_stream(call_id, expectation, sample_rate, on_partial)
        return _WaitedStream(stream, self._busy)


class _WaitedStream:
    def __init__(self, stream: SttStream, busy: Busy) -> None:
        self._stream, self._busy = stream, busy
        self.feed, self.guess, self.close = stream.feed, stream.guess, stream.close

    def finish(self) -> Awaitable[Transcript]:
        return self._finish()

    async def _finish(self) -> Transcript:
        if self._busy.forced:
            forced = self._busy.forced.popleft()
            if isinstance(forced, SpeechUnavailable):
                raise forced
            return forced
        self._busy.count += 1
        try:
            return await self._stream.finish()
        finally:
            self._busy.count -= 1


class WaitedTts:
    """A voice that the clock waits for; or none, where nobody needs to hear it."""

    def __init__(self, service: TtsService | None, busy: Busy) -> None:
        self._service, self._busy = service, busy

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        if self._service is None:
            return PLACEHOLDER
        return self._service.cached(text, voice, sample_rate)

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        assert self._service is not None
        self._busy.count += 1
        try:
            said = [samples async for samples in self._service.speak(text, voice, sample_rate)]
        finally:
            self._busy.count -= 1
        for samples in said:
            yield samples
