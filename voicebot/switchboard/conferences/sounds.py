"""Sounds that need no voice: somebody comes or goes, recording begins, a quiet melody for who waits."""

from __future__ import annotations

from functools import cache

import numpy as np

from voicebot.audio.frames import Samples

LEVEL = 5000
"""Amplitude of tones, of 32767."""
QUIET = 1100
"""Amplitude of the melody's single notes."""
EDGE_S = 0.008

COMES = ((523, 120), (784, 160))
"""Tones of (Hz, ms): upwards."""
GOES = ((784, 120), (523, 160))
RECORDED = ((1400, 200),)
NOT_RECORDED = ((700, 200),)

MELODY = (262, 330, 392, 494, 392, 330, 294, 349, 440, 523, 440, 349)
"""A phrase over two soft chords, in Hz."""
NOTE_MS = 600
RING_S = 1.6
"""A note sounds on into those that follow."""


@cache
def tones(notes: tuple[tuple[int, int], ...], sample_rate: int) -> Samples:
    """Return notes of (Hz, ms), one after another, without clicks."""
    return np.concatenate([_tone(hz, ms, sample_rate) for hz, ms in notes])


def _tone(hz: int, ms: int, sample_rate: int) -> Samples:
    time = np.arange(ms * sample_rate // 1000) / sample_rate
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / EDGE_S)
    return (LEVEL * edge * np.sin(2 * np.pi * hz * time)).astype(np.int16)


@cache
def melody(sample_rate: int) -> Samples:
    """Return some seconds that can be repeated without a seam."""
    note = NOTE_MS * sample_rate // 1000
    total = note * len(MELODY)
    time = np.arange(int(RING_S * sample_rate)) / sample_rate
    loop = np.zeros(total)
    for at, hz in enumerate(MELODY):
        ringing = np.sin(2 * np.pi * hz * time) * np.minimum(1.0, time / 0.02) * np.exp(-2.2 * time)
        ringing *= np.minimum(1.0, time[::-1] / 0.05)
        places = (np.arange(len(time)) + at * note) % total
        np.add.at(loop, places, QUIET * ringing)
    return loop.astype(np.int16)
