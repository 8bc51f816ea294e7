"""The shape of a recording for the eye: the loudest sample of each moment, for both sides.

Computed once in a thread, and kept beside the wav as `<id>.peaks`.
"""

from __future__ import annotations

import json
import wave
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from voicebot.errors import Problem, UserError
from voicebot.files import write_whole

A_SECOND = 25
"""Peaks for each second of sound."""
MOST = 20_000
"""For very long recordings each peak stands for more."""
CHUNK = 1 << 20
PRIVATE = 0o600


@dataclass(frozen=True, slots=True)
class Peaks:
    """caller, bot: 0 (silence) to 100 (full scale), `per_second` of each."""

    duration_s: float
    per_second: float
    caller: list[int]
    bot: list[int]


def peaks_of(path: Path) -> Peaks:
    """Return the peaks of a stereo recording. Raises UserError for a file that is none."""
    kept = path.with_suffix(".peaks")
    try:
        if kept.stat().st_mtime_ns >= path.stat().st_mtime_ns:
            return Peaks(**json.loads(kept.read_bytes()))
    except (OSError, ValueError, TypeError):
        pass
    peaks = _computed(path)
    with suppress(OSError):  # a full disk: then it is computed again
        write_whole(kept, json.dumps(asdict(peaks), separators=(",", ":")).encode(), mode=PRIVATE)
    return peaks


def _computed(path: Path) -> Peaks:
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2 or file.getnchannels() not in (1, 2):
                raise UserError(Problem("is no recording of ours", "", str(path)))
            rate, channels, total = file.getframerate(), file.getnchannels(), file.getnframes()
            step = max(1, round(rate / A_SECOND), -(-total // MOST))
            sides: list[list[int]] = [[] for _ in range(channels)]
            frames = max(step, CHUNK // step * step)
            while data := file.readframes(frames):
                samples = np.frombuffer(data[: len(data) // (2 * channels) * 2 * channels], "<i2")
                loud = np.abs(samples.astype(np.int32).reshape(-1, channels))
                edges = np.arange(0, len(loud), step)
                for side in range(channels):
                    most = np.maximum.reduceat(loud[:, side], edges)
                    sides[side] += (most * 100 // 32768).tolist()
    except (wave.Error, EOFError, OSError) as error:
        raise UserError(Problem(f"cannot be read: {error}", "", str(path))) from error
    return Peaks(round(total / rate, 3) if rate else 0.0, rate / step, sides[0], sides[-1])
