"""Engines: what a supervisor has the bot say is said in the bot's own voice, by a recogniser's ear."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.contract.talk import DATA, Bot
from tests.engines.test_stt import hear
from tests.simulator.pbx import SimulatedPbx
from voicebot.app.speech import SpeechEngines
from voicebot.audio.g711 import decode
from voicebot.config import Config, Route
from voicebot.speech.stt import Expectation
from voicebot.switchboard.supervisors.supervisors import Supervisors

pytestmark = pytest.mark.engines

SOON_S = 15.0


class SpeakingBot(Bot):
    """With the engines of its configuration, not a script."""

    def _make_speech(  # type: ignore[override]
        self, config: Config, languages: Callable[[Route], Sequence[str]]
    ) -> SpeechEngines:
        return SpeechEngines(config, languages)


async def test_a_supervisor_whispers_to_the_bot_and_it_says_so_and_asks_again(tmp_path: Path) -> None:
    async with SimulatedPbx() as pbx:
        engines = {
            "stt": {"english": {"engine": "whisper", "workers": 1}},
            "tts": {"english": {"engine": "piper", "workers": 1}},
        }
        route = {"dialog": str(DATA / "dialogs" / "supervised.yaml")}
        async with SpeakingBot(pbx, tmp_path, route=route, **engines) as bot:
            supervisors = Supervisors(lambda: bot.gateway.calls)
            caller = await pbx.dial("600")
            await caller.bot_speaks(SOON_S, since=0.0)
            await caller.pause(0.5)
            (call,) = bot.gateway.calls
            began = time.monotonic()
            await supervisors.say(call.id, "My colleague will send you a letter tomorrow.", "anna")
            await caller.bot_quiet(1500, SOON_S)
            frames = [frame.payload for frame in caller.received if frame.at >= began]
            await caller.hang_up()
            await bot.record()
    words = hear("whisper", decode(np.frombuffer(b"".join(frames), np.uint8)), Expectation(open=True)).text
    assert "send you a letter tomorrow" in words
    assert "which day" in words and words.index("letter") < words.index("which day")
