"""Unit: a voice that is spoken now, over prompts or alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.audio.frames import to_pcm, to_samples
from voicebot.audio.live_voice import BEGIN_MS, MOST_MS, LiveVoice, mixed
from voicebot.audio.playout import Playout, PromptFinished, PromptStarted

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = 320


def level(value: int, frames: int = 1) -> bytes:
    return to_pcm(np.full(160 * frames, value, dtype=np.int16))


def test_a_voice_begins_once_some_is_there_and_again_after_a_gap() -> None:
    voice = LiveVoice(RATE)
    voice.feed(level(5, 2))
    assert voice.next_frame() is None
    voice.feed(level(5, 1))
    assert [voice.next_frame() is not None for _ in range(5)] == [True, True, True, False, False]
    assert voice.gaps == 1
    voice.feed(level(5, BEGIN_MS // 20))
    assert voice.next_frame() == level(5)


@given(st.lists(st.binary(max_size=3000), max_size=30))
def test_whatever_comes_the_delay_stays_small_and_frames_whole(pieces: list[bytes]) -> None:
    voice = LiveVoice(RATE)
    for piece in pieces:
        voice.feed(piece)
    left = [frame for frame in (voice.next_frame() for _ in range(100)) if frame is not None]
    assert len(left) <= MOST_MS // 20 and all(len(frame) == FRAME for frame in left)


def test_a_voice_is_heard_over_a_prompt_whose_marks_come_all_the_same() -> None:
    playout, voice = Playout(RATE), LiveVoice(RATE)
    playout.add(1, to_samples(level(1000, 6)))
    playout.close(1)
    assert playout.next_frame() == level(1000)
    playout.join(voice)
    voice.feed(level(500, 4))
    assert [playout.next_frame() for _ in range(2)] == [level(1500)] * 2
    playout.leave(voice)
    assert [playout.next_frame() for _ in range(4)] == [level(1000)] * 3 + [None]
    assert playout.events == [PromptStarted(1), PromptFinished(1)]


def test_a_held_prompt_is_silent_while_somebody_speaks() -> None:
    playout, voice = Playout(RATE), LiveVoice(RATE)
    playout.add(1, to_samples(level(1000, 50)))
    playout.clear()
    playout.join(voice)
    voice.feed(level(500, 5))
    assert playout.next_frame() == level(500)


def test_what_gets_too_loud_is_clipped() -> None:
    assert mixed([level(30000), level(30000), None]) == level(32767)
    assert mixed([None, None]) is None
