"""Unit: levels, loudness of prompts, resampling."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio.levels import (
    FLOOR_DB,
    PEAK_DB,
    PROMPT_DB,
    active_level_db,
    level_db,
    levels_db,
    normalise,
)
from voicebot.audio.resample import resample

pytestmark = pytest.mark.unit

RATE = 8000


def tone(peak: float, seconds: float = 1.0, hertz: float = 400.0, rate: int = RATE) -> np.ndarray:
    return (peak * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)).astype(np.int16)


def test_levels_are_relative_to_a_square_wave_of_full_scale() -> None:
    square = np.where(np.arange(160) % 2, 32767, -32768)
    batch = np.stack([square, tone(32767, 0.02), tone(3276.7, 0.02), np.zeros(160)]).astype(np.int16)
    assert levels_db(batch) == pytest.approx([0.0, -3.01, -23.01, FLOOR_DB], abs=0.02)
    assert level_db(np.zeros(0, dtype=np.int16)) == FLOOR_DB


def test_the_active_level_does_not_know_pauses() -> None:
    speech = tone(8000)
    with_pauses = np.concatenate([np.zeros(4 * RATE, dtype=np.int16), speech, tone(3, 4.0)])
    assert active_level_db(with_pauses, RATE) == pytest.approx(level_db(speech), abs=0.2)


@pytest.mark.parametrize("peak", [300, 3000, 30000])
def test_prompts_come_out_equally_loud(peak: int) -> None:
    prompt = np.concatenate([tone(peak), np.zeros(RATE, dtype=np.int16)])
    assert active_level_db(normalise(prompt, RATE), RATE) == pytest.approx(PROMPT_DB, abs=0.3)


def test_peaks_are_limited_without_clipping() -> None:
    prompt = tone(300, 3.0)
    prompt[RATE : RATE + 40] = tone(12000, 0.005, 800)
    loud = normalise(prompt, RATE)
    ceiling = 32767 * 10 ** (PEAK_DB / 20)
    assert np.abs(loud.astype(int)).max() <= ceiling + 1
    assert level_db(loud[: RATE // 2]) > level_db(prompt[: RATE // 2]) + 6  # the rest is raised all the same


def test_silence_stays_silence() -> None:
    assert not normalise(np.zeros(RATE, dtype=np.int16), RATE).any()


def test_resampling_keeps_length_and_loudness() -> None:
    up = resample(tone(8000), 8000, 16000)
    assert len(up) == 2 * RATE
    assert level_db(up) == pytest.approx(level_db(tone(8000)), abs=0.1)
    assert resample(up, 16000, 16000) is up
    back = resample(up, 16000, 8000)
    assert np.corrcoef(back[200:-200], tone(8000)[200:-200])[0, 1] > 0.999
