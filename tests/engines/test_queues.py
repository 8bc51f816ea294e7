"""Engines: what callers who wait and agents who are asked hear by the real voice, by a recogniser's ear."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.contract.phones import Phones, QueueBot, longest_silence
from tests.engines.test_stt import hear
from tests.simulator.pbx import SimulatedPbx
from voicebot.app.speech import SpeechEngines
from voicebot.audio.frames import Samples
from voicebot.audio.g711 import decode
from voicebot.config import Config, Route
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner
from voicebot.speech.stt import Expectation

pytestmark = pytest.mark.engines

SOON_S = 15.0


class SpeakingBot(QueueBot):
    """With the engines of its configuration, not a script."""

    def _make_speech(  # type: ignore[override]
        self, config: Config, languages: Callable[[Route], Sequence[str]]
    ) -> SpeechEngines:
        return SpeechEngines(config, languages)


def heard_by(call: SoftphoneCall, since: float, until: float) -> Samples:
    frames = [frame.payload for frame in call.received if since <= frame.at <= until]
    return decode(np.frombuffer(b"".join(frames), np.uint8))


async def test_the_whisper_says_who_calls_and_why_and_the_caller_is_told_their_place(tmp_path: Path) -> None:
    async with SimulatedPbx() as pbx, Phones(pbx, anna=Manner(ring_s=7)) as phones:
        engines = {
            "stt": {"english": {"engine": "whisper", "workers": 1}},
            "tts": {"english": {"engine": "piper", "workers": 1}},
        }
        queue = {"announce_s": 30, "ring_s": 20}
        async with SpeakingBot(pbx, tmp_path, phones, "anna", queue=queue, **engines) as bot:
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.press("3")
            began = time.monotonic()
            anna = await phones.taken("anna", SOON_S)
            told = time.monotonic()
            await anna.bot_speaks(SOON_S, since=0.0)
            await anna.bot_quiet(1200, SOON_S)
            whispered = time.monotonic()
            await anna.press("1")
            await bot.agent_is("anna", "talking")
            joined = time.monotonic()
            await caller.hang_up()
            await bot.record()
    whisper = hear("whisper", heard_by(anna, told, whispered), Expectation(open=True)).text
    assert {"drill", "press", "accept"} <= set(whisper.replace(".", " ").replace(",", " ").split())
    announced = hear("whisper", heard_by(caller, began, told), Expectation(open=True)).text
    assert "hold the line" in announced
    assert "you are next" in announced
    assert longest_silence(caller, began + 0.5, joined) < 1.0
