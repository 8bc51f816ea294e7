"""Unit: words that a recogniser can never hear are found where an author wrote them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from voicebot.authoring.hearing import lexicon
from voicebot.authoring.hearing.lexicon import missing_words, word_findings, word_rule, word_rules
from voicebot.config import Config
from voicebot.dialog.loading.loader import parse_dialog

pytestmark = pytest.mark.unit

DIALOG = """
dialog: menu
languages: [ko-KR]
slots: {size: {type: choice, choices: {small: , large: [large, xxl]}}}
always: {stop: {hear: Stop it!, say: Well.}, back: {off: true, hear: rewind}}
steps:
  menu: {ask: What?, choices: {yes: {goto: size}, opening_hours: {goto: size}, no: {hear: [nay], goto: size}}}
  size: {ask: Size?, fill: size}
  xxl: {ask: Really xxl?, choices: {sure: {hear: [xxl please], goto: bye}}}
  bye: {end: done}
translations: {ko-KR: {large: [큰 거], small: 작은 거}}
"""


def knowing(*known: str) -> Callable[[Collection[str]], tuple[str, ...]]:
    return lambda words: tuple(word for word in words if word not in known)


def test_each_missing_word_comes_with_its_places() -> None:
    dialog = parse_dialog(DIALOG, "menu.yaml")
    found = missing_words(dialog, knowing("stop", "it", "small", "large", "opening", "please"))
    assert {word: [(h.path, h.at_key) for h in places] for word, places in found.items()} == {
        "xxl": [
            (("slots", "size", "choices", "large", "hear", 1), False),
            (("steps", "xxl", "choices", "sure", "hear", 0), False),
        ],
        "hours": [(("steps", "menu", "choices", "opening_hours"), True)],
        "nay": [(("steps", "menu", "choices", "no", "hear", 0), False)],
    }


def test_findings_name_recogniser_word_and_phrase_in_the_language_that_it_hears() -> None:
    dialog = parse_dialog(DIALOG, "menu.yaml")
    known = knowing("stop", "it", "small", "large", "opening", "hours", "nay", "please")
    (finding,) = word_findings(dialog, known, "vosk")
    assert finding.what == 'vosk never hears `xxl` ("xxl", and 1 more)'
    assert finding.warning and finding.code == "sound" and finding.remedy
    (korean,) = word_findings(dialog, knowing("큰", "거"), "vosk", "ko-KR")
    assert (korean.path, korean.table) == (("small",), "ko-KR") and "`작은`" in korean.what


def test_rules_are_those_of_the_routes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def lacks(engine: str, model: str, words: Collection[str]) -> tuple[str, ...]:
        asked.append((engine, model))
        return ()

    monkeypatch.setattr(lexicon, "lacking", lacks)
    (tmp_path / "menu.yaml").write_text(DIALOG)
    sections = {
        "plain": {"engine": "vosk"},
        "korean": {"engine": "vosk", "model": "ko"},
        "free": {"engine": "whisper"},
    }
    routes = [
        {"number": "600", "dialog": "menu.yaml", "stt": "plain"},
        {"number": "601", "dialog": "menu.yaml", "stt": "plain"},
        {"number": "602", "dialog": "./menu.yaml", "stt": "korean", "language": "ko-KR"},
        {"number": "603", "dialog": "menu.yaml", "stt": "free"},
        {"number": "604", "dialog": "other.yaml", "stt": "korean"},
    ]
    config = Config.model_validate({"base": tmp_path, "stt": sections, "routes": routes})
    for rule in word_rules(config, tmp_path / "menu.yaml"):
        assert rule(parse_dialog(DIALOG, "menu.yaml")) == []
    assert asked == [("vosk", ""), ("vosk", str(tmp_path / "models" / "ko"))]
    assert word_rule("whisper") is None
