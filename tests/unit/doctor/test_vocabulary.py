"""Unit: words of dialogs that a recogniser can never hear are named, with their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import Config
from voicebot.dialog.loading.loader import parse_dialog
from voicebot.doctor import vocabulary
from voicebot.doctor.finding import Status
from voicebot.speech.stt import Expectation, Recognition

pytestmark = pytest.mark.unit

DIALOG = """
dialog: menu
slots: {size: {type: choice, choices: {small: , large: [large, xxl]}}}
always: {stop: {hear: Stop it!, say: Well.}}
steps:
  menu: {ask: What?, choices: {yes: {goto: size}, opening_hours: {goto: size}, no: {hear: [nay], goto: size}}}
  size: {ask: Size?, fill: size}
  bye: {end: done}
"""


class Knowing:
    """A recogniser that has these words only."""

    def __init__(self, *words: str) -> None:
        self._words = words

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(w for text in words for w in text.split() if w not in self._words)

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition:
        raise AssertionError("words are looked up, nothing is recognised")


def test_words_outside_of_the_lexicon_are_named_with_their_place() -> None:
    dialog = parse_dialog(DIALOG, "here/menu.yaml")
    assert list(vocabulary.unheard(dialog, Knowing("stop", "it", "small", "large", "opening"))) == [
        '`xxl` in "xxl" (menu.yaml, slot size)',
        '`hours` in "opening hours" (menu.yaml, step menu)',
        '`nay` in "nay" (menu.yaml, step menu)',
    ]
    everything = Knowing("stop", "it", "small", "large", "xxl", "opening", "hours", "nay")
    assert list(vocabulary.unheard(dialog, everything)) == []


def config(tmp_path: Path, engine: str, model: str = "") -> Config:
    (tmp_path / "menu.yaml").write_text(DIALOG)
    return Config.model_validate(
        {
            "base": tmp_path,
            "stt": {"english": {"engine": engine, "model": model}},
            "routes": [{"number": "600", "dialog": "menu.yaml"}, {"number": "601", "dialog": "none.yaml"}],
        }
    )


def test_the_list_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "check_engine", lambda *_: [])
    monkeypatch.setitem(vocabulary.WITH_LEXICON, "vosk", lambda model: Knowing("large"))
    monkeypatch.setattr(vocabulary, "MOST_TOLD", 2)
    found = vocabulary.check_vocabulary(config(tmp_path, "vosk"))
    assert {(f.check, f.status) for f in found} == {("stt.english", Status.WARNING)}
    assert [f.what for f in found][1:] == [
        'never hears `small` in "small" (menu.yaml, slot size)',
        "3 phrases more hold words that it never hears",
    ]


def test_no_engine_no_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(model: str) -> Knowing:
        raise AssertionError("not to be loaded")

    monkeypatch.setitem(vocabulary.WITH_LEXICON, "vosk", load)
    assert vocabulary.check_vocabulary(config(tmp_path, "whisper")) == [], "it can write any word"
    missing = config(tmp_path, "vosk", "vosk-model-nowhere")
    assert vocabulary.check_vocabulary(missing) == [], "told by another check"


def test_a_large_model_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(model: str) -> Knowing:
        raise AssertionError("not to be loaded")

    big = config(tmp_path, "vosk", "big")
    (big.models / "big").mkdir(parents=True)
    (big.models / "big" / "final.mdl").write_bytes(b"x" * 1_000_000)
    monkeypatch.setattr(vocabulary, "LARGEST_MODEL_MB", 0)
    monkeypatch.setattr(vocabulary, "check_engine", lambda *_: [])
    monkeypatch.setitem(vocabulary.WITH_LEXICON, "vosk", load)
    found = vocabulary.check_vocabulary(big)
    assert [f.status for f in found] == [Status.OK] and "not looked up" in found[0].what
