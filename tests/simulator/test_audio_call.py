"""Simulator: test conversations by sound, through real sockets and the real media path; scripted ears."""

from __future__ import annotations

from collections.abc import Awaitable
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.frames import Samples, to_samples
from voicebot.audio.levels import level_db
from voicebot.authoring.audio.call import AudioCall, Engines
from voicebot.authoring.audio.line import FRAME, PRESETS, RATE, Impairment
from voicebot.authoring.testing.load import parse_cases
from voicebot.authoring.testing.run import Result, Script, Stop
from voicebot.config import Config
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.engines.tts_recorded import RecordedPrompts
from voicebot.speech.stt import Expectation, SttStream, Transcript

pytestmark = pytest.mark.simulator

LENGTHS_MS = {"yes": 500, "no": 900, "four two seven one": 1600}
"""The lines of the caller are bursts of sound; the ear tells them apart by their length."""
VOICED_DB = -35.0

DIALOG = parse_dialog(
    """\
dialog: door
slots: {open: yes_no, code: {type: digits, length: 4}}
steps:
  ask: {ask: Shall I open?, fill: open, goto: {code: open, bye: not open}}
  code: {ask: Your code?, fill: code, confirm: unsure, failed: bye}
  check: {fetch: {post: "{env.DOOR}/open", json: {code: "{code}"}}, failed: bye}
  opened: {say: It is open., end: opened}
  bye: {say: Goodbye., end: refused}
"""
)


def burst(ms: int) -> Samples:
    at = np.arange(ms * RATE // 1000 // FRAME * FRAME)
    loud = 4000 * np.sin(2 * np.pi * (300 + 200 * np.sin(at / 900)) * at / RATE)
    sound: Samples = (loud * (0.6 + 0.4 * np.sin(at / 400))).astype(np.int16)
    return sound


class LevelVad:
    hangover_ms = 0

    def is_speech(self, frame: bytes, sample_rate: int) -> bool:
        return level_db(to_samples(frame)) > VOICED_DB


class Ear:
    """Hears a line by how long it is loud."""

    def __init__(self, sure: float) -> None:
        self._sure = sure

    def open_stream(
        self, call_id: str, expectation: Expectation, sample_rate: int, on_partial: object = None
    ) -> SttStream:
        return _Stream(self._sure)


class _Stream:
    def __init__(self, sure: float) -> None:
        self._pcm = bytearray()
        self._sure = sure

    def feed(self, pcm: bytes) -> None:
        self._pcm += pcm

    def guess(self) -> None:
        return

    def finish(self) -> Awaitable[Transcript]:
        return self._finish()

    async def _finish(self) -> Transcript:
        frames = to_samples(bytes(self._pcm[: len(self._pcm) // 320 * 320])).reshape(-1, FRAME)
        ms = 20 * sum(level_db(frame) > VOICED_DB for frame in frames)
        words = min(LENGTHS_MS, key=lambda line: abs(LENGTHS_MS[line] - ms))
        return Transcript(words if abs(LENGTHS_MS[words] - ms) < 150 else "", self._sure)

    def close(self) -> None:
        return


async def hold(
    talk: str, way: Impairment, outcome: str, lines: dict[str, int] = LENGTHS_MS, sure: float = 0.9
) -> Result:
    text = f"conversation: it\ntalk:\n{talk}outcome: {outcome}\n"
    (case,) = parse_cases(text, Path("door.test.yaml"))
    result = Result(case)
    script = Script(case, DIALOG, result)
    engines = Engines(
        config=Config(),
        stt=Ear(sure),
        vad=LevelVad,
        library=RecordedPrompts(lambda _language, rate: np.zeros(rate // 5, np.int16)),
        lines={words: burst(ms) for words, ms in lines.items()},
    )
    try:
        if await AudioCall(script, result, engines, way, 3).run():
            script.finish()
    except Stop:
        pass
    script.close()
    return result


OPENS = """\
- bot: Shall I open
- caller: "yes"
- silence
- bot: did not hear
- noise
- caller: four two seven one
- fetch: {post: /open, sent: {code: 4271}, reply: {}}
- bot: It is open
"""


@pytest.mark.parametrize("preset", ["clean", "mobile"])
async def test_a_conversation_goes_by_sound_as_it_does_by_text(preset: str) -> None:
    result = await hold(OPENS, PRESETS[preset], "opened")
    assert result.failures == []
    assert [(each.said, each.heard, each.rightly) for each in result.heard if each.said != "(noise)"] == [
        ("yes", "yes", True),
        ("four two seven one", "four two seven one", True),
    ]


async def test_keys_are_an_answer_and_the_caller_may_hang_up() -> None:
    talk = '- caller: "yes"\n- keys: 4271#\n- fetch: {fail: timeout}\n- bot: Goodbye\n'
    assert (await hold(talk, PRESETS["clean"], "refused")).failures == []
    assert (await hold('- caller: "yes"\n- hangup\n', PRESETS["clean"], "hangup")).failures == []


async def test_a_line_that_swallows_words_is_told_and_the_caller_says_them_again() -> None:
    dead = Impairment(loss=0.9, burst=40)
    result = await hold('- caller: "yes"\n- caller: four two seven one\n- hangup\n', dead, "hangup")
    assert not all(each.rightly for each in result.heard)
    assert len(result.heard) > 2


async def test_what_is_understood_otherwise_fails_the_test_and_is_named() -> None:
    result = await hold('- caller: "yes"\n- step: code\n', PRESETS["clean"], "opened", {"yes": 900})
    assert [failure.expected for failure in result.failures] == ["code", "opened"]
    (heard,) = result.heard
    assert (heard.said, heard.heard, heard.meaning, heard.rightly) == ("yes", "no", "match: no", False)


async def test_a_caller_who_is_asked_back_says_yes() -> None:
    talk = '- caller: "yes"\n- caller: four two seven one\n- fetch: {sent: {code: 4271}}\n'
    result = await hold(talk, PRESETS["clean"], "opened", sure=0.3)
    assert result.failures == []
    assert [line.text for line in result.talk if "asked back" in line.text] == [
        "yes  (to what is asked back)"
    ]
