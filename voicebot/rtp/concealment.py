"""Packet loss concealment, after G.711 Appendix I but simpler: the last pitch period is repeated and
fades away.
"""

from __future__ import annotations

import numpy as np

from voicebot.audio.frames import FRAME_MS, Samples

CONCEALED_FRAMES = 3
"""A gap longer than this (60 ms) is silence."""

PITCH_HZ = (66, 200)
"""Pitch searched for, as in Appendix I."""

_FULL_FRAMES = 0.5  # the first 10 ms are repeated as loud as they were
_OVERLAP = 0.25  # of a pitch period, cross-faded where it joins itself


def conceal(history: Samples, lost_before: int, sample_rate: int) -> Samples:
    """Return one made-up frame.

    history:      the last two frames really heard, shape (2 * samples_per_frame,)
    lost_before:  frames already concealed in this gap; from CONCEALED_FRAMES on the result is silence
    """
    size = sample_rate * FRAME_MS // 1000
    if lost_before >= CONCEALED_FRAMES or len(history) < 2 * size or not history.any():
        return np.zeros(size, dtype=np.int16)
    past = history.astype(np.float32)
    period = _pitch_period(past, sample_rate)
    cycle = past[-period:].copy()
    # Bend the end of the cycle to what came before its beginning, so that repeats join without a click.
    overlap = max(1, int(period * _OVERLAP))
    before = past[-period - overlap : -period]
    ramp = np.linspace(0, 1, overlap, dtype=np.float32)
    cycle[-overlap:] = cycle[-overlap:] * (1 - ramp) + before * ramp
    first = lost_before * size
    repeated = cycle[(first + np.arange(size)) % period]
    time = lost_before + np.arange(size, dtype=np.float32) / size
    gain = np.clip(1 - (time - _FULL_FRAMES) / (CONCEALED_FRAMES - _FULL_FRAMES), 0, 1)
    return (repeated * gain).astype(np.int16)


def _pitch_period(past: np.ndarray[tuple[int], np.dtype[np.float32]], sample_rate: int) -> int:
    """The lag in samples at which the end of `past` is most like itself."""
    longest, shortest = sample_rate // PITCH_HZ[0], sample_rate // PITCH_HZ[1]
    size = min(longest, len(past) - longest)
    end = past[-size:]
    windows = np.lib.stride_tricks.sliding_window_view(past, size)[::-1][shortest : longest + 1]
    power = np.sqrt(np.einsum("ij,ij->i", windows, windows)) + 1.0
    likeness = np.einsum("ij,j->i", windows, end)  # not BLAS: its threads would spin on for a while
    return shortest + int(np.argmax(likeness / power))
