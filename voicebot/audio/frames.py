"""The 20 ms frame: the unit in which a call hears and speaks.

PCM is 16-bit signed little-endian mono everywhere in this project, as `bytes` in the frame path
(slicing bytes is the cheapest thing Python does) and as `Samples` where arithmetic is done.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

FRAME_MS = 20
"""Length of a frame and of the media tick, in ms."""

FRAMES_PER_SECOND = 1000 // FRAME_MS

BYTES_PER_SAMPLE = 2

Samples = npt.NDArray[np.int16]
"""Mono PCM, shape (n_samples,)."""

FrameBatch = npt.NDArray[np.int16]
"""One frame of each of several calls, shape (n_calls, samples_per_frame)."""


def samples_per_frame(sample_rate: int) -> int:
    """Return the samples in one frame at `sample_rate` Hz (160 at 8 kHz)."""
    return sample_rate * FRAME_MS // 1000


def bytes_per_frame(sample_rate: int) -> int:
    """Return the bytes of PCM in one frame at `sample_rate` Hz (320 at 8 kHz)."""
    return samples_per_frame(sample_rate) * BYTES_PER_SAMPLE


def silence(sample_rate: int) -> bytes:
    """Return one frame of digital silence."""
    return bytes(bytes_per_frame(sample_rate))


_LITTLE_ENDIAN = np.dtype("<i2")


def to_samples(pcm: bytes | memoryview) -> Samples:
    """View PCM bytes as samples, without copying. The length must be even."""
    return np.frombuffer(pcm, dtype=_LITTLE_ENDIAN)


def to_pcm(samples: npt.NDArray[np.int16]) -> bytes:
    """Return samples as PCM bytes."""
    return samples.astype(_LITTLE_ENDIAN, copy=False).tobytes()


def duration_ms(pcm_bytes: int, sample_rate: int) -> int:
    """Return how long `pcm_bytes` bytes of PCM last, in whole ms."""
    return pcm_bytes * 1000 // (BYTES_PER_SAMPLE * sample_rate)
