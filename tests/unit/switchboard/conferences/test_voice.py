"""Category: unit. The voice of a room: one thing after another, music between; a bot is let finish."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.frames import to_samples
from voicebot.audio.playout import Playout, PromptFinished
from voicebot.errors import SpeechUnavailable
from voicebot.media.port import HeardFrame
from voicebot.speech.tts import Samples
from voicebot.speech.tts import Voice as SpeakingVoice
from voicebot.switchboard.conferences import sounds as sounds
from voicebot.switchboard.conferences.voice import Voice

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = HeardFrame(bytes(320), False, -96.0, True, 0.0)
WORDS = {"hello": 1000, "goodbye": 2000, "sorry": 3000}


def level(what: str, ms: int = 60) -> Samples:
    """Words are a constant level each, so that one sees what is played."""
    return np.full(RATE * ms // 1000, WORDS[what], dtype=np.int16)


class Speech:
    """A voice and a library; `broken`: it cannot speak."""

    broken = False

    def cached(self, text: str, voice: SpeakingVoice, sample_rate: int) -> Samples | None:
        return level(text) if text == "hello" else None

    async def speak(self, text: str, voice: SpeakingVoice, sample_rate: int) -> AsyncIterator[Samples]:
        if self.broken:
            raise SpeechUnavailable("no voice")
        yield level(text, 40)
        await asyncio.sleep(0)
        yield level(text, 20)

    def load(self, path: Path, sample_rate: int) -> Samples:
        raise NotImplementedError

    def fallback(self, language: str, sample_rate: int) -> Samples:
        return level("sorry")


class Table:
    """A voice at a playout that is ticked by hand. `heard`: the highest sample of each frame."""

    def __init__(self) -> None:
        self.speech = Speech()
        self.playout = Playout(RATE)
        self.bot_speaks = False
        self.voice = Voice(
            self.playout,
            RATE,
            self.speech,
            self.speech,
            SpeakingVoice,
            may_speak=lambda: not self.bot_speaks,
        )
        self.heard: list[int] = []

    async def ticks(self, count: int) -> None:
        for _ in range(count):
            frame = self.playout.next_frame()
            self.heard.append(int(np.abs(to_samples(frame)).max()) if frame else 0)
            events, self.playout.events = self.playout.events, []
            for event in events:
                if isinstance(event, PromptFinished):
                    self.voice.prompt_finished(event.prompt_id, 0.0)
            self.voice.heard(FRAME)
            for _ in range(5):
                await asyncio.sleep(0)


async def test_what_is_said_at_once_is_heard_one_after_another_and_awaited() -> None:
    table = Table()
    first = asyncio.create_task(table.voice.say("hello", "en-US"))
    second = asyncio.create_task(table.voice.say("goodbye", "en-US"))
    await table.ticks(3)
    assert not second.done()
    await table.ticks(6)
    await asyncio.gather(first, second)
    assert [level for level in table.heard if level] == [1000] * 3 + [2000] * 3


async def test_music_gives_way_to_words_comes_back_and_repeats() -> None:
    table = Table()
    table.voice.play_music(np.full(RATE * 3 // 2, 500, dtype=np.int16))
    await table.ticks(200)  # longer than the piece
    assert set(table.heard[2:]) == {500}
    saying = asyncio.create_task(table.voice.say("hello", "en-US"))
    await asyncio.sleep(0)
    table.heard.clear()
    await table.ticks(12)
    assert saying.done()
    assert [level for level in table.heard if level > 500] == [1000] * 3
    assert table.heard[-1] == 500
    table.voice.play_music(None)
    table.heard.clear()
    await table.ticks(4)
    assert table.heard[-2:] == [0, 0]


async def test_a_bot_that_speaks_is_let_finish_first() -> None:
    table = Table()
    table.bot_speaks = True
    saying = asyncio.create_task(table.voice.sound(level("goodbye")))
    await table.ticks(5)
    assert not any(table.heard)
    table.bot_speaks = False
    await table.ticks(6)
    assert saying.done()
    assert table.heard.count(2000) == 3


async def test_a_voice_that_fails_says_sorry_and_the_next_words_are_heard() -> None:
    table = Table()
    table.speech.broken = True
    saying = asyncio.create_task(table.voice.say("goodbye", "en-US"))
    await table.ticks(8)
    assert saying.done()
    saying = asyncio.create_task(table.voice.say("hello", "en-US"))
    await table.ticks(8)
    assert saying.done()
    assert [level for level in table.heard if level] == [3000] * 3 + [1000] * 3


async def test_who_gives_up_waiting_for_a_word_does_not_stop_those_behind() -> None:
    table = Table()
    table.bot_speaks = True
    first = asyncio.create_task(table.voice.say("goodbye", "en-US"))
    await table.ticks(2)
    first.cancel()
    second = asyncio.create_task(table.voice.say("hello", "en-US"))
    table.bot_speaks = False
    await table.ticks(10)
    assert second.done()
    assert [level for level in table.heard if level] == [1000] * 3


def test_the_melody_has_no_seam_and_tones_do_not_click() -> None:
    melody = sounds.melody(RATE).astype(int)
    steps = np.abs(np.diff(np.append(melody, melody[0])))
    assert steps[-1] <= steps.max()
    assert 300 < np.abs(melody).max() < 8000
    tones = sounds.tones(sounds.COMES, 16000)
    assert abs(int(tones[0])) < 50 and abs(int(tones[-1])) < 50
