"""unit: engines that were started are stopped, however the start ends."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from voicebot.app import speech
from voicebot.config import Config

pytestmark = pytest.mark.unit


class Engine:
    """Starts when `gate` opens."""

    def __init__(self, gate: asyncio.Event) -> None:
        self._gate = gate
        self.running = False

    def fallback_prompt(self, language: str, sample_rate: int) -> Any:
        raise NotImplementedError

    async def start(self) -> None:
        await self._gate.wait()
        self.running = True

    async def stop(self) -> None:
        self.running = False


async def test_an_interrupted_start_leaves_no_engine_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, closed = asyncio.Event(), asyncio.Event()
    opened.set()
    quick, slow = Engine(opened), Engine(closed)
    monkeypatch.setattr(speech, "build_stt", lambda *_: quick)
    monkeypatch.setattr(speech, "build_tts", lambda *_, **__: slow)
    config = Config.model_validate({"routes": [{"number": "1", "dialog": "d.yaml"}], "base": tmp_path})
    engines = speech.SpeechEngines(config, lambda route: ["en-US"])
    starting = asyncio.create_task(engines.__aenter__())
    for _ in range(5):
        await asyncio.sleep(0)
    assert quick.running
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not quick.running


@pytest.mark.parametrize(("dialling", "built"), [(False, {"english"}), (True, {"english", "korean"})])
def test_where_calls_are_placed_all_engines_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dialling: bool, built: set[str]
) -> None:
    gate = asyncio.Event()
    monkeypatch.setattr(speech, "build_stt", lambda *_: Engine(gate))
    monkeypatch.setattr(speech, "build_tts", lambda *_, **__: Engine(gate))
    config = Config.model_validate(
        {
            "routes": [{"number": "1", "dialog": "d.yaml"}],
            "stt": {"english": {"engine": "whisper"}, "korean": {"engine": "vosk"}},
            "tts": {"english": {"engine": "espeak"}, "korean": {"engine": "espeak"}},
            "dialling": {"enabled": dialling},
            "base": tmp_path,
        }
    )
    engines = speech.SpeechEngines(config, lambda route: ["en-US"])
    assert {*engines._stt} == {*engines._tts} == built
