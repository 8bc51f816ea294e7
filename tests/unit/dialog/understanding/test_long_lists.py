"""Unit: lists of many thousand values are understood without anything that grows with their square."""

from __future__ import annotations

import time
import tracemalloc
from itertools import product

import pytest

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.understanding.phrases import Meaning, PhraseBook

pytestmark = pytest.mark.unit

SYLLABLES = ("ka", "mo", "ri", "ten", "bel", "son", "li", "ra", "do", "vi")
STREETS = [f"{''.join(street)} street" for street in product(SYLLABLES, repeat=4)][:4000]
LONGEST_S = 5.0
"""Generous: it takes 0.2 s alone. Comparing all with all took half a minute, and 130 MB."""


def test_the_first_answer_out_of_thousands_comes_soon() -> None:
    streets = [*STREETS, "sunset boulevard"]
    book = PhraseBook(
        [Meaning(f"s{at}", (tuple(name.split()),)) for at, name in enumerate(streets)], lexicon_of("en-US")
    )
    began = time.process_time()
    tracemalloc.start()
    try:
        found = book.best("sunset boulevard please")
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
    assert found is not None and found[0].name == "s4000"
    assert time.process_time() - began < LONGEST_S
