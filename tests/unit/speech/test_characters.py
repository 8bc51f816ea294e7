"""Unit: characters that no text of a conversation may hold."""

from __future__ import annotations

import pytest

from voicebot.speech.characters import name_of_stranger, without_controls

pytestmark = pytest.mark.unit


def test_controls_and_halves_of_pairs_become_blanks() -> None:
    assert without_controls("a\0b\x1b[31m\x9bc\ud800d\re\x7f") == "a b [31m c d e "


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "한국어 é 👩‍👧", "a\u200db"])
def test_everything_else_stays(text: str) -> None:
    assert without_controls(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Sara Miller", "Sara Miller"),
        ("\u202e0010-555\u202c\u2066 +1202", "0010-555 +1202"),
        ("two\nlines\x1b[31m\ud800", "two lines [31m"),
        ("شركة\u200cی \u200f", "شركة\u200cی \u200f"),
        ("x" * 10_000, "x" * 80),
    ],
)
def test_a_name_of_a_stranger_stays_in_its_place(text: str, shown: str) -> None:
    assert name_of_stranger(text) == shown
