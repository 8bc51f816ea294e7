"""unit: prompts to playout, and what the caller heard of them. The event loop runs, no time passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.playout import Playout, PromptFinished, PromptStarted
from voicebot.call.speaking import Speaking
from voicebot.dialog.turns import SpokenAudio, SpokenPause, SpokenText
from voicebot.errors import SpeechUnavailable, UserError
from voicebot.speech.tts import Samples, Voice

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = 160
SECOND = np.full(RATE, 1000, dtype=np.int16)


class FakeTts:
    """Has "cached" ready; speaks everything else a second a sentence, when the test lets it."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.broken: Exception | None = None

    def cached(self, text: str, voice: Voice, sample_rate: int) -> Samples | None:
        return SECOND if text == "cached words here now" else None

    async def speak(self, text: str, voice: Voice, sample_rate: int) -> AsyncIterator[Samples]:
        await self.gate.wait()
        if self.broken:
            raise self.broken
        yield SECOND


class FakeLibrary:
    def load(self, path: Path, sample_rate: int) -> Samples:
        if path.name == "gone.wav":
            raise UserError("gone")
        return SECOND

    def fallback(self, language: str, sample_rate: int) -> Samples:
        return SECOND[:FRAME]


class Mouth:
    """A `Speaking` whose media tick the test turns by hand."""

    def __init__(self) -> None:
        self.tts = FakeTts()
        self.playout = Playout(RATE)
        self.began: list[bool] = []
        self.done = 0
        self.faults: list[str] = []
        self.speaking = Speaking(
            tts=self.tts,
            library=FakeLibrary(),
            playout=self.playout,
            sample_rate=RATE,
            voice=Voice,
            on_began=self.began.append,
            on_done=self._done,
            on_fault=self.faults.append,
        )

    def _done(self) -> None:
        self.done += 1

    def tick(self, times: int = 1) -> bytes | None:
        frame = None
        for _ in range(times):
            frame = self.playout.next_frame()
            events, self.playout.events = self.playout.events, []
            for event in events:
                tell: Callable[[int, float], None] = {
                    PromptStarted: self.speaking.prompt_started,
                    PromptFinished: self.speaking.prompt_finished,
                }[type(event)]
                tell(event.prompt_id, 1.0)
        return frame


def text(words: str, **changes: bool) -> SpokenText:
    return SpokenText(words, "en", **changes)


async def settle() -> None:
    """Let every task that can run do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_cached_prompt_is_audible_at_the_very_next_tick() -> None:
    mouth = Mouth()
    mouth.speaking.say([text("cached words here now")])
    assert mouth.tick() is not None
    assert mouth.began == [True]
    mouth.tick(49)
    assert mouth.done == 1


async def test_prompts_follow_in_order_though_the_second_was_ready_first() -> None:
    mouth = Mouth()
    mouth.speaking.say([text("slow"), text("cached words here now", bargein=False)])
    assert mouth.tick() is None
    mouth.tts.gate.set()
    await settle()
    mouth.tick(50)
    assert (mouth.began, mouth.done) == ([True], 0)
    mouth.tick(50)
    assert (mouth.began, mouth.done) == ([True, False], 1)


async def test_what_the_caller_heard_is_cut_at_the_word() -> None:
    mouth = Mouth()
    mouth.speaking.say([text("cached words here now"), SpokenPause(100), text("cached words here now")])
    mouth.tick(25)
    assert mouth.speaking.stop().text == "cached words"
    assert mouth.tick(3) is None
    assert mouth.done == 0


@pytest.mark.parametrize("error", [SpeechUnavailable("it broke"), KeyError("it broke")])
async def test_an_engine_that_fails_is_replaced_by_a_canned_prompt(error: Exception) -> None:
    mouth = Mouth()
    mouth.tts.broken = error
    mouth.tts.gate.set()
    mouth.speaking.say([text("anything")])
    await settle()
    mouth.tick()
    assert mouth.done == 1
    assert len(mouth.faults) == 1
    assert "it broke" in mouth.faults[0]


async def test_a_lost_wav_prompt_is_replaced_too() -> None:
    mouth = Mouth()
    mouth.speaking.say([SpokenAudio("/x/gone.wav", "Hello.")])
    mouth.tick()
    assert mouth.done == 1
    assert mouth.faults


async def test_what_is_synthesised_after_an_interruption_is_never_heard() -> None:
    mouth = Mouth()
    mouth.speaking.say([text("slow")])
    mouth.speaking.stop()
    mouth.tts.gate.set()
    await settle()
    assert mouth.tick(5) is None


async def test_a_held_prompt_goes_on_a_little_earlier() -> None:
    mouth = Mouth()
    mouth.speaking.say([text("cached words here now")])
    mouth.tick(20)
    mouth.speaking.hold()
    mouth.tick(5)
    assert mouth.tick() is None
    mouth.speaking.resume(200)
    mouth.tick(39)
    assert mouth.done == 0
    mouth.tick(1)
    assert mouth.done == 1
