"""Engines: the check-up looks words of dialogs up in the lexicons of the real recognisers."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import Config
from voicebot.doctor.vocabulary import check_vocabulary

pytestmark = pytest.mark.engines

MENU = """
dialog: menu
language: %s
steps:
  menu: {ask: "?", choices: {known: {hear: [%s], goto: bye}, strange: {hear: ["%s qwxz"], goto: bye}}}
  bye: {end: done}
"""


@pytest.mark.parametrize(
    ("engine", "language", "word"), [("vosk", "ko-KR", "예약"), ("pocketsphinx", "en-US", "can't")]
)
def test_only_the_word_that_no_lexicon_has_is_told(
    tmp_path: Path, engine: str, language: str, word: str
) -> None:
    (tmp_path / "menu.yaml").write_text(MENU % (language, word, word))
    config = Config.model_validate(
        {
            "base": tmp_path,
            "stt": {"menu": {"engine": engine}},
            "routes": [{"number": "600", "dialog": "menu.yaml", "stt": "menu"}],
        }
    )
    assert [f.what for f in check_vocabulary(config)] == [
        f'never hears `qwxz` in "{word} qwxz" (menu.yaml, step menu)'
    ]
