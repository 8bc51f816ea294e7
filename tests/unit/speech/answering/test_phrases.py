"""Unit: what a transcript tells of who said it."""

from __future__ import annotations

import pytest

from voicebot.speech.answering.events import Answerer, Why
from voicebot.speech.answering.phrases import said_by

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "language", "why"),
    [
        ("Please leave a message after the beep.", "en-US", Why.GREETING_WORDS),
        ("nobody can take your call please leave my message", "en", Why.GREETING_WORDS),  # misheard
        ("I can\u2019t come to the phone right now", "en_GB", Why.GREETING_WORDS),
        ("the number you have done is not in service", "en-US", Why.INVALID),
        ("your call cannot be completed as dialed", "en-US", Why.ANNOUNCEMENT),
        ("thank you for calling for balances press one", "en-US", Why.MENU),
        ("please say your name and why you are calling", "en-US", Why.SCREENING),
        ("삐 소리 후 음성사서함으로 연결됩니다", "ko-KR", Why.GREETING_WORDS),
        ("지금 거신 번호는 없는 번호입니다", "ko", Why.INVALID),
        ("전화기가 꺼져 있어 받을 수 없습니다", "ko", Why.ANNOUNCEMENT),
    ],
)
def test_machines(text: str, language: str, why: Why) -> None:
    said = said_by(text, language)
    assert said is not None
    assert (said.by, said.why, said.sure) == (Answerer.MACHINE, why, True)


@pytest.mark.parametrize(
    ("text", "language", "sure"),
    [
        ("good morning corner clinic how may i help you", "en", True),
        ("thank you for calling harbor hardware how can i help you", "en", True),
        ("he is not available, can I take a message?", "en", True),
        ("Hello?", "en", False),
        ("여보세요", "ko", True),
        ("네", "ko", False),
    ],
)
def test_persons(text: str, language: str, sure: bool) -> None:
    said = said_by(text, language)
    assert said is not None
    assert (said.by, said.sure) == (Answerer.PERSON, sure)


@pytest.mark.parametrize(
    ("text", "language"),
    [("the weather is fine", "en"), ("", "en"), ("leave a message", "tlh"), ("yes i would like to move my "
     "appointment to next thursday", "en"), ("what a day", "")],
)  # fmt: skip
def test_nothing_is_known(text: str, language: str) -> None:
    assert said_by(text, language) is None
