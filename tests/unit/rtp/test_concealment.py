"""Unit: packet loss concealment."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.rtp.concealment import CONCEALED_FRAMES, conceal

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = 160


def voice(pitch: float, samples: int) -> np.ndarray:
    time = np.arange(samples) / RATE
    return sum(3000 / number * np.sin(2 * np.pi * number * pitch * time) for number in range(1, 6)).astype(
        np.int16
    )


@pytest.mark.parametrize("pitch", [80, 100, 125, 160, 190])
def test_a_voice_goes_on_at_its_pitch(pitch: int) -> None:
    """Its first 10 ms are what would have come, were the speaker a machine."""
    truth = voice(pitch, 3 * FRAME)
    made_up = conceal(truth[: 2 * FRAME], 0, RATE)
    half = FRAME // 2
    assert np.corrcoef(made_up[:half], truth[2 * FRAME : 2 * FRAME + half])[0, 1] > 0.9


def test_it_fades_to_silence_within_60_ms() -> None:
    history = voice(110, 2 * FRAME)
    frames = [conceal(history, lost, RATE).astype(float) for lost in range(CONCEALED_FRAMES + 1)]
    loudness = [float(np.sqrt(np.mean(frame**2))) for frame in frames]
    assert loudness == sorted(loudness, reverse=True)
    assert loudness[-1] == 0.0
    assert abs(frames[CONCEALED_FRAMES - 1][-1]) < 60


def test_nothing_is_made_of_nothing() -> None:
    assert not conceal(np.zeros(2 * FRAME, dtype=np.int16), 0, RATE).any()
    assert conceal(np.zeros(0, dtype=np.int16), 0, RATE).shape == (FRAME,)
    assert conceal(voice(100, 1280), 1, 16000).shape == (320,)
