"""An utterance for engines that take it whole: its audio is collected, all work is done at its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from voicebot.audio.resample import resample
from voicebot.speech.stt import Transcript

Decode = Callable[[np.ndarray[Any, np.dtype[np.int16]]], Transcript]
"""Recognises one utterance of 16-bit samples at the engine's rate."""


GLANCE_MS = 500
"""Speech between two glances."""
GLANCE_UP_TO_S = 8
"""Of longer speech they would take too long: the result must not wait for one."""


class WholeRecognition:
    """Collects PCM at `sample_rate` Hz, and hands it over at `engine_rate` Hz.

    `glance` is a cheaper way to recognise what has been said so far, for those who read along.
    """

    def __init__(
        self, decode: Decode, sample_rate: int, engine_rate: int, glance: Decode | None = None
    ) -> None:
        self._decode = decode
        self._glance = glance
        self._glanced = ""
        self._glanced_at = 0  # bytes
        self._rate, self._engine_rate = sample_rate, engine_rate
        self._pcm = bytearray()

    def accept(self, pcm: bytes) -> None:
        self._pcm += pcm

    def partial(self, alone: bool) -> str:
        fresh = len(self._pcm) - self._glanced_at >= GLANCE_MS * self._rate // 500
        if self._glance is not None and alone and fresh and len(self._pcm) <= GLANCE_UP_TO_S * self._rate * 2:
            self._glanced_at = len(self._pcm)
            self._glanced = self._glance(self._samples()).text or self._glanced
        return self._glanced

    def finish(self) -> Transcript:
        return self._decode(self._samples())

    def _samples(self) -> np.ndarray[Any, np.dtype[np.int16]]:
        samples = np.frombuffer(bytes(self._pcm), dtype="<i2").astype(np.int16)
        return resample(samples, self._rate, self._engine_rate)
