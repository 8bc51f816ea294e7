"""Engines: what is read from a model's files is what the loaded model says of itself."""

from __future__ import annotations

import pytest

from voicebot.dialog.language.languages import lexicon_of
from voicebot.engines.lexicons import lacking
from voicebot.engines.stt_pocketsphinx import PocketsphinxRecognizer
from voicebot.engines.stt_vosk import VoskRecognizer

pytestmark = pytest.mark.engines


def words_of(language: str) -> tuple[str, ...]:
    lexicon = lexicon_of(language)
    phrases = (*lexicon.yes, *lexicon.no, *(p for said in lexicon.commands.values() for p in said))
    return tuple(sorted({word for phrase in phrases for word in phrase.split()} | {"xyzzy", "뷁뷁"}))


def test_vosk() -> None:
    words = words_of("ko-KR")
    lacks = lacking("vosk", "", words)
    assert lacks == VoskRecognizer().lacks(words)
    assert {"xyzzy", "뷁뷁"} <= set(lacks) < set(words)


def test_pocketsphinx() -> None:
    words = words_of("en-US")
    assert lacking("pocketsphinx", "", words) == PocketsphinxRecognizer().lacks(words)
