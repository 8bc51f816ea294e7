"""Unit: what a worker does with an utterance, above all when a guess came too early."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from voicebot.engines.jobs import SLICE_MS, CallJob, SpeakJob, UtteranceJob
from voicebot.engines.stt_whole import WholeRecognition
from voicebot.engines.wire import Frame, Kind
from voicebot.speech.stt import Expectation, Transcript
from voicebot.speech.tts import AudioChunk, Voice

pytestmark = pytest.mark.unit

RATE = 8000
SECOND = b"\1\0" * RATE


class Counting:
    """A recogniser whose transcript tells how much one recognition heard, and in which pieces."""

    def __init__(self) -> None:
        self.opened: list[Expectation] = []
        self.pieces: list[int] = []

    def open(self, expectation: Expectation, sample_rate: int) -> Counting:
        self.opened.append(expectation)
        self.pieces = []
        return self

    def accept(self, pcm: bytes) -> None:
        self.pieces.append(len(pcm))

    def partial(self, alone: bool) -> str:
        return f"{sum(self.pieces) // len(SECOND)} s" if self.pieces else ""

    def finish(self) -> Transcript:
        return Transcript(f"{sum(self.pieces)} bytes")

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(word for word in words if word == "xyzzy")


def opening(expectation: Expectation) -> Frame:
    return Frame(Kind.OPEN, 1, {"expectation": asdict(expectation), "sample_rate": RATE})


def results(job: UtteranceJob, *frames: Frame) -> list[tuple[str, int]]:
    answers = [answer for answer in job.run(list(frames)) if answer is not None]
    return [(answer.meta["transcript"]["text"], answer.meta["heard"]) for answer in answers]


def test_what_is_expected_reaches_the_engine_as_it_was() -> None:
    engine = Counting()
    expectation = Expectation("ko-KR", ("예약", "상담원"), ("하나",), "#JSGF", False, "무엇을 도와드릴까요?")
    list(UtteranceJob(engine).run([opening(expectation), Frame(Kind.AUDIO, 1, payload=SECOND)]))
    assert engine.opened == [expectation]


def test_audio_reaches_the_engine_in_slices_so_that_work_is_not_taken_for_a_hang() -> None:
    engine = Counting()
    job = UtteranceJob(engine)
    frames = [opening(Expectation()), Frame(Kind.AUDIO, 1, payload=SECOND * 3), Frame(Kind.FINISH, 1)]
    assert results(job, *frames) == [("48000 bytes", 48000)]
    assert max(engine.pieces) == RATE * 2 * SLICE_MS // 1000
    assert job.over


def test_a_valid_guess_is_the_result() -> None:
    engine = Counting()
    job = UtteranceJob(engine)
    frames = [opening(Expectation()), Frame(Kind.AUDIO, 1, payload=SECOND), Frame(Kind.GUESS, 1)]
    assert results(job, *frames) == [("16000 bytes", 16000)]
    assert not job.over
    assert results(job, Frame(Kind.FINISH, 1)) == [("16000 bytes", 16000)]
    assert len(engine.opened) == 1


def test_audio_after_a_guess_has_everything_recognised_anew() -> None:
    engine = Counting()
    job = UtteranceJob(engine)
    results(job, opening(Expectation()), Frame(Kind.AUDIO, 1, payload=SECOND), Frame(Kind.GUESS, 1))
    more = [Frame(Kind.AUDIO, 1, payload=SECOND), Frame(Kind.FINISH, 1)]
    assert results(job, *more) == [("32000 bytes", 32000)]
    assert len(engine.opened) == 2


def test_a_guess_that_audio_has_overtaken_is_not_computed() -> None:
    job = UtteranceJob(Counting())
    audio = Frame(Kind.AUDIO, 1, payload=SECOND)
    assert results(job, opening(Expectation()), audio, Frame(Kind.GUESS, 1), audio) == []


def test_a_sentence_is_its_chunks_and_an_end() -> None:
    class Tone:
        def synthesize(self, text: str, voice: Voice) -> list[AudioChunk]:
            return [
                AudioChunk(np.array([1, -2], np.int16), 22050),
                AudioChunk(np.array([3], np.int16), 22050),
            ]

    frames = list(SpeakJob(Tone()).run([Frame(Kind.SPEAK, 1, {"text": "hi", "voice": asdict(Voice())})]))
    assert [(f.kind, f.payload) for f in frames if f] == [
        (Kind.CHUNK, b"\1\0\xfe\xff"), (Kind.CHUNK, b"\3\0"), (Kind.DONE, b""),
    ]  # fmt: skip


def test_only_named_methods_can_be_called() -> None:
    asked = Frame(Kind.CALL, 1, {"method": "lacks", "args": [["yes", "xyzzy"]]})
    assert [f.meta for f in CallJob(Counting()).run([asked]) if f] == [{"answer": ("xyzzy",)}]
    with pytest.raises(ValueError, match="__init__"):
        list(CallJob(Counting()).run([Frame(Kind.CALL, 1, {"method": "__init__", "args": []})]))


def partials(job: UtteranceJob, *frames: Frame, alone: bool = False) -> list[str]:
    answers = job.run(list(frames), alone)
    return [answer.meta["text"] for answer in answers if answer and answer.kind == Kind.PARTIAL]


def test_words_so_far_are_told_when_they_change_and_only_to_who_asked() -> None:
    audio = Frame(Kind.AUDIO, 1, payload=SECOND)
    reading = Frame(Kind.OPEN, 1, {**opening(Expectation()).meta, "partial": True})
    job = UtteranceJob(Counting())
    assert partials(job, reading) == []
    assert partials(job, audio) == ["1 s"]
    assert partials(job, Frame(Kind.AUDIO, 1, payload=SECOND[:2])) == [], "nothing new"
    assert partials(job, audio, audio) == ["3 s"]
    assert partials(job, audio, Frame(Kind.GUESS, 1)) == [], "the guess tells them"
    unread = UtteranceJob(Counting())
    assert partials(unread, opening(Expectation()), audio) == []


def test_an_engine_that_takes_utterances_whole_glances_only_while_it_has_nothing_else_to_do() -> None:
    glances: list[int] = []

    def glance(samples: object) -> Transcript:
        glances.append(len(samples))  # type: ignore[arg-type]
        return Transcript(f"{len(glances)} words")

    recognition = WholeRecognition(lambda samples: Transcript("all"), 8000, 8000, glance)
    seen = []
    for tenth in range(120):
        recognition.accept(bytes(1600))
        seen.append(recognition.partial(alone=tenth >= 10))
    assert not any(seen[:10])
    assert glances == list(range(8800, 64001, 4000)), "every 500 ms, up to 8 s"
    assert seen[-1] == f"{len(glances)} words"
    assert recognition.finish().text == "all"
