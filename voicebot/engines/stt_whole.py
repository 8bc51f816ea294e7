"""An utterance for engines that take it whole: its audio is collected, all work is done at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from voicebot.audio.resample import resample
from voicebot.speech.stt import Transcript

Decode = Callable[[np.ndarray[Any, np.dtype[np.int16]]], Transcript]
"""Recognises one utterance of 16-bit samples at the engine's rate."""


class WholeRecognition:
    """Collects PCM at `sample_rate` Hz, and hands it over at `engine_rate` Hz."""

    def __init__(self, decode: Decode, sample_rate: int, engine_rate: int) -> None:
        self._decode = decode
        self._rate, self._engine_rate = sample_rate, engine_rate
        self._pcm = bytearray()

    def accept(self, pcm: bytes) -> None:
        self._pcm += pcm

    def partial(self) -> str:
        return ""

    def finish(self) -> Transcript:
        samples = np.frombuffer(bytes(self._pcm), dtype="<i2").astype(np.int16)
        return self._decode(resample(samples, self._rate, self._engine_rate))
