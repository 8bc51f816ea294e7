"""Unit: grammars for recognisers that are led by one."""

from __future__ import annotations

import pytest

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.jsgf import jsgf_of

pytestmark = pytest.mark.unit

EN = lexicon_of("en-US")


def rules(text: str) -> dict[str, str]:
    """The rules of a grammar by name, the public one as `answer`."""
    header, _, *lines = text.strip().splitlines()
    assert header == "#JSGF V1.0 UTF-8 en;"
    pairs = (line.removeprefix("public ").removesuffix(";").split(" = ", 1) for line in lines)
    return {name.strip("<>"): rule for name, rule in pairs}


def test_phrases_without_operators_of_the_format() -> None:
    found = rules(jsgf_of(["move it", "what's | <that>; /1/"], None, EN))
    assert "( move it | what's    that    1 )" in found["answer"]
    assert set(found) == {"answer"}


def test_digits_are_counted_and_numbers_are_not() -> None:
    four = rules(jsgf_of([], Slot(type="digits", length=4), EN))
    assert four["digits"].startswith("( <digit> <digit> <digit> <digit> )") and "double" in four["digits"]
    card = rules(jsgf_of([], Slot(type="digits", length=16), EN, ["one"]))
    assert card["digits"] == "<digit>+" and "words" not in card
    assert rules(jsgf_of(["none"], Slot(type="number"), EN))["number"].endswith(")+")


def test_words_of_days_and_amounts_in_any_order() -> None:
    found = rules(jsgf_of(["cancel"], Slot(type="date"), EN, ["next", "tuesday", "next"]))
    assert found["words"] == "( ( next | tuesday ) )+"
    assert "( ( cancel ) | <words> )" in found["answer"]


def test_nothing_to_say_is_no_grammar() -> None:
    with pytest.raises(ValueError, match="can be said"):
        jsgf_of([], Slot(type="date"), EN)
