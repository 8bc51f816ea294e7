"""Tones that a detector takes for speech: DTMF, dial tone, ringback, modems and beeps.

A tone has nearly all its power in one or two lines of the spectrum and keeps its level; a voice has many
lines that move. (Costs about 40 µs, and is asked only when an utterance seems to begin.)
"""

from __future__ import annotations

import numpy as np

from voicebot.audio.frames import Samples

LINES = 2
"""Lines of a signalling tone: DTMF and ringback have two."""

LINE_SHARE = 0.93
"""Share of the power that they hold at least."""

LINE_WIDTH_HZ = 35.0
"""Half width of a line, as wide as a Hann window of 60 ms smears it."""

STEADY_DB = 3.0
"""The two halves of a tone differ less than this; ringback's two lines beat, so shorter parts differ more."""

_MIN_MS = 40


def is_tone(samples: Samples, sample_rate: int) -> bool:
    """Whether the end of `samples` (60 ms or more are wise) is a steady tone of one or two frequencies."""
    size = len(samples)
    if size < sample_rate * _MIN_MS // 1000:
        return False
    # The first third is left out: a tone that has just begun is not steady there.
    steady = samples[size // 3 :].astype(np.float32)
    halves = steady[: len(steady) // 2 * 2].reshape(2, -1)
    power = np.mean(halves**2, axis=1)
    if power.min() <= 0 or 10 * np.log10(power.max() / power.min()) > STEADY_DB:
        return False
    spectrum = np.abs(np.fft.rfft(steady * np.hanning(len(steady)))) ** 2
    width = max(2, round(LINE_WIDTH_HZ * len(steady) / sample_rate))
    whole = float(spectrum.sum())
    found = 0.0
    for _ in range(LINES):
        peak = int(np.argmax(spectrum))
        line = slice(max(0, peak - width), peak + width + 1)
        found += float(spectrum[line].sum())
        spectrum[line] = 0
    return found >= LINE_SHARE * whole
