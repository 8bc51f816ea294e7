"""Engines: espeak-ng's pronunciation, as the list of pairs that sound alike has it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from voicebot.engines.phonemes import pronounce
from voicebot.errors import UserError

pytestmark = pytest.mark.engines

PAIRS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "sounds" / "pairs.csv").open()))


def test_pronunciations_are_those_on_record() -> None:
    """They change with the library: then the accuracy on the list must be looked at again."""
    spoken = pronounce()
    changed = [
        row[key]
        for row in PAIRS
        for key in ("one", "other")
        if "".join(spoken(row[key], row["language"])) != row[f"{key}_sounds"]
    ]
    assert changed == []


def test_odd_phrases() -> None:
    spoken = pronounce()
    assert spoken("", "en-US") == () and spoken("...", "en-US") == ()
    assert spoken("yes, no.", "en-US") == (*"jɛs", " ", *"noʊ"), "all clauses"
    assert spoken("a\0b", "en-US") and len(spoken("no " * 10_000, "en-US")) < 400
    assert spoken("nein", "de-DE") == (*"na", "\u026a", "n")
    with pytest.raises(UserError, match="cannot pronounce"):
        spoken("yes", "xx-XX")
    assert spoken("yes", "en-US") == tuple("jɛs")
