"""Engines: what callers who wait and agents who are asked hear by the real voice, by a recogniser's ear."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.contract.phones import Phones, QueueBot, longest_silence
from tests.contract.talk import DATA
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


PLACES = tuple(f"고객 님의 대기 순서는 {place} 번 입니다" for place in ("삼", "사", "오"))
SUMMARIES = ("예약 안내", "환불 안내", "상담원 안내", "병원 안내")
GAP_S = 0.2


def sentences(samples: Samples) -> list[Samples]:
    """Return what was said between pauses, with 0.3 s of silence before and after."""
    edge = np.zeros(2400, np.int16)
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 250)
    parts = np.split(loud, np.flatnonzero(np.diff(loud) > GAP_S * 8000) + 1)
    return [np.concatenate([edge, samples[part[0] : part[-1] + 1], edge]) for part in parts]


def best_in_korean(samples: Samples, phrases: tuple[str, ...]) -> str:
    """Return which of the phrases is in the sound most surely, in whichever of its sentences."""
    fits = {
        phrase: max(
            hear("vosk", each, Expectation("ko-KR", phrases=(phrase,)), 8000).confidence
            for each in sentences(samples)
        )
        for phrase in phrases
    }
    return max(fits, key=fits.__getitem__)


async def test_in_korean_the_place_and_the_summary_are_heard(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.wav"
    with wave.open(str(quiet), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(64_000))
    async with (
        SimulatedPbx() as pbx,
        Phones(pbx, anna=Manner(ring_s=None)) as phones,
        SpeakingBot(
            pbx,
            tmp_path,
            phones,
            "anna",
            queue={"announce_s": 30, "ring_s": 60, "music": str(quiet)},
            route={"dialog": str(DATA / "dialogs" / "queue_ko.yaml"), "stt": "korean", "tts": "korean"},
            stt={"korean": {"engine": "vosk", "workers": 1}},
            tts={"korean": {"engine": "pyttsx3", "workers": 1, "voice": "ko+f5", "rate": 170}},
        ) as bot,
    ):
        callers = []
        for _ in range(3):
            callers.append(await pbx.dial("600"))
            await callers[-1].bot_speaks(SOON_S, since=0.0)
            await callers[-1].bot_quiet(300, SOON_S)
            await callers[-1].press("3")
            await bot.waiting(len(callers))
        began = time.monotonic()
        await callers[2].bot_speaks(SOON_S)
        await callers[2].bot_quiet(2000, SOON_S)
        announced = heard_by(callers[2], began, time.monotonic())
        phones.manners["anna"] = Manner(ring_s=0.2)
        await callers[0].hang_up()  # so the next one is offered, and the telephone is answered
        anna = await phones.taken("anna", SOON_S)
        await anna.bot_speaks(SOON_S, since=0.0)
        await anna.bot_quiet(1200, SOON_S)
        whispered = heard_by(anna, 0.0, time.monotonic())
        for each in (anna, *callers[1:]):
            await each.hang_up()
    assert best_in_korean(announced, PLACES) == PLACES[0]
    assert best_in_korean(whispered, SUMMARIES) == SUMMARIES[0]
