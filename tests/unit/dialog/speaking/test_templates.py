"""Unit: values said for the ear."""

from __future__ import annotations

from datetime import datetime

import pytest

from voicebot.dialog.speaking.templates import TemplateError, render

pytestmark = pytest.mark.unit

VALUES = {
    "name": "Sara",
    "at": datetime(2027, 3, 2, 15, 30),
    "noon": "2027-03-02T12:00",
    "early": "2027-10-21T09:05:00+09:00",
    "clock": "21:00",
    "card": "4271",
    "ok": True,
}


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Hello {name}!", "en-US", "Hello Sara!"),
        ("{at|date} at {at|time}", "en-US", "Tuesday, March second at 3:30 PM"),
        ("{at|date} {at|time}", "ko-KR", "3월 2일 화요일 오후 세 시 삼십 분"),
        ("{early|date} {early|time}", "en-US", "Thursday, October twenty first 9 oh 5 AM"),
        ("{early|date} {early|time}", "ko-KR", "시월 21일 목요일 오전 아홉 시 오 분"),
        ("{at|date} {at|time}", "en-GB", "Tuesday the second of March 3:30 pm"),
        ("{at|date} {at|time}", "de-DE", "Dienstag, 2. März 15:30"),
        ("{at|weekday}", "fr", "mardi"),
        ("{at|date} {clock|time}", "xx", "Tuesday, March second 9 PM"),
        ("{noon|time}", "en-US", "noon"),
        ("{noon|time}", "ko-KR", "정오"),
        ("{card|digits} {name|spell}", "en-US", "4, 2, 7, 1 S, A, R, A"),
        ("{at|weekday}", "ko-KR", "화요일"),
        ("{ok}", "en-US", "yes"),
        ("{nobody} there {{braces}}", "en-US", "there {braces}"),
        ("{name|date}", "en-US", "Sara"),
    ],
)
def test_says(text: str, language: str, said: str) -> None:
    assert render(text, VALUES, language) == said


@pytest.mark.parametrize("text", ["{", "{}", "{a b}", "}", "{name|shout}", "{name.__class__.x()}"])
def test_refuses(text: str) -> None:
    with pytest.raises(TemplateError):
        render(text, VALUES, "en-US")
