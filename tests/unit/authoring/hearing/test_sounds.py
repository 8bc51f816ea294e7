"""Unit: choices that sound alike are named, by distances between phonemes that espeak-ng gave."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from voicebot.authoring.hearing import sounds
from voicebot.authoring.hearing.soundlike import ALIKE, distance
from voicebot.authoring.hearing.sounds import sound_alike, sound_findings
from voicebot.dialog.loading.loader import parse_dialog

pytestmark = pytest.mark.unit

PAIRS = list(csv.DictReader((Path(__file__).parents[3] / "data" / "sounds" / "pairs.csv").open()))
"""Judged by ear and by the experience of menus, before there was code to measure them."""

Phonemes = Callable[[str, str], tuple[str, ...]]


@pytest.fixture(scope="module")
def spoken() -> Phonemes:
    sounds = {row[key]: tuple(row[f"{key}_sounds"]) for row in PAIRS for key in ("one", "other")}
    return lambda phrase, language: sounds.get(phrase, tuple(phrase))


@pytest.mark.parametrize(("language", "least"), [("en-US", 82), ("ko-KR", 31)])
def test_labelled_pairs(language: str, least: int) -> None:
    """82 of 83 in English, 31 of 32 in Korean; no pair that is distinct is called alike."""
    wrong = []
    for row in (row for row in PAIRS if row["language"] == language):
        far = distance(tuple(row["one_sounds"]), tuple(row["other_sounds"]))
        if (far < ALIKE) != (row["alike"] == "yes"):
            wrong.append((row["one"], row["other"], row["alike"], round(far, 2)))
    assert len([row for row in PAIRS if row["language"] == language]) - len(wrong) >= least, wrong
    assert not [pair for pair in wrong if pair[2] == "no"]


def test_a_distance_is_one() -> None:
    """The same both ways, none to itself, and not shortened where a bound is given that it keeps."""
    for row in PAIRS:
        one, other = tuple(row["one_sounds"]), tuple(row["other_sounds"])
        far = distance(one, other)
        assert 0 <= far <= 1 and far == pytest.approx(distance(other, one))
        assert distance(one, one) == 0
        if far < ALIKE:
            assert distance(one, other, ALIKE) == pytest.approx(far)
        else:
            assert distance(one, other, ALIKE) >= ALIKE
    assert distance((), tuple("jɛs")) == 1 and distance((), ()) == 0


def test_what_the_quick_look_rules_out_is_really_different(spoken: Phonemes) -> None:
    """All phrases of the list against each other: what is found is what comparing all of them finds."""
    phrases = {row[key]: tuple(row[f"{key}_sounds"]) for row in PAIRS[:40] for key in ("one", "other")}
    found = sound_alike({phrase: [phrase] for phrase in phrases}, spoken, "en-US")
    everything = {
        frozenset((one, other))
        for one in phrases
        for other in phrases
        if one.lower() < other.lower() and distance(phrases[one], phrases[other]) < ALIKE
    }
    assert {frozenset((pair.one, pair.other)) for pair in found} == everything
    assert [pair.distance for pair in found] == sorted(pair.distance for pair in found)


DIALOG = """
dialog: minutes
slots: {attending: yes_no, minutes: {type: choice, choices: {short: [fifteen], long: [an age, fifty]}}}
always: {sale: {hear: sale, say: Today only.}}
steps:
  first: {ask: How long?, fill: minutes}
  second: {ask: How long?, fill: minutes}
  third:
    ask: What?
    choices: {mail: {goto: bye}, letter: {hear: [the letter, male], goto: bye}, card: {goto: bye}}
  bye: {end: done}
"""


def test_a_dialog_is_told_of_each_pair_once(spoken: Phonemes) -> None:
    dialog = parse_dialog(DIALOG, "minutes.yaml")
    found = sound_findings(dialog, spoken)
    assert [(f.path, f.what) for f in found] == [
        (("slots", "minutes", "choices", "long", "hear", 1), '"fifty" sounds like "fifteen" (`short`)'),
        (
            ("steps", "third", "choices", "letter", "hear", 1),
            '"male" sounds like "mail" (`mail`)',
        ),
        (("steps", "third", "choices", "mail"), '"mail" sounds like "sale" (`sale`)'),
        (("steps", "third", "choices", "letter", "hear", 1), '"male" sounds like "sale" (`sale`)'),
    ]
    assert all(f.warning and f.code == "sound" and f.remedy for f in found)
    assert [f.at_key for f in found] == [False, False, True, False]


TRANSLATED = """
dialog: sizes
languages: [ko-KR]
steps:
  first: {ask: Which?, choices: {one: {hear: the foot, goto: bye}, two: {hear: the arm, goto: bye}}}
  bye: {end: done}
translations: {ko-KR: {Which?: 뭐요?, the foot: 발, the arm: 팔}}
"""


def test_so_many_phrases_are_compared_and_no_more(spoken: Phonemes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sounds, "MOST_COMPARED", 5)
    steps = "".join(
        f"  s{n}: {{ask: Which?, choices: {{a: [fifteen, thirteen], b: [fifty, thirty]}}}}\n"
        for n in range(9)
    )
    found = sound_findings(parse_dialog(f"dialog: x\nsteps:\n{steps}  z: {{end: x}}\n", "x.yaml"), spoken)
    assert "5 pairs were compared" in found[-1].what and len(found) < 9


def test_translated_phrases_are_compared_and_found_in_their_table(spoken: Phonemes) -> None:
    found = sound_findings(parse_dialog(TRANSLATED, "sizes.yaml"), spoken)
    assert [(f.path, f.table, f.what) for f in found] == [
        (("the arm",), "ko-KR", '"팔" sounds like "발" (`one`)')
    ]
