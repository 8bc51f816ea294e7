"""Category: unit. What espeak-ng is given to speak."""

from __future__ import annotations

import pytest

from voicebot.engines.tts_espeak import speakable
from voicebot.speech.tts import Voice

pytestmark = pytest.mark.unit

KOREAN = Voice("ko-KR")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("받으시려면 1번을 눌러 주세요.", "받으시려면 일번을 눌러 주세요."),
        ("17번, 8분", "십칠번, 팔분"),
        ("4 9 1", "사 구 일"),
        ("0번", "영번"),
        ("010-1238", "영 일 영 , 일 이 삼 팔"),
        ("3.5 10:30 30,001", "3.5 10:30 30,001"),
        ("1" * 16, "1" * 16),
    ],
)
def test_korean_figures_are_words(text: str, spoken: str) -> None:
    assert speakable(text, KOREAN) == spoken


def test_other_languages_keep_their_figures() -> None:
    assert speakable("Press 1.\0", Voice("en-US")) == "Press 1. "


@pytest.mark.parametrize("text", ["", " \0"])
def test_no_words_are_nothing_to_speak(text: str) -> None:
    assert speakable(text, KOREAN) == ""
