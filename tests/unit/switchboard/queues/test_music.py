"""Category: unit. Music without a silence, and words in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.levels import level_db
from voicebot.audio.playout import Playout, PromptFinished, PromptStarted
from voicebot.errors import UserError
from voicebot.softphone.hearing import AUDIBLE_DBFS
from voicebot.switchboard.hold_sound import HoldSound
from voicebot.switchboard.queues.music import melody, music_of

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = RATE // 50


def test_our_melody_is_never_silent_and_never_loud() -> None:
    twice = np.concatenate([melody(RATE), melody(RATE)])
    levels = [level_db(twice[at : at + FRAME]) for at in range(0, len(twice) - FRAME, FRAME)]
    assert min(levels) > AUDIBLE_DBFS
    assert max(levels) < -15


def test_music_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"queues\.x\.music"):
        music_of("empty", tmp_path, RATE, "queues.x.music")
    with pytest.raises(UserError):
        music_of("none.wav", tmp_path, RATE)


def play(playout: Playout, sound: HoldSound, frames: int) -> list[bytes | None]:
    """Let time pass as the media tick does."""
    played = []
    for _ in range(frames):
        played.append(playout.next_frame())
        events, playout.events = playout.events, []
        for event in events:
            if isinstance(event, PromptStarted):
                sound.prompt_started(event.prompt_id)
            elif isinstance(event, PromptFinished):
                sound.prompt_finished(event.prompt_id)
    return played


async def test_music_goes_on_and_on_and_around_words() -> None:
    playout = Playout(RATE)
    sound = HoldSound(playout, RATE)
    music = np.arange(RATE * 10, dtype=np.int16) % 1000 + 1000
    sound.start(music)
    assert None not in play(playout, sound, 2000)
    words = np.full(RATE, 5000, dtype=np.int16)
    heard = sound.say(words)
    said = play(playout, sound, 60)
    assert None not in said
    assert heard.done()
    assert b"".join(each or b"" for each in said).count(words[:FRAME].tobytes()) >= 49
    assert None not in play(playout, sound, 600)
    sound.stop()
    assert play(playout, sound, 3)[1:] == [None, None]


async def test_music_goes_on_where_words_had_cut_it() -> None:
    playout = Playout(RATE)
    sound = HoldSound(playout, RATE)
    music = np.arange(RATE * 4, dtype=np.int16)
    sound.start(music)
    play(playout, sound, 50)  # one second
    sound.say(np.full(FRAME, 9, dtype=np.int16))
    after = play(playout, sound, 5)[-1]
    assert after is not None
    assert abs(int(np.frombuffer(after, "<i2")[-1]) - RATE) < 5 * FRAME


async def test_words_that_are_cut_short_are_never_heard_to_the_end() -> None:
    playout = Playout(RATE)
    sound = HoldSound(playout, RATE)
    first = sound.say(np.full(RATE, 9, dtype=np.int16))
    sound.say(np.full(RATE, 9, dtype=np.int16))
    assert first.cancelled()
