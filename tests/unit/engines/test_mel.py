"""Unit: the features that Whisper hears."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.engines.mel import BANDS, HOP, RATE, filters, log_mel

pytestmark = pytest.mark.unit


def tone(hertz: float, seconds: float = 0.5) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE)).astype(np.float32)


def test_filters_are_area_normalised_triangles_on_slaneys_scale() -> None:
    bank = filters()
    assert bank.shape == (BANDS, 201)
    # The values of librosa's bank, with which the model was trained.
    assert bank[0, 1] == pytest.approx(0.0248625, abs=1e-6)
    assert bank.sum(axis=1)[40:] * 40 == pytest.approx(np.ones(40), rel=0.1)


@pytest.mark.parametrize(("hertz", "band"), [(250, 5), (1000, 25), (4000, 60)])
def test_a_tone_is_loudest_in_its_band(hertz: float, band: int) -> None:
    mel = log_mel(tone(hertz), 60)
    assert abs(int(mel[:, 20].argmax()) - band) <= 2


def test_short_audio_is_filled_and_long_audio_cut() -> None:
    assert log_mel(tone(500, 0.1), 1500).shape == (BANDS, 1500)
    assert log_mel(tone(500, 3.0), 100).shape == (BANDS, 100)
    quiet = log_mel(np.zeros(HOP * 10, np.float32), 10)
    assert np.ptp(quiet) == 0
