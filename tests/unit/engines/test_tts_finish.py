"""Unit: what becomes of an engine's samples on their way to a caller."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio.levels import PROMPT_DB, active_level_db
from voicebot.engines.tts_finish import LEAD_MS, TAIL_MS, finish, trim
from voicebot.speech.tts import AudioChunk, Samples

pytestmark = pytest.mark.unit


def tone(ms: int, rate: int, amplitude: int = 3000) -> Samples:
    return (np.sin(np.arange(rate * ms // 1000) * 0.3) * amplitude).astype(np.int16)


def quiet(ms: int, rate: int) -> Samples:
    return np.zeros(rate * ms // 1000, np.int16)


@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_silence_around_a_sentence_goes_but_not_within(rate: int) -> None:
    said = [quiet(300, rate), tone(400, rate), quiet(500, rate), tone(400, rate), quiet(700, rate)]
    kept = trim(np.concatenate(said), rate)
    assert len(kept) * 1000 / rate == pytest.approx(1300 + LEAD_MS + TAIL_MS, abs=12)


@pytest.mark.parametrize("amplitude", [200, 3000, 32000])
def test_loud_and_soft_engines_end_up_equally_loud(amplitude: int) -> None:
    chunks = [AudioChunk(tone(500, 22050, amplitude), 22050)] * 2
    said = finish(chunks, 8000)
    assert active_level_db(said, 8000) == pytest.approx(PROMPT_DB, abs=0.5)
    assert len(said) / 8 == pytest.approx(1000, abs=12)


def test_the_pause_after_a_sentence_is_silence() -> None:
    said = finish([AudioChunk(tone(300, 16000), 16000)], 8000, pause_ms=250)
    assert not said[-2000:].any()
    assert said[:-2000].any()


@pytest.mark.parametrize("samples", [quiet(0, 8000), quiet(1, 8000), quiet(900, 8000)])
def test_an_engine_that_says_nothing_is_no_fault(samples: Samples) -> None:
    assert len(finish([AudioChunk(samples, 8000)], 16000, pause_ms=250)) == 0
    assert len(finish([], 8000)) == 0
