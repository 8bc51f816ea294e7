"""Engines: both voice activity detectors on recorded callers, tones, noise and silence.

Print the figures with `pytest tests/engines/test_vad.py -s`.
"""

from __future__ import annotations

import importlib.util
import time
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.levels import normalise
from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.config import VadConfig
from voicebot.engines import silero_vad
from voicebot.engines.vads import build_vad
from voicebot.errors import UserError
from voicebot.speech.tts import Samples
from voicebot.speech.vad import Vad

pytestmark = pytest.mark.engines

DATA = Path(__file__).parents[1] / "data"
CORPUS = DATA / "corpus"
ENGINES = ("webrtcvad", "silero")
SILENCE_MS = 800


def caller(path: Path, rate: int) -> Samples:
    wav = read_wav(path)
    return normalise(resample(wav.samples, wav.sample_rate, rate), rate)


def judge(vad: Vad, samples: Samples, rate: int) -> list[bool]:
    size = rate // 50
    return [
        vad.is_speech(samples[at : at + size].tobytes(), rate)
        for at in range(0, len(samples) - size + 1, size)
    ]


def hiss(rate: int, ms: int, level_db: float, seed: int = 1) -> Samples:
    noise = np.random.default_rng(seed).normal(0, 32768 * 10 ** (level_db / 20), rate * ms // 1000)
    return np.clip(noise, -32768, 32767).astype(np.int16)


def voiced_span_ms(samples: Samples, rate: int) -> tuple[int, int]:
    """Where the caller's voice begins and ends, by its energy alone."""
    size = rate // 100
    windows = samples[: len(samples) // size * size].reshape(-1, size).astype(float)
    power = np.mean(windows**2, axis=1)
    loud = np.flatnonzero(power > power.max() * 1e-3)
    return int(loud[0]) * 10, int(loud[-1] + 1) * 10


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("engine", ENGINES)
def test_speech_is_found_from_its_onset_to_its_end(engine: str, rate: int) -> None:
    make = build_vad(VadConfig.model_validate({"engine": engine}))
    onsets, hangovers = [], []
    vad = make()
    for path in sorted(CORPUS.glob("*.wav"))[::4]:
        vad, speech = make(), caller(path, rate)
        begin, end = voiced_span_ms(speech, rate)
        quiet = hiss(rate, SILENCE_MS, -75)
        verdicts = np.flatnonzero(judge(vad, np.concatenate([quiet, speech, quiet]), rate))
        onsets.append((int(verdicts[0]) + 1) * 20 - SILENCE_MS - begin)
        hangovers.append((int(verdicts[-1]) + 1) * 20 - SILENCE_MS - end)
    early, median, late = np.percentile(hangovers, [10, 50, 90])
    figures = f"onset {np.median(onsets):.0f} ms, hangover {median:.0f} ({early:.0f} to {late:.0f}) ms"
    print(f"\n{engine} {rate} Hz: {figures}")
    assert np.median(onsets) <= 100
    assert abs(np.median(hangovers) - vad.hangover_ms) <= 50


@pytest.mark.parametrize(("engine", "most_us"), [("webrtcvad", 50), ("silero", 1000)])
def test_a_frame_costs_little(engine: str, most_us: float) -> None:
    vad = build_vad(VadConfig.model_validate({"engine": engine}))()
    speech = caller(DATA / "caller" / "thursday-at-three.wav", 8000)
    judge(vad, speech, 8000)
    began = time.perf_counter()
    verdicts = [verdict for _ in range(10) for verdict in judge(vad, speech, 8000)]
    took_us = (time.perf_counter() - began) / len(verdicts) * 1e6
    print(f"\n{engine}: {took_us:.1f} us a frame of 20 ms")
    assert took_us < most_us


@pytest.mark.parametrize("engine", ENGINES)
def test_silence_is_not_speech(engine: str) -> None:
    vad = build_vad(VadConfig.model_validate({"engine": engine}))()
    assert not any(judge(vad, np.zeros(16000, np.int16), 8000))


@pytest.mark.parametrize("sound", ["noise at 0 dB", "dial tone"])
def test_silero_is_deaf_to_noise_and_tones(sound: str) -> None:
    seconds = np.arange(16000) / 8000
    tones = (np.sin(2 * np.pi * 350 * seconds) + np.sin(2 * np.pi * 440 * seconds)) * 6000
    samples = hiss(8000, 2000, -20) if sound.startswith("noise") else tones.astype(np.int16)
    vad = build_vad(VadConfig(engine="silero"))()
    assert np.mean(judge(vad, samples, 8000)) < 0.05


def test_callers_of_one_process_do_not_hear_each_other() -> None:
    make = build_vad(VadConfig(engine="silero"))
    speech = caller(DATA / "caller" / "thursday-at-three.wav", 8000)
    alone = judge(make(), speech, 8000)
    one, other = make(), make()
    together = []
    for at in range(0, len(speech) - 159, 160):
        together.append(one.is_speech(speech[at : at + 160].tobytes(), 8000))
        assert not other.is_speech(bytes(320), 8000)
    assert together == alone


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("length", "rate"), [(318, 8000), (0, 8000), (320, 16000), (1764, 44100)])
def test_what_is_not_a_frame_is_refused(engine: str, length: int, rate: int) -> None:
    vad = build_vad(VadConfig.model_validate({"engine": engine}))()
    with pytest.raises(ValueError, match="not a 20 ms frame"):
        vad.is_speech(bytes(length), rate)


def test_a_missing_package_is_told_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    silero_vad._session.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"pip install 'voicebot\[silero\]'"):
        build_vad(VadConfig(engine="silero"))
