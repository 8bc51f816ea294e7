"""Engines: the real recognisers, each on audio that it is made for."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from voicebot.audio.resample import resample
from voicebot.audio.wav import read_wav
from voicebot.config import SttConfig
from voicebot.engines.models import check_model, list_models
from voicebot.engines.rejection import judge
from voicebot.engines.service import build_stt
from voicebot.engines.stt_pocketsphinx import PocketsphinxRecognizer
from voicebot.engines.stt_vosk import VoskRecognizer
from voicebot.engines.stt_whisper import WhisperRecognizer
from voicebot.errors import UserError
from voicebot.speech.stt import Expectation, Recognizer, Transcript

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "benches"))

from _corpus import RATE, Spoken, SpokenKorean, load_corpus

pytestmark = pytest.mark.engines

CALLER = Path(__file__).resolve().parents[1] / "data" / "caller"
MENU = ("예약", "환불", "안내", "상담원")


@cache
def engine(name: str) -> Recognizer:
    factories = {"whisper": WhisperRecognizer, "vosk": VoskRecognizer, "pocketsphinx": PocketsphinxRecognizer}
    return factories[name]()


@pytest.fixture(scope="module", autouse=True)
def _forget_engines() -> Iterator[None]:
    yield
    engine.cache_clear()


def hear(name: str, samples: np.ndarray, expectation: Expectation, rate: int = RATE) -> Transcript:
    recognition = engine(name).open(expectation, rate)
    pcm = samples.astype("<i2").tobytes()
    for at in range(0, len(pcm), 3200):
        recognition.accept(pcm[at : at + 3200])
    return judge(recognition.finish(), expectation)


def spoken(text: str) -> Spoken:
    return next(one for one in load_corpus() if one.text == text)


def noise(level: int, seconds: float = 2.0) -> np.ndarray:
    return np.random.default_rng(1).normal(0, level, int(RATE * seconds)).astype(np.int16)


def tone(*hertz: int) -> np.ndarray:
    time = np.arange(RATE * 2) / RATE
    return sum(4000 * np.sin(2 * np.pi * one * time) for one in hertz).astype(np.int16)


# --- Whisper ---


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No, I can't.", "no i can't"),
        ("Doctor Baker.", "doctor baker"),
        ("Two fifteen.", "two fifteen"),
        ("Nine oh five three.", "nine oh five three"),
        ("March the twenty third.", "march the twenty third"),
    ],
)
def test_whisper_writes_what_was_said(said: str, words: str) -> None:
    one = spoken(said)
    transcript = hear("whisper", one.samples(20), one.expectation)
    assert transcript.text == words
    assert (transcript.confidence or 0) > 0.5


@pytest.mark.parametrize(
    "sound",
    [noise(2), noise(300), noise(3000), tone(440, 480), tone(697, 1209), tone(1000)],
    ids=["silence", "hiss", "loud noise", "ringback", "dtmf 1", "tone"],
)
def test_whisper_hears_nobody_in_noise_whatever_is_expected(sound: np.ndarray) -> None:
    for step in ("attending", "menu", "account"):
        expectation = next(one for one in load_corpus() if one.step == step).expectation
        assert hear("whisper", sound, expectation).no_speech


def test_whisper_takes_speech_longer_than_its_window() -> None:
    said = [one for one in load_corpus() if one.step in ("menu", "doctor", "attending")]
    long = np.concatenate([one.samples() for one in said])
    assert len(long) > 60 * RATE
    text = hear("whisper", long, Expectation(open=True)).text
    found = [one for one in said if one.words in text]
    assert len(found) > len(said) / 2
    assert {said.index(one) * 4 // len(said) for one in found} == {0, 1, 2, 3}  # of every quarter


# --- Vosk, with the real Korean model ---


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize(
    ("line", "word"),
    [("reservation", "예약"), ("refund", "환불"), ("information", "안내"), ("agent", "상담원")],
)
def test_vosk_understands_a_korean_menu(line: str, word: str, rate: int) -> None:
    samples = read_wav(CALLER / f"ko-{line}.wav").samples
    line_noise = noise(2, 0.3)
    heard = resample(np.concatenate([line_noise, samples, line_noise]), RATE, rate)
    transcript = hear("vosk", heard, Expectation("ko-KR", MENU), rate)
    assert transcript.text == word
    assert [w.text for w in transcript.words] == [word]
    assert 200 < transcript.words[0].start_ms < transcript.words[0].end_ms < 2000


def test_vosk_is_as_sure_of_the_same_words_every_time() -> None:
    samples = read_wav(CALLER / "ko-refund.wav").samples
    heard = {hear("vosk", samples, Expectation("ko-KR", MENU)).confidence for _ in range(4)}
    assert len(heard) == 1


@pytest.mark.parametrize("word", ["안녕하세요", "감사합니다", "오늘 날씨가 좋네요", "친구를 만나러 갔어요"])
def test_vosk_doubts_what_it_forced_into_the_menu(word: str) -> None:
    one = SpokenKorean(MENU, word)
    assert hear("vosk", one.samples(), one.expectation).text == ""


def test_vosk_tells_silence_and_words_that_it_will_never_hear() -> None:
    assert hear("vosk", noise(2), Expectation("ko-KR", MENU)).no_speech
    assert engine("vosk").lacks(("예약", "qwxz", "상담원 qwxz")) == ("qwxz",)


# --- PocketSphinx ---


@pytest.mark.parametrize("said", ["Reschedule.", "Doctor Baker.", "March the fourth.", "One two three four."])
def test_pocketsphinx_understands_what_the_step_expects(said: str) -> None:
    one = spoken(said)
    transcript = hear("pocketsphinx", one.samples(), one.expectation)
    match = one.grammar.match_transcript(transcript)
    assert match is not None
    assert match.meaning == one.meaning


@pytest.mark.parametrize(
    "said", ["A large coffee with milk.", "The soup is too salty.", "We have two cats and a dog."]
)
def test_pocketsphinx_rejects_what_no_phone_would_choose(said: str) -> None:
    one = spoken(said)
    assert hear("pocketsphinx", one.samples(), one.expectation).text == ""


def test_pocketsphinx_builds_a_grammar_of_phrases_and_leaves_out_what_it_cannot_spell() -> None:
    one = spoken("Cancel.")
    step = Expectation(
        phrases=("doctor baker", "xyzzy plugh", "cancel my appointment"), words=("one", "xyzzy")
    )
    assert hear("pocketsphinx", spoken("Doctor Baker.").samples(), step).text == "doctor baker"
    assert engine("pocketsphinx").lacks(step.phrases) == ("xyzzy", "plugh")
    assert hear("pocketsphinx", one.samples(), Expectation(phrases=("xyzzy",))).text == ""


# --- services and models ---


async def test_an_utterance_survives_the_death_of_its_whisper_worker() -> None:
    one = spoken("Reschedule.")
    stt = build_stt("english", SttConfig(engine="whisper", timeout_s=5), Path("models"))
    await stt.start()
    try:
        stream = stt.open_stream("call", one.expectation, RATE)
        pcm = one.samples().tobytes()
        stream.feed(pcm[:6000])
        pid = stt.pool.links[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        stream.feed(pcm[6000:])
        assert (await stream.finish()).text == "reschedule"
    finally:
        await stt.stop()


def test_a_model_that_is_not_there_is_named_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="voicebot models add"):
        build_stt("german", SttConfig(engine="vosk", model="nowhere"), tmp_path)


def test_models_of_packages_are_listed_and_work(tmp_path: Path) -> None:
    found = {model.engine: model for model in list_models(tmp_path)}
    assert set(found) == {"whisper", "vosk", "pocketsphinx"}
    assert found["whisper"].size_bytes > 50e6
    assert check_model(found["whisper"], spoken("Cancel.").path).transcript.text == "cancel"
