"""Unit: characters that no text of a conversation may hold."""

from __future__ import annotations

import pytest

from voicebot.speech.characters import without_controls

pytestmark = pytest.mark.unit


def test_controls_and_halves_of_pairs_become_blanks() -> None:
    assert without_controls("a\0b\x1b[31m\x9bc\ud800d\re\x7f") == "a b [31m c d e "


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "한국어 é 👩‍👧", "a\u200db"])
def test_everything_else_stays(text: str) -> None:
    assert without_controls(text) == text
