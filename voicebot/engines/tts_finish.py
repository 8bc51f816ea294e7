"""From what an engine says to what a caller should hear: one rate, one loudness, no silence around it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from voicebot.audio.levels import normalise
from voicebot.audio.resample import resample
from voicebot.speech.tts import AudioChunk, Samples

FINISH_VERSION = 1
"""Part of a cached prompt's key: raise it whenever anything here changes what is heard."""
LEAD_MS = 10
"""Kept before the first sound: a soft consonant, but not a packet of silence."""
TAIL_MS = 60
"""Kept after the last one: the room a voice dies away in."""
SILENCE_DB = -42.0
"""What is this far below the loudest part of a sentence is silence."""
FADE_MS = 4
_WINDOW_MS = 5


def finish(chunks: Sequence[AudioChunk], sample_rate: int, pause_ms: int = 0) -> Samples:
    """Return one sentence at `sample_rate` Hz: resampled, trimmed, at PROMPT_DB, then `pause_ms` of silence.

    Empty if the chunks hold no sound.
    """
    if not chunks:
        return np.zeros(0, np.int16)
    whole = np.concatenate([chunk.samples for chunk in chunks])
    said = trim(resample(whole, chunks[0].sample_rate, sample_rate), sample_rate)
    if not len(said):
        return said
    pause = np.zeros(pause_ms * sample_rate // 1000, np.int16)
    return np.concatenate([_faded(normalise(said, sample_rate), sample_rate), pause])


def trim(samples: Samples, sample_rate: int) -> Samples:
    """Return `samples` without the silence around them, but for LEAD_MS and TAIL_MS."""
    size = sample_rate * _WINDOW_MS // 1000
    count = len(samples) // size
    if not count:
        return samples[:0]
    windows = samples[: count * size].reshape(count, size).astype(np.float32)
    power = np.mean(windows**2, axis=1)
    loudest = float(power.max())
    if loudest < 1.0:
        return samples[:0]
    sound = np.flatnonzero(power > loudest * 10 ** (SILENCE_DB / 10))
    start = int(sound[0]) * size - sample_rate * LEAD_MS // 1000
    end = (int(sound[-1]) + 1) * size + sample_rate * TAIL_MS // 1000
    return samples[max(0, start) : end]


def _faded(samples: Samples, sample_rate: int) -> Samples:
    """Ramp both ends, so that a cut is not heard as a click."""
    length = min(sample_rate * FADE_MS // 1000, len(samples) // 2)
    ramp = np.linspace(0.0, 1.0, length, endpoint=False, dtype=np.float32)
    faded = samples.copy()
    faded[:length] = (samples[:length] * ramp).astype(np.int16)
    if length:
        faded[-length:] = (samples[-length:] * ramp[::-1]).astype(np.int16)
    return faded
