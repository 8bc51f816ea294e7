"""Unit: G.711 for every value, against the decision values of the recommendation."""

from __future__ import annotations

import bisect
from itertools import pairwise

import numpy as np
import pytest

from voicebot.audio import g711

pytestmark = pytest.mark.unit

ALL_SAMPLES = np.arange(-32768, 32768).astype(np.int16)
ALL_CODES = np.arange(256, dtype=np.uint8)


def decision_values(law: g711.Law) -> list[int]:
    """x1 to x127: eight segments of sixteen intervals, in 14-bit (table 2a) or 13-bit (table 1a) steps."""
    values, value = [], 0
    for segment in range(8):
        for interval in range(16):
            if law == "ulaw":
                value += 1 if segment == interval == 0 else 2 << segment
            else:
                value += 2 << max(0, segment - 1)
            values.append(value)
    return values[:127]


def reference_ulaw(sample: int, values: list[int]) -> int:
    uniform = sample >> 2
    return (127 - bisect.bisect_right(values, abs(uniform))) | (0x80 if uniform >= 0 else 0)


def reference_alaw(sample: int, values: list[int]) -> int:
    uniform = sample >> 3
    magnitude = uniform if uniform >= 0 else -1 - uniform
    return (bisect.bisect_right(values, magnitude) | (0x80 if uniform >= 0 else 0)) ^ 0x55


@pytest.mark.parametrize(("law", "reference"), [("ulaw", reference_ulaw), ("alaw", reference_alaw)])
def test_every_sample_gets_the_code_of_its_interval(law: g711.Law, reference) -> None:
    values = decision_values(law)
    expected = [reference(int(sample), values) for sample in ALL_SAMPLES]
    assert g711.encode(ALL_SAMPLES, law).tolist() == expected


@pytest.mark.parametrize(("law", "shift"), [("ulaw", 2), ("alaw", 3)])
def test_every_code_decodes_to_the_middle_of_its_interval(law: g711.Law, shift: int) -> None:
    samples = g711.decode(ALL_CODES, law).astype(int) >> shift
    values = [0, *decision_values(law)]
    if law == "ulaw":
        values = [-1, *values[1:], 8159]  # the interval around zero; the virtual decision value
    else:
        values.append(4096)
    middles = [(low + high) // 2 for low, high in pairwise(values)]
    magnitudes = sorted({abs(int(sample)) for sample in samples})
    assert magnitudes == [middle for middle in middles if law == "alaw" or middle >= 0]


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_codes_survive_a_round_trip(law: g711.Law) -> None:
    again = g711.encode(g711.decode(ALL_CODES, law), law)
    # mu-law has two zeros; the negative one comes back as the positive.
    changed = ALL_CODES[again != ALL_CODES].tolist()
    assert changed == ([0x7F] if law == "ulaw" else [])


def test_a_batch_of_frames_keeps_its_shape_and_silence_is_silent() -> None:
    batch = np.zeros((3, 160), dtype=np.int16)
    codes = g711.encode(batch)
    assert codes.shape == (3, 160)
    assert set(codes.ravel().tolist()) == {g711.SILENCE["ulaw"]}
    assert g711.decode(codes).shape == (3, 160)
    assert not g711.decode(codes).any()
