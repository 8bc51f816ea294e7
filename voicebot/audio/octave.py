"""Twice or half the sample rate, frame by frame, as the audio goes by.

A symmetric low-pass of 63 taps (windowed sinc, Kaiser): it delays by 2 ms, where the streams of resampling
libraries of that quality wait for 25 ms and more. Its edge lies below the 4 kHz that both rates can carry.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from voicebot.audio.frames import Samples

TAPS = 63
EDGE_HZ = 3650
KAISER_BETA = 6.0
"""Stop band 60 dB down."""


Line = npt.NDArray[np.float64]


def _low_pass(rate: int) -> Line:
    at = np.arange(TAPS) - (TAPS - 1) / 2
    taps = np.sinc(2 * EDGE_HZ / rate * at) * np.kaiser(TAPS, KAISER_BETA)
    low_pass: Line = taps / taps.sum()
    return low_pass


_FILTER = _low_pass(16000)


class Halving:
    """16 kHz to 8 kHz. Pieces must have an even number of samples."""

    def __init__(self) -> None:
        self._before = np.zeros(TAPS - 1)

    def push(self, samples: Samples) -> Samples:
        """Return the next piece, half as long."""
        line = np.concatenate([self._before, samples])
        self._before = line[-(TAPS - 1) :]
        return _whole(np.convolve(line, _FILTER, "valid")[::2])


class Doubling:
    """8 kHz to 16 kHz."""

    def __init__(self) -> None:
        self._before = np.zeros(TAPS - 1)

    def push(self, samples: Samples) -> Samples:
        """Return the next piece, twice as long."""
        line = np.zeros(TAPS - 1 + 2 * len(samples))
        line[: TAPS - 1] = self._before
        line[TAPS - 1 :: 2] = samples
        self._before = line[-(TAPS - 1) :]
        return _whole(np.convolve(line, 2 * _FILTER, "valid"))


def _whole(line: Line) -> Samples:
    return np.clip(np.rint(line), -32768, 32767).astype(np.int16)
