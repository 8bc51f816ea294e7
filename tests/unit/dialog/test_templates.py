"""Unit: values said for the ear."""

from __future__ import annotations

from datetime import datetime

import pytest

from voicebot.dialog.templates import TemplateError, render

pytestmark = pytest.mark.unit

VALUES = {
    "name": "Sara",
    "at": datetime(2027, 3, 2, 15, 30),
    "noon": "2027-03-02T12:00",
    "card": "4271",
    "ok": True,
}


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Hello {name}!", "en-US", "Hello Sara!"),
        ("{at|date} at {at|time}", "en-US", "Tuesday, March 2nd at 3:30 PM"),
        ("{at|date} {at|time}", "ko-KR", "3월 2일 화요일 오후 3시 30분"),
        ("{noon|time}", "en-US", "noon"),
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
