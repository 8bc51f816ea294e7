"""Engines: a recogniser understands our prompts after a telephone line (8 kHz, mu-law).

Print the figures with `pytest tests/engines/test_tts_intelligible.py -s`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rapidfuzz.distance import Levenshtein

from voicebot.audio import g711
from voicebot.config import TtsConfig
from voicebot.engines.spoken import spoken_words
from voicebot.engines.stt_vosk import VoskRecognizer
from voicebot.engines.stt_whisper import WhisperRecognizer
from voicebot.engines.tts_service import build_tts
from voicebot.speech.stt import Expectation, Recognizer
from voicebot.speech.tts import Voice

pytestmark = pytest.mark.engines

PROMPTS = (
    "Hello, this is the automated assistant of Green Street Clinic.",
    "You have an appointment on Tuesday at three in the afternoon.",
    "Will you be there?",
    "Which day and time would suit you better?",
    "Sorry, I did not understand. Please say yes or no.",
    "We are open Monday to Friday, from nine to five.",
    "Done. We will see you on Thursday at three.",
    "I will put you through to a colleague.",
    "Please tell me your account number.",
    "Wonderful, see you then. Goodbye.",
)
KOREAN = (
    ("예약", "환불", "안내", "상담원"),
    ("네", "아니요"),
    ("하나", "삼", "넷", "오"),
    ("병원", "비밀번호"),
)
KOREAN_VOICE = Voice("ko-KR", "ko+f5", 170)


async def heard(
    engine: str, texts: tuple[str, ...], voice: Voice, listener: Recognizer, expect: Expectation, folder: Path
) -> list[str]:
    """What `listener` understands of `texts` spoken by `engine` over a telephone line."""
    tts = build_tts(TtsConfig.model_validate({"engine": engine}), folder, folder, languages=(voice.language,))
    await tts.start()
    try:
        found = []
        # Ahead, as how soon they are spoken is no matter here.
        assert not await tts.render_ahead([(text, voice) for text in texts], [8000])
        for text in texts:
            said = np.concatenate([samples async for samples in tts.speak(text, voice, 8000)])
            line = g711.decode(g711.encode(said, "ulaw"), "ulaw")
            recognition = listener.open(expect, 8000)
            recognition.accept(np.concatenate([line, np.zeros(4000, np.int16)]).astype("<i2").tobytes())
            found.append(recognition.finish().text)
        return found
    finally:
        await tts.stop()


@pytest.fixture(scope="module")
def whisper() -> WhisperRecognizer:
    return WhisperRecognizer()


@pytest.mark.parametrize(
    ("engine", "most_open", "most_expected"),
    [("piper", 0.08, 0.03), ("pyttsx3", 0.40, 0.20), ("espeak", 0.40, 0.20)],
)
async def test_english_prompts_are_understood(
    engine: str, most_open: float, most_expected: float, whisper: WhisperRecognizer, tmp_path: Path
) -> None:
    """A robot's voice is strange to Whisper: what it makes of it freely is a lower bound for people."""
    rates = []
    for expect in (Expectation(open=True), Expectation(phrases=PROMPTS)):
        texts = await heard(engine, PROMPTS, Voice(), whisper, expect, tmp_path)
        wrong = words = 0
        for prompt, text in zip(PROMPTS, texts, strict=True):
            reference = spoken_words(prompt).split()
            wrong += Levenshtein.distance(reference, spoken_words(text).split())
            words += len(reference)
        rates.append(wrong / words)
    print(f"\n{engine}: word error rate {rates[0]:.1%} freely, {rates[1]:.1%} among known phrases")
    assert rates[0] <= most_open
    assert rates[1] <= most_expected


async def test_korean_prompts_are_understood(tmp_path: Path) -> None:
    vosk = VoskRecognizer()
    right = words = 0
    for menu in KOREAN:
        expect = Expectation("ko-KR", phrases=menu)
        texts = await heard("pyttsx3", menu, KOREAN_VOICE, vosk, expect, tmp_path)
        right += sum(text == word for text, word in zip(texts, menu, strict=True))
        words += len(menu)
    print(f"\npyttsx3, Korean: {right} of {words} words of four menus")
    assert right >= words - 1
