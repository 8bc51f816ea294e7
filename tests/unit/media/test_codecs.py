"""Unit: payloads of many calls to PCM and back."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.errors import UserError
from voicebot.media.codecs import open_codec

pytestmark = pytest.mark.unit

NAMES = ["ulaw", "alaw", "slin", "g722"]


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_has_one_row_a_call_and_silence_is_silent(name: str) -> None:
    codec = open_codec(name)
    quiet = np.frombuffer(codec.silence, dtype=np.uint8).reshape(1, -1)
    assert quiet.shape == (1, codec.payload_bytes)
    frames = codec.decode(np.repeat(quiet, 3, axis=0))
    assert frames.shape == (3, codec.sample_rate // 50)
    assert np.abs(frames).max() <= 8
    frames[1] = 7  # concealment is written into it
    assert codec.encode(frames).shape == (3, codec.payload_bytes)


def test_slin_is_big_endian_on_the_wire_and_loses_nothing() -> None:
    codec = open_codec("slin")
    samples = np.arange(-160, 160, dtype=np.int16).reshape(2, 160) * 200
    payloads = codec.encode(samples)
    assert payloads[0].tobytes() == samples[0].astype(">i2").tobytes()
    strided = np.hstack([np.zeros((2, 12), dtype=np.uint8), payloads])[:, 12:]  # as it lies behind headers
    assert np.array_equal(codec.decode(strided), samples)


def test_only_a_codec_with_a_memory_is_made_for_each_call() -> None:
    assert open_codec("ulaw") is open_codec("ulaw")
    assert open_codec("g722") is not open_codec("g722")
    with pytest.raises(UserError, match="codec gsm does not exist"):
        open_codec("gsm")
