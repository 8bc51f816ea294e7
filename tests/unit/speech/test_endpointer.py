"""Unit: where utterances begin and end, on frames whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from voicebot.audio.frames import to_pcm
from voicebot.speech.endpointer import (
    Endpointer,
    PossibleEnd,
    SpeechEnded,
    SpeechEvent,
    SpeechResumed,
    SpeechStarted,
)
from voicebot.speech.tonality import is_tone

pytestmark = pytest.mark.unit

RATE = 8000
FRAME = 160
PAUSE_MS = 400
VOICE_DB = -20.0
NOISE_DB = -62.0
CHANCE = np.random.default_rng(1)


class Line:
    """Feeds an end-pointer and remembers what it said, by the number of the frame."""

    def __init__(self, **config: int) -> None:
        self.endpointer = Endpointer(RATE, **config)
        self.endpointer.configure(pause_ms=PAUSE_MS, longest_ms=3000)
        self.frames = 0
        self.events: list[tuple[int, SpeechEvent]] = []

    def feed(self, ms: int, speech: bool, level_db: float, sound: np.ndarray | None = None) -> None:
        for index in range(ms // 20):
            if sound is None:
                frame = (
                    CHANCE.normal(0, 32768 * 10 ** (level_db / 20), FRAME)
                    .clip(-32000, 32000)
                    .astype(np.int16)
                )
            else:
                frame = sound[index * FRAME : (index + 1) * FRAME]
            self.frames += 1
            self.events += [
                (self.frames, event) for event in self.endpointer.push(speech, level_db, to_pcm(frame))
            ]

    def speak(self, ms: int) -> None:
        self.feed(ms, True, VOICE_DB)

    def rest(self, ms: int) -> None:
        self.feed(ms, False, NOISE_DB)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for _, event in self.events]

    def only(self, kind: type) -> SpeechEvent:
        (found,) = [event for _, event in self.events if isinstance(event, kind)]
        return found

    def at(self, kind: type) -> int:
        (frame,) = [frame for frame, event in self.events if isinstance(event, kind)]
        return frame


def test_an_utterance_is_told_from_its_first_to_its_last_voiced_frame() -> None:
    line = Line(onset_ms=100, preroll_ms=300)
    line.rest(1000)
    line.speak(600)
    line.rest(1000)
    assert line.kinds() == ["SpeechStarted", "PossibleEnd", "SpeechEnded"]
    started, ended = line.only(SpeechStarted), line.only(SpeechEnded)
    assert line.at(SpeechStarted) == 50 + 5  # once 100 ms are voiced
    assert (started.position, started.age_ms) == (50 * FRAME, 100)
    assert len(started.preroll) == 2 * (300 + 100) * RATE // 1000
    assert (ended.position, ended.voiced_ms, ended.age_ms) == (80 * FRAME, 600, PAUSE_MS)
    assert line.at(PossibleEnd) == 80 + PAUSE_MS // 2 // 20
    assert line.at(SpeechEnded) == 80 + PAUSE_MS // 20


def test_the_pause_counts_from_the_last_loud_frame_not_from_the_detectors_last() -> None:
    line = Line()
    line.rest(1000)
    line.speak(600)
    line.feed(100, True, NOISE_DB)  # the detector's hangover
    line.rest(1000)
    assert line.only(SpeechEnded).position == 80 * FRAME
    assert line.at(SpeechEnded) == 80 + PAUSE_MS // 20


def test_where_noise_hides_the_end_the_detectors_hangover_is_taken_off() -> None:
    line = Line(hangover_ms=100)
    line.feed(2500, False, -30.0)
    line.feed(600, True, -22.0)
    line.feed(100, True, -24.0)  # hangover, as loud as the speech
    line.feed(1000, False, -30.0)
    assert line.only(SpeechEnded).position == (125 + 30) * FRAME


def test_clicks_and_short_noises_are_no_utterance() -> None:
    line = Line()
    line.rest(1000)
    for _ in range(5):
        line.speak(60)
        line.rest(200)
    assert line.kinds() == []


def test_a_stop_consonant_does_not_break_an_onset() -> None:
    line = Line()
    line.rest(500)
    line.speak(60)
    line.rest(40)
    line.speak(60)
    assert line.only(SpeechStarted).position == 25 * FRAME


def test_a_click_in_the_pause_does_not_prolong_it_but_a_word_does() -> None:
    line = Line()
    line.rest(500)
    line.speak(400)
    line.rest(240)
    line.speak(20)
    line.rest(600)
    assert line.at(SpeechEnded) == 25 + 20 + PAUSE_MS // 20

    line = Line()
    line.rest(500)
    line.speak(400)
    line.rest(240)
    line.speak(200)
    line.rest(600)
    assert line.kinds() == ["SpeechStarted", "PossibleEnd", "SpeechResumed", "PossibleEnd", "SpeechEnded"]
    assert line.only(SpeechEnded).position == (25 + 20 + 12 + 10) * FRAME


def test_a_gap_shorter_than_half_the_pause_is_silent() -> None:
    line = Line()
    line.rest(500)
    line.speak(400)
    line.rest(120)
    line.speak(400)
    line.rest(600)
    assert line.kinds() == ["SpeechStarted", "PossibleEnd", "SpeechEnded"]
    assert not any(isinstance(event, SpeechResumed) for _, event in line.events)


def test_a_vowel_that_the_detector_loses_for_a_moment_goes_on() -> None:
    line = Line()
    line.rest(500)
    line.speak(80)
    line.feed(100, False, VOICE_DB + 1)
    line.speak(60)
    assert line.only(SpeechStarted).position == 25 * FRAME


def test_speech_that_never_ends_is_cut() -> None:
    line = Line()
    line.rest(500)
    line.speak(3500)
    ended = line.only(SpeechEnded)
    assert ended.cut
    assert line.at(SpeechEnded) == 25 + 3000 // 20


def test_how_long_the_caller_has_been_voiced_tells_a_cough() -> None:
    line = Line()
    line.rest(500)
    line.speak(200)
    assert (line.endpointer.speaking, line.endpointer.voiced_ms) == (True, 200)
    line.rest(600)
    assert line.only(SpeechEnded).voiced_ms == 200
    assert (line.endpointer.speaking, line.endpointer.voiced_ms) == (False, 0)


def test_noise_that_the_detector_takes_for_speech_is_found_out_within_two_seconds() -> None:
    line = Line()
    line.rest(1000)
    line.feed(8000, True, -35.0)
    assert len([event for _, event in line.events if isinstance(event, SpeechStarted)]) <= 1
    assert not line.endpointer.speaking
    line.events.clear()
    line.feed(400, True, -18.0)
    assert line.kinds() == ["SpeechStarted"]


def test_the_line_that_opens_with_noise_starts_nothing() -> None:
    line = Line()
    line.feed(400, False, -96.0)  # no packets yet
    line.feed(3000, True, -34.0)
    assert line.kinds() == []


def dtmf(low: float, high: float, ms: int = 400) -> np.ndarray:
    time = np.arange(ms * RATE // 1000) / RATE
    return (4000 * (np.sin(2 * np.pi * low * time) + np.sin(2 * np.pi * high * time))).astype(np.int16)


@pytest.mark.parametrize(("low", "high"), [(697, 1209), (941, 1336), (440, 480), (425, 425), (2100, 2100)])
def test_tones_are_not_speech(low: float, high: float) -> None:
    line = Line()
    line.rest(500)
    line.feed(400, True, -15.0, dtmf(low, high))
    assert line.kinds() == []


def test_a_voice_is_no_tone() -> None:
    """Vowels: harmonics of a pitch that moves, as a voice's does, shaped by formants."""
    time = np.arange(800) / RATE
    for pitch in (90, 140, 220, 300):
        phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.08 * time / time[-1])) / RATE
        vowel = sum(np.sin(number * phase) / (1 + abs(number * pitch - 700) / 300) for number in range(1, 12))
        samples = (3000 * vowel * (1 + 0.5 * np.sin(2 * np.pi * 4 * time))).astype(np.int16)
        assert not is_tone(samples, RATE), pitch
