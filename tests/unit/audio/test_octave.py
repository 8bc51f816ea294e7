"""Unit: half and twice the sample rate, as the audio goes by."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio.octave import TAPS, Doubling, Halving

pytestmark = pytest.mark.unit


def sine(hz: float, rate: int, ms: int = 400) -> np.ndarray:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(rate * ms // 1000) / rate)).astype(np.int16)


def level(samples: np.ndarray) -> float:
    """Of the middle, without the edges of the filter."""
    middle = samples[len(samples) // 4 : -len(samples) // 4].astype(float)
    return float(np.sqrt(np.mean(middle**2)) / (8000 / np.sqrt(2)))


def in_frames(push: object, samples: np.ndarray, size: int) -> np.ndarray:
    return np.concatenate([push(samples[at : at + size]) for at in range(0, len(samples), size)])


@pytest.mark.parametrize(
    ("hz", "least", "most"), [(300, 0.99, 1.01), (3000, 0.97, 1.03), (4700, 0, 0.01), (7000, 0, 0.01)]
)
def test_halving_keeps_speech_and_lets_nothing_above_fold_into_it(
    hz: float, least: float, most: float
) -> None:
    halved = in_frames(Halving().push, sine(hz, 16000), 320)
    assert len(halved) == 400 * 8
    assert least <= level(halved) <= most


@pytest.mark.parametrize("hz", [300, 3000])
def test_doubling_keeps_a_tone_and_adds_none(hz: float) -> None:
    doubled = in_frames(Doubling().push, sine(hz, 8000), 160)
    assert len(doubled) == 400 * 16
    assert level(doubled) == pytest.approx(1, abs=0.03)
    spectrum = np.abs(np.fft.rfft(doubled[1600:4800] * np.hanning(3200)))
    loudest = spectrum.argmax()
    assert loudest * 16000 / 3200 == pytest.approx(hz, abs=5)
    spectrum[loudest - 4 : loudest + 5] = 0
    assert spectrum.max() < 0.002 * 8000 * 800, "no image of it above 4 kHz"


def test_pieces_give_what_the_whole_gives_two_milliseconds_late() -> None:
    speech = np.random.default_rng(1).integers(-9000, 9000, 3200).astype(np.int16)
    assert np.array_equal(in_frames(Halving().push, speech, 320), Halving().push(speech))
    click = np.zeros(320, dtype=np.int16)
    click[0] = 30000
    late = int(np.abs(Doubling().push(Halving().push(click))).argmax())
    assert late == TAPS - 1, "of both ways together, in samples at 16 kHz"
