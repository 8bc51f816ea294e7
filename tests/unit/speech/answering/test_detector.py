"""Unit: who answered, on sounds whose truth is known to the millisecond."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from voicebot.audio.levels import level_db
from voicebot.speech.answering import AnswerDetector, Answerer, AnswerEvent, Beep, Judged, Why

pytestmark = pytest.mark.unit

RATE = 8000
VOICE_DB, NOISE_DB, BEEP_DB = -20.0, -65.0, -18.0
GATE_DB = -45.0
"""What the tests' voice activity detector calls speech; tones as well, as real ones do."""

Floats = npt.NDArray[np.float64]


def noise(ms: int, level: float, rate: int = RATE) -> Floats:
    chance = np.random.default_rng(ms)
    return chance.normal(0, 32768 * 10 ** (level / 20), ms * rate // 1000)


def voice(ms: int) -> Floats:
    """Noise in the rhythm of syllables."""
    return noise(ms, VOICE_DB) * (0.7 + 0.5 * np.sin(2 * np.pi * 4 * np.arange(ms * 8) / RATE))


def quiet(ms: int) -> Floats:
    return noise(ms, NOISE_DB)


def tone(ms: int, *lines: float, level: float = BEEP_DB, rate: int = RATE) -> Floats:
    time = np.arange(ms * rate // 1000) / rate
    wave = np.sum([np.sin(2 * np.pi * hz * time) for hz in lines], axis=0)
    return wave * 32768 * 10 ** (level / 20) * np.sqrt(2 / len(lines)) + noise(ms, NOISE_DB, rate)


class Call:
    """Feeds a detector, and remembers what it said."""

    def __init__(self, rate: int = RATE) -> None:
        self.detector = AnswerDetector(rate)
        self.size = rate // 50
        self.at_ms = 0
        self.events: list[AnswerEvent] = []

    def hear(self, *parts: Floats) -> Call:
        sound = np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)
        for frame in sound[: len(sound) // self.size * self.size].reshape(-1, self.size):
            self.at_ms += 20
            self.events += self.detector.heard(frame, level_db(frame) > GATE_DB, self.at_ms)
        return self

    def recognise(self, text: str, language: str = "en-US") -> Call:
        self.events += self.detector.recognised(text, language, self.at_ms)
        return self

    @property
    def judged(self) -> list[Answerer]:
        """Each change of mind."""
        found: list[Answerer] = []
        for event in self.events:
            if isinstance(event, Judged) and found[-1:] != [event.by]:
                found.append(event.by)
        return found

    @property
    def beeps(self) -> list[Beep]:
        return [event for event in self.events if isinstance(event, Beep)]


def test_a_short_hello_is_a_person_within_a_second_of_its_end() -> None:
    call = Call().hear(quiet(400), voice(600), quiet(2500))
    first = call.events[0]
    assert isinstance(first, Judged)
    assert (first.by, first.why) == (Answerer.PERSON, Why.SHORT_GREETING)
    assert 1600 <= first.at_ms <= 2000
    assert call.judged == [Answerer.PERSON]


def test_a_long_greeting_with_a_beep_is_a_machine_and_the_beep_is_told_soon() -> None:
    call = Call().hear(quiet(400), voice(7000), quiet(600), tone(400, 1000.0), quiet(80))
    assert call.beeps == []
    call.hear(quiet(60))
    (beep,) = call.beeps
    assert (beep.at_ms, beep.hz) == (8400, 1000.0)
    assert 380 <= beep.ms <= 420
    assert call.judged == [Answerer.MACHINE]
    assert call.detector.confidence > 0.95


def test_a_machine_that_pauses_after_its_name_is_judged_anew() -> None:
    call = Call().hear(quiet(400), voice(900), quiet(900), voice(5500))
    assert call.judged == [Answerer.PERSON, Answerer.MACHINE]


def test_a_person_with_a_long_greeting_is_judged_anew_once_they_wait() -> None:
    call = Call().hear(quiet(400), voice(4600), quiet(300))
    assert call.judged == [Answerer.MACHINE]
    assert call.detector.confidence < 0.8  # too little to hang up
    call.hear(quiet(3500))
    assert call.judged == [Answerer.MACHINE, Answerer.PERSON]


def test_who_answers_our_question_at_length_stays_a_person() -> None:
    call = Call().hear(quiet(400), voice(600), quiet(4000), voice(9000), quiet(1000))
    assert call.judged == [Answerer.PERSON]


def test_nobody_speaks() -> None:
    call = Call().hear(quiet(6000))
    assert call.events == [Judged(Answerer.UNKNOWN, 0.5, Why.SILENCE, 3500)]


def test_a_click_is_no_greeting() -> None:
    call = Call().hear(quiet(400), voice(40), quiet(3000))
    assert call.judged == []


def test_noise_from_the_first_frame_on_is_no_voice() -> None:
    call = Call()
    loud = noise(3000, -30.0).astype(np.int16).reshape(-1, 160)
    for index, frame in enumerate(loud):
        call.events += call.detector.heard(frame, True, (index + 1) * 20)
    assert call.judged == []


@pytest.mark.parametrize("hz", [420.0, 620.0, 850.0, 1000.0, 1400.0, 2050.0])
@pytest.mark.parametrize("ms", [120, 260, 900, 1900])
def test_beeps(hz: float, ms: int) -> None:
    call = Call().hear(quiet(300), voice(1500), quiet(500), tone(ms, hz), quiet(300))
    if ms < 250 and hz < 600:
        assert call.beeps == []  # as short and low as a vowel
    else:
        (beep,) = call.beeps
        assert abs(beep.hz - hz) <= 12.5
        assert abs(beep.at_ms - (2300 + ms)) <= 20
        assert abs(beep.ms - ms) <= 40


def test_a_beep_at_16_khz() -> None:
    call = Call(16000).hear(
        noise(400, NOISE_DB, 16000), tone(500, 1000.0, rate=16000), noise(300, NOISE_DB, 16000)
    )
    assert [beep.hz for beep in call.beeps] == [1000.0]


@pytest.mark.parametrize(
    "sound",
    [
        tone(2000, 440.0, 480.0),  # ringing, North America and Korea
        tone(1000, 425.0),  # ringing, most of Europe
        tone(400, 770.0, 1336.0),  # the key 5
        tone(3000, 1000.0),  # a test tone
        np.concatenate([tone(200, hz) for hz in (523.0, 659.0, 784.0, 1047.0)]),  # a chime
        tone(80, 1000.0),
    ],
    ids=["us ringing", "eu ringing", "key", "long", "chime", "short"],
)
def test_what_is_no_beep(sound: Floats) -> None:
    assert Call().hear(quiet(400), sound, quiet(1500)).beeps == []


def test_ringing_is_nobody() -> None:
    ringing = tone(2000, 440.0, 480.0)
    call = Call().hear(quiet(200), ringing, quiet(4000), ringing, quiet(1000))
    assert call.judged == [Answerer.UNKNOWN]


def test_special_information_tones_are_the_operators() -> None:
    call = Call().hear(quiet(300), tone(330, 950.0), tone(330, 1400.0), tone(330, 1800.0), quiet(300))
    assert call.beeps == []
    assert (call.detector.by, call.detector.why) == (Answerer.MACHINE, Why.ANNOUNCEMENT)


@pytest.mark.parametrize(
    "sound",
    [tone(3000, 2100.0), np.concatenate([tone(500, 1100.0), quiet(3000)])],
    ids=["called", "calling"],
)
def test_fax_machines(sound: Floats) -> None:
    call = Call().hear(quiet(300), sound, quiet(300))
    assert (call.detector.by, call.detector.why, call.beeps) == (Answerer.MACHINE, Why.FAX, [])


def test_words_judge_before_the_cadence_can() -> None:
    call = Call().hear(quiet(400), voice(1500), quiet(300)).recognise("hi it's joe leave a message")
    assert call.events[-1].by is Answerer.MACHINE  # type: ignore[union-attr]
    assert call.detector.why is Why.GREETING_WORDS


def test_a_person_picks_up_behind_a_screening_robot() -> None:
    call = Call().hear(quiet(400), voice(3000), quiet(900)).recognise("please state your name")
    assert (call.detector.by, call.detector.why) == (Answerer.MACHINE, Why.SCREENING)
    call.hear(quiet(3000), voice(500), quiet(900)).recognise("hello who is this")
    assert call.detector.by is Answerer.PERSON


def test_the_same_sound_gives_the_same_events() -> None:
    sound = [quiet(400), voice(3000), quiet(800), tone(400, 900.0), quiet(2000), voice(400), quiet(900)]
    assert Call().hear(*sound).events == Call().hear(*sound).events
