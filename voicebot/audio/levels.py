"""Loudness: the level of frames in a batch, and prompts brought to one loudness.

Levels are RMS in dBFS, where 0 dBFS is a square wave of full scale (ITU-T G.100.1's dBov).
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from voicebot.audio.frames import FrameBatch, Samples, samples_per_frame

FLOOR_DB = -96.0
"""Level given to digital silence: below the smallest sample."""

PROMPT_DB = -20.0
"""Active speech level of prompts, loud and clear on a telephone without clipping."""

PEAK_DB = -1.0
"""No sample of a normalised prompt is above this."""

MAX_GAIN_DB = 30.0
"""A recording so quiet that it needs more is noise; it is not raised further."""

ACTIVITY_MARGIN_DB = 15.9
"""ITU-T P.56: speech is active where its envelope is within this margin below the active level."""

LIMITER_BLOCK_MS = 1
LIMITER_REACH = 4
"""The limiter turns down this many blocks ahead of a peak, and recovers after as many."""

_FULL_SCALE_POWER = 32768.0**2
_FLOOR_POWER = 10 ** (FLOOR_DB / 10)


def levels_db(batch: FrameBatch) -> list[float]:
    """Return the level of each row of `batch`."""
    frames = batch.astype(np.float32)
    full_scale = frames.shape[1] * _FULL_SCALE_POWER
    floor = full_scale * _FLOOR_POWER
    full_scale_db = 10 * math.log10(full_scale)
    # A few logarithms in Python cost less than to call numpy for a few numbers.
    powers = np.einsum("ij,ij->i", frames, frames).tolist()
    return [10 * math.log10(power + floor) - full_scale_db for power in powers]


def level_db(samples: Samples) -> float:
    """Return the level of all of `samples`; FLOOR_DB if there are none."""
    return levels_db(samples.reshape(1, -1))[0] if len(samples) else FLOOR_DB


def active_level_db(samples: Samples, sample_rate: int) -> float:
    """Return the level of the parts where somebody speaks (after ITU-T P.56, on 20 ms frames)."""
    size = samples_per_frame(sample_rate)
    count = len(samples) // size
    if count < 2:
        return level_db(samples)
    frames = samples[: count * size].reshape(count, size).astype(np.float32)
    power = np.mean(frames**2, axis=1) / _FULL_SCALE_POWER
    margin = 10 ** (-ACTIVITY_MARGIN_DB / 10)
    level = float(np.mean(power))
    while True:
        active = float(np.mean(power[power >= level * margin])) if level > 0 else 0.0
        if active <= level * 1.001:
            return 10 * math.log10(max(active, _FLOOR_POWER))
        level = active


def normalise(samples: Samples, sample_rate: int, target_db: float = PROMPT_DB) -> Samples:
    """Return a prompt at the active level `target_db`, its peaks limited to PEAK_DB."""
    level = active_level_db(samples, sample_rate)
    if level <= FLOOR_DB:
        return samples
    gain = 10 ** (min(target_db - level, MAX_GAIN_DB) / 20)
    raised = limit(samples.astype(np.float32) * gain, sample_rate)
    return np.round(raised).astype(np.int16)


def limit(samples: npt.NDArray[np.float32], sample_rate: int) -> npt.NDArray[np.float32]:
    """Turn `samples` down smoothly around every peak above PEAK_DB."""
    ceiling = 32767 * 10 ** (PEAK_DB / 20)
    size = sample_rate * LIMITER_BLOCK_MS // 1000
    blocks = -(-len(samples) // size)
    padded = np.zeros(blocks * size, dtype=np.float32)
    padded[: len(samples)] = np.abs(samples)
    peaks = padded.reshape(blocks, size).max(axis=1)
    if not blocks or peaks.max() <= ceiling:
        return samples
    wanted = np.minimum(1.0, ceiling / np.maximum(peaks, 1.0))
    # The least gain wanted nearby, then a mean over as many blocks: smooth, and never above what is wanted.
    reach = 2 * LIMITER_REACH + 1
    around = np.pad(wanted, 2 * LIMITER_REACH, constant_values=1.0)
    least = np.lib.stride_tricks.sliding_window_view(around, reach).min(axis=1)
    smooth = np.convolve(least, np.full(reach, 1 / reach), mode="valid")
    # Between the middles of blocks gain is interpolated; take the lesser neighbour so that no peak slips
    # through.
    edges = np.minimum(np.concatenate([smooth[:1], smooth]), np.concatenate([smooth, smooth[-1:]]))
    gain = np.interp(np.arange(len(samples)), np.arange(blocks + 1) * size, edges)
    limited: npt.NDArray[np.float32] = (samples * gain).astype(np.float32)
    return limited
