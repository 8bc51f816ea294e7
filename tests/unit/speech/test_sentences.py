"""Unit: where a prompt is cut into sentences, and what is left of text that no engine could say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.speech.prompts import APOLOGIES, MAX_PROMPT_CHARS, apology, speakable
from voicebot.speech.sentences import CLAUSE_PAUSE_MS, MAX_CHARS, SENTENCE_PAUSE_MS, split_sentences

pytestmark = pytest.mark.unit


def cut(text: str, first_chars: int = 0) -> list[str]:
    return [sentence.text for sentence in split_sentences(text, first_chars)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["You have an appointment on Tuesday at 3 p.m.", "Will you be there?"],
        ["Dr. Smith and Mrs. J. Miller see you at 10:30 a.m. on Friday.", "Please come early!"],
        ["It costs 3.50 euros.", "No. 5 is closed, e.g. for repairs.", "Sorry... really."],
        ["We meet at 3 p.m. Tuesday.", "Call +1 202 555 0100."],
        ["The answer is 5.", "Then go on."],
        ["He left with the dog and I.", "We stayed."],
        ["“Stop.”", "He said (no!)", "Go."],
        ["예약은 세 시입니다.", "괜찮으세요?", "3.5배입니다."],
        ["1. Opening hours", "2. Cancel"],
    ],
)
def test_sentences_end_where_a_reader_would_stop(sentences: list[str]) -> None:
    assert cut("\n".join(sentences) if sentences[0].startswith("1.") else " ".join(sentences)) == sentences


def test_korean_needs_no_space_between_sentences() -> None:
    assert cut("안녕하세요.반갑습니다.네") == ["안녕하세요.", "반갑습니다.", "네"]


def test_a_long_first_sentence_is_cut_at_a_clause_for_a_slow_engine() -> None:
    text = "Hello and welcome, this is the automated assistant of Green Street Clinic. Yes?"
    first, second, _ = split_sentences(text, first_chars=40)
    assert (first.text, first.pause_ms) == ("Hello and welcome,", CLAUSE_PAUSE_MS)
    assert second.pause_ms == SENTENCE_PAUSE_MS
    assert cut("A sentence of many words but without any clause in it at all.", 40) == [
        "A sentence of many words but without any clause in it at all."
    ]


def test_an_endless_sentence_is_cut_between_words() -> None:
    pieces = cut("and so on " * 200)
    assert max(map(len, pieces)) <= MAX_CHARS
    assert all(piece.split()[0] in ("and", "so", "on") for piece in pieces)
    assert max(map(len, cut("x" * 1000))) <= MAX_CHARS


@given(st.text(alphabet="ab A1.,!?;:\n\"'()-…한。", max_size=600), st.integers(0, 80))
def test_no_word_is_lost_or_doubled(text: str, first_chars: int) -> None:
    def spoken(text: str) -> str:
        return "".join(character for character in text if character.isalnum())

    pieces = split_sentences(text, first_chars)
    assert spoken("".join(piece.text for piece in pieces)) == spoken(text)
    assert all(spoken(piece.text) for piece in pieces)
    assert [piece.pause_ms for piece in pieces][-1:] in ([], [0])


def test_nothing_to_say_is_no_sentence() -> None:
    assert cut("") == cut(" \n ") == cut("...") == []


def test_markup_is_neither_obeyed_nor_kept() -> None:
    said = speakable("<speak>One <break time='9s'/> two</speak> [[h@loU]]")
    assert not set(said) & set("<>[]")
    assert said.split()[:2] == ["speak", "One"]


def test_what_cannot_be_said_is_left_out() -> None:
    assert (
        speakable("a\x00b\x1b[0m \U0001f600\u200d\U0001f44d\U0001f3fd\ufe0f ok\t20 °C \ud800")
        == "a b 0m ok 20 °C"
    )
    assert speakable("\U0001f600 \u2728") == speakable("\x01\x02") == ""
    assert speakable("one\r\n\n two") == "one\ntwo"
    assert speakable("예약") == "예약"  # decomposed Hangul is composed
    assert len(speakable("a" * 10 * MAX_PROMPT_CHARS)) == MAX_PROMPT_CHARS


def test_an_apology_is_there_in_every_language() -> None:
    assert apology("ko-KR") == APOLOGIES["ko"]
    assert apology("xx") == APOLOGIES["en"]
