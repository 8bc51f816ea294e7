"""Unit: wav files in and out. Files are made here, byte by byte."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio import g711
from voicebot.audio.wav import StereoWriter, parse_wav, read_wav, serialize_wav
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

SAMPLES = (8000 * np.sin(np.arange(400) / 5)).astype(np.int16)


def riff(kind: int, bits: int, data: bytes, channels: int = 1, extra: bytes = b"") -> bytes:
    block = channels * bits // 8
    layout = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * block, block, bits) + extra
    chunks = b"LIST" + struct.pack("<I", 3) + b"abc\0" + b"fmt " + struct.pack("<I", len(layout)) + layout
    chunks += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


def test_pcm_survives_a_round_trip_and_others_can_read_it() -> None:
    data = serialize_wav(SAMPLES, 16000)
    wav = parse_wav(data)
    assert wav.sample_rate == 16000
    assert np.array_equal(wav.samples, SAMPLES)
    with wave.open(io.BytesIO(data)) as other:
        assert (other.getframerate(), other.getnchannels(), other.getnframes()) == (16000, 1, 400)


def test_eight_bits_mu_law_a_law_and_extensible_headers_are_read() -> None:
    eight = parse_wav(riff(1, 8, ((SAMPLES >> 8) + 128).astype(np.uint8).tobytes()))
    assert np.array_equal(eight.samples, SAMPLES >> 8 << 8)
    for kind, law in ((7, "ulaw"), (6, "alaw")):
        codes = g711.encode(SAMPLES, law)
        assert np.array_equal(parse_wav(riff(kind, 8, codes.tobytes())).samples, g711.decode(codes, law))
    extension = struct.pack("<HHIH", 22, 16, 0, 1) + bytes(14)
    assert np.array_equal(parse_wav(riff(0xFFFE, 16, SAMPLES.tobytes(), extra=extension)).samples, SAMPLES)


def test_channels_are_mixed() -> None:
    both = np.stack([SAMPLES, np.zeros_like(SAMPLES)], axis=1)
    mixed = parse_wav(riff(1, 16, both.tobytes(), channels=2)).samples
    assert np.array_equal(mixed, (SAMPLES / 2).astype(np.int16))


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"ID3 not at all", "not a wav file"),
        (riff(1, 24, bytes(30)), "24 bits"),
        (riff(85, 16, bytes(30)), "format 85"),
        (riff(1, 16, b"")[:30], "broken|no audio"),
        (b"RIFF\0\0\0\0WAVE", "no audio"),
    ],
)
def test_what_cannot_be_read_is_named_with_a_remedy(data: bytes, what: str) -> None:
    with pytest.raises(UserError, match=what) as caught:
        parse_wav(data, "prompt.wav")
    assert caught.value.problems[0].source == "prompt.wav"
    assert caught.value.problems[0].remedy


def test_a_missing_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        read_wav(tmp_path / "nothing.wav")


def test_a_recording_is_readable_before_it_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "call.wav"
    left, right = np.full(160, 100, dtype="<i2"), np.full(160, -200, dtype="<i2")
    with StereoWriter(path, 8000) as writer:
        for _ in range(60):
            writer.add(left.tobytes(), right.tobytes())
        with wave.open(str(path)) as early:
            assert early.getnframes() == 50 * 160  # all but the last second at most
    with wave.open(str(path)) as whole:
        assert (whole.getnchannels(), whole.getnframes()) == (2, 60 * 160)
        frames = np.frombuffer(whole.readframes(1), dtype="<i2")
    assert frames.tolist() == [100, -200]
