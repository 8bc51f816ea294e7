"""What those who wait hear: music of the operator's, or a quiet melody of ours; and tones for agents."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voicebot.audio.frames import Samples
from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.errors import Problem, UserError

LONGEST_MUSIC_S = 1800
"""Of what is kept in memory for one queue."""
Waves = NDArray[np.float64]
_BEAT_S = 0.6
_PAD = 900
"""Amplitude of the chord that never falls silent, of 32767: about -31 dBFS."""
_PLUCK = 2600
_CHORDS = (
    (261.63, 329.63, 392.00),  # C
    (220.00, 261.63, 329.63),  # A minor
    (174.61, 220.00, 261.63),  # F
    (196.00, 246.94, 293.66),  # G
)
_PATTERN = (0, 2, 1, 2, 0, 1, 2, 1)
"""Which note of the chord is plucked on each beat."""


def music_of(path: str, base: Path, sample_rate: int, source: str = "") -> Samples:
    """Return what is looped: a wav file, all wavs of a folder in order of their names, or our melody for "".

    Raises UserError where there is none, or one cannot be read.
    """
    if not path:
        return melody(sample_rate)
    where = (base / path).resolve()
    files = sorted(where.glob("*.wav")) if where.is_dir() else [where]
    if not files:
        raise UserError(Problem(f"{source}: {where} has no wav files", "put some there, or leave it empty"))
    parts = []
    for file in files:
        wav = read_wav(file)
        parts.append(resample(wav.samples, wav.sample_rate, sample_rate))
    samples: Samples = np.concatenate(parts)[: LONGEST_MUSIC_S * sample_rate].astype(np.int16)
    if len(samples) < sample_rate:
        raise UserError(Problem(f"{source}: {where} has less than a second of music", "choose a longer one"))
    return samples


@lru_cache(maxsize=4)
def melody(sample_rate: int) -> Samples:
    """Return a calm loop of about 19 s: broken chords over one that is held, without a seam or a silence."""
    beat = int(_BEAT_S * sample_rate)
    total = beat * len(_PATTERN) * len(_CHORDS)
    mixed = np.zeros(total)
    time = np.arange(3 * beat) / sample_rate
    held = np.arange(beat * (len(_PATTERN) + 1)) / sample_rate
    swell = np.minimum(1.0, np.minimum(held, held[::-1]) / _BEAT_S)  # neighbours cross-fade
    for bar, chord in enumerate(_CHORDS):
        begin = bar * beat * len(_PATTERN)
        pad = sum(np.sin(2 * np.pi * hz * held) for hz in chord) / len(chord)
        _mix(mixed, begin, _PAD * swell * pad)
        for at, note in enumerate(_PATTERN):
            hz = chord[note] * 2
            tone = np.sin(2 * np.pi * hz * time) + 0.3 * np.sin(4 * np.pi * hz * time)
            _mix(mixed, begin + at * beat, _PLUCK * tone * np.exp(-3 * time) * np.minimum(1, time / 0.01))
    return mixed.astype(np.int16)


@lru_cache(maxsize=4)
def ringing(sample_rate: int) -> Samples:
    """Return what an agent hears while somebody is rung for them: 1 s of 425 Hz, 3 s of quiet (ETSI)."""
    time = np.arange(sample_rate) / sample_rate
    edge = np.minimum(1.0, np.minimum(time, time[::-1]) / 0.005)
    tone = 3000 * edge * np.sin(2 * np.pi * 425 * time)
    return np.concatenate([tone, np.zeros(3 * sample_rate)]).astype(np.int16)


def _mix(into: Waves, at: int, part: Waves) -> None:
    """Add a part; what reaches beyond the end begins the loop."""
    places = (at + np.arange(len(part))) % len(into)
    np.add.at(into, places, part)
