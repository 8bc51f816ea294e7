"""Unit: phrases are found fast, and mean what comparing each with each run of words says they mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.understanding.phrases import PhraseBook, compile_meaning

pytestmark = pytest.mark.unit

EN = lexicon_of("en")
RECORDED = json.loads((Path(__file__).parents[3] / "data" / "phrases" / "answers.json").read_text())
"""Answers of the plain algorithm (every phrase against every run of words), one utterance a line.

The phrases stand there as well, so that a language may learn new ones.
"""


def book_of(name: str) -> PhraseBook:
    given = RECORDED["sets"][name]
    lexicon = lexicon_of(given["language"])
    closed = [compile_meaning(n, tuple(p), lexicon) for n, p in given["meanings"].items()]
    commands = [compile_meaning(n, tuple(p), lexicon, command=True) for n, p in given["commands"].items()]
    return PhraseBook([*closed, *commands], lexicon)


BOOKS = {name: book_of(name) for name in RECORDED["sets"]}


@pytest.mark.parametrize("name", BOOKS)
def test_answers_are_those_of_the_plain_algorithm(name: str) -> None:
    answers = [answer for answer in RECORDED["answers"] if answer[0] == name]
    assert len(answers) > 50
    wrong = []
    for _, text, meaning, score in answers:
        found = BOOKS[name].best(text)
        if (found and (found[0].name, pytest.approx(found[1], abs=1e-5))) != (meaning and (meaning, score)):
            wrong.append((text, found and (found[0].name, found[1]), meaning, score))
    assert wrong == []


def test_a_phrase_that_two_meanings_share_is_doubtful_however_it_is_found() -> None:
    def book(**meanings: tuple[str, ...]) -> PhraseBook:
        return PhraseBook([compile_meaning(name, phrases, EN) for name, phrases in meanings.items()], EN)

    assert book(sales=("the shop",), support=("the shop", "a technician")).best("the shop") is None
    assert book(sales=("the department",), support=("the departments",)).best("the department") is None
    found = book(yes=EN.yes, band=("the love band",)).best("I would love to")
    assert found is not None and found[0].name == "band", "a yes that hints at something of the dialog's own"
    assert book(yes=("no idea really", *EN.yes)).best("no idea really") is None, "unsure, though listed"


def test_everyday_words_are_commands_only_nearly_alone() -> None:
    book = BOOKS["typical"]
    for text, meaning in [("back", "back"), ("um, back please", "back"), ("my back hurts a lot", None)]:
        found = book.best(text)
        assert (found and found[0].name) == meaning, text


def test_hits_tell_where_phrases_stand() -> None:
    tokens = ("two", "for", "friday", "or", "saterday")
    book = PhraseBook([compile_meaning(day, phrases, EN) for day, phrases in EN.weekdays.items()], EN)
    found = {(hit.phrase.meaning.name, hit.start, hit.end) for hit in book.hits(tokens)}
    assert {(name, tokens[start]) for name, start, _ in found} == {
        ("friday", "friday"),
        ("saturday", "saterday"),
    }
