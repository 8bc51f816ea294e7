"""Log-mel spectrogram as Whisper was trained on it (Radford et al. 2022, section 2.2), in numpy.

16 kHz, window 25 ms (Hann), hop 10 ms, 80 mel bands on Slaney's scale with area-normalised triangles.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

RATE = 16000
WINDOW = 400
HOP = 160
BANDS = 80
_LINEAR_HZ = 200 / 3
"""Slaney's scale is linear up to 1000 Hz, with this many Hz a mel, ..."""
_KNEE_MEL = 1000 / _LINEAR_HZ
_LOG_STEP = np.log(6.4) / 27
"""... and logarithmic above: 27 mel from 1000 to 6400 Hz."""

Floats = npt.NDArray[np.float32]


def _hz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(mel < _KNEE_MEL, mel * _LINEAR_HZ, 1000 * np.exp(_LOG_STEP * (mel - _KNEE_MEL)))


@lru_cache(maxsize=1)
def filters() -> Floats:
    """Return the mel filter bank, shape (BANDS, WINDOW // 2 + 1)."""
    top = _KNEE_MEL + np.log(RATE / 2 / 1000) / _LOG_STEP
    edges = _hz(np.linspace(0, top, BANDS + 2))
    bins = np.arange(WINDOW // 2 + 1) * RATE / WINDOW
    low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * 2 / (high - low), dtype=np.float32)


@lru_cache(maxsize=1)
def _hann() -> Floats:
    return np.asarray(np.hanning(WINDOW + 1)[:-1], dtype=np.float32)


def log_mel(samples: Floats, frames: int) -> Floats:
    """Return the features of `samples` (-1 to 1, 16 kHz), shape (BANDS, frames).

    Silence is added where they are too short; what is too long is cut off.
    """
    wanted = frames * HOP
    audio = np.zeros(wanted, dtype=np.float32)
    audio[: min(len(samples), wanted)] = samples[:wanted]
    padded = np.pad(audio, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][:frames]
    power = np.abs(np.fft.rfft(windows * _hann(), axis=1)) ** 2
    logs = np.log10(np.maximum(filters() @ power.T.astype(np.float32), 1e-10))
    logs = np.maximum(logs, logs.max() - 8.0)
    return np.asarray((logs + 4.0) / 4.0, dtype=np.float32)
