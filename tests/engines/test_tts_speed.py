"""Engines: how early the first audio comes, and what a prompt rendered ahead costs.

Print the figures with `pytest tests/engines/test_tts_speed.py -s`. The bounds are wide: they find a fault,
such as a prompt that is synthesised whole before it is heard, not a slow machine.
"""

from __future__ import annotations

import statistics
import time
from contextlib import aclosing
from pathlib import Path

import pytest

from voicebot.config import TtsConfig
from voicebot.engines.tts_service import TtsPool, build_tts
from voicebot.speech.tts import Voice

pytestmark = pytest.mark.engines

SHORT = "Thank you, goodbye."
LONG = (
    "You have an appointment on Tuesday, the fourth of May, at three in the afternoon. "
    "Will you be there? Please say yes or no. You can also move it to another day, or cancel it."
)
RUNS = 15


async def first_and_all_ms(tts: TtsPool, text: str) -> tuple[float, float]:
    firsts, wholes = [], []
    for _ in range(RUNS):
        asked = time.perf_counter()
        async with aclosing(tts.speak(text, Voice(), 8000)) as stream:
            await anext(stream)
            firsts.append(time.perf_counter() - asked)
            async for _samples in stream:
                pass
        wholes.append(time.perf_counter() - asked)
    return statistics.median(firsts) * 1000, statistics.median(wholes) * 1000


@pytest.mark.parametrize(("engine", "most_ms"), [("pyttsx3", 100), ("espeak", 60), ("piper", 600)])
async def test_the_first_audio_comes_early(engine: str, most_ms: float, tmp_path: Path) -> None:
    tts = build_tts(TtsConfig.model_validate({"engine": engine}), tmp_path, tmp_path)
    await tts.start()
    try:
        short, _ = await first_and_all_ms(tts, SHORT)
        first, whole = await first_and_all_ms(tts, LONG)
        await tts.render_ahead([(SHORT, Voice())], [8000])
        began = time.perf_counter()
        for _ in range(1000):
            assert tts.cached(SHORT, Voice(), 8000) is not None
        found_us = (time.perf_counter() - began) * 1000
    finally:
        await tts.stop()
    print(
        f"\n{engine}: short {short:.0f} ms, first of four sentences {first:.0f} ms, all {whole:.0f} ms,"
        f" cached {found_us:.1f} us"
    )
    assert short < most_ms
    assert first < most_ms
    assert first < 0.8 * whole
    assert found_us < 100
