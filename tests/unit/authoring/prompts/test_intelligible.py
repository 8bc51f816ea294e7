"""Unit: what counts as heard rightly, which words suffered, and what an author may try."""

from __future__ import annotations

import pytest

from voicebot.authoring.prompts.intelligible import comparable, compare, remedy

pytestmark = pytest.mark.unit

SOUNDS = {"sara": ("s", "ɛ", "ɹ", "ə"), "sarah": ("s", "ɛ", "ɹ", "ə"), "fair": ("f", "ɛ", "ɹ")}


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("Your number is 4, 2, 7, 1.", "your number is 4271"),
        ("forty-two seventy-one", "four two seven one"),
        ("At 3:30 PM on Tuesday, March second.", "At 330 p.m. on tuesday, March 2nd"),
        ("eighty four dollars and fifty cents", "$84.50"),
        ("at 3 o'clock", "at 3:00"),
        ("two oh two, oh one oh oh", "202 0100"),
        ("Pick it up, I'll be there", "pick it up i will be there"),
        ("Your voice mail", "your voicemail"),
        ("All right.", "alright"),
        ("one hundred and five", "105"),
        ("예약은 1번입니다.", "예약은 일 번 입니다"),
    ],
)
def test_the_same_is_the_same_however_it_is_written(said: str, heard: str) -> None:
    hearing = compare(said, heard, "ko-KR" if "예" in said else "en-US")
    assert hearing.rate == 0, hearing.suffered


def test_every_wrong_word_counts_and_is_named() -> None:
    hearing = compare("In which city is that?", "and what city is that", "en-US")
    assert hearing.rate == pytest.approx(2 / 5)
    assert hearing.suffered == (("in which", "and what"),)
    assert hearing.misheard() and not hearing.misheard(0.5)


def test_what_is_added_counts_as_well() -> None:
    assert compare("Hello.", "hello there you", "en-US").rate == 2


def test_nothing_heard_is_all_wrong() -> None:
    hearing = compare("Hello, Sara.", "", "en-US")
    assert hearing.rate == 1
    assert "wav" in remedy(hearing, "en-US")


def test_another_spelling_of_the_same_sound_is_right() -> None:
    def sounds(words: str, language: str) -> tuple[str, ...]:
        return SOUNDS[words]

    assert compare("Thank you, Sara.", "thank you sarah", "en-US", sounds).rate == 0
    assert compare("Thank you, Sara.", "thank you fair", "en-US", sounds).rate > 0


def test_oh_is_a_figure_only_among_figures() -> None:
    assert comparable("oh dear", "en-US")[0] == "oh"
    assert comparable("nine oh five", "en-US") == ("9", "0", "5")


@pytest.mark.parametrize(
    ("said", "heard", "wanted"),
    [
        ("Thank you, Bella.", "thank you bell", "name"),
        ("The number is 4, 2, 7, 1, and thank you.", "the number is and thank you", "digits"),
        ("Goodbye.", "bye bye", "too short"),
        (
            "When it leaves our house you get a letter.",
            "when at least our house you get a letter",
            "it leaves",
        ),
    ],
)
def test_a_remedy_fits_what_suffered(said: str, heard: str, wanted: str) -> None:
    assert wanted in remedy(compare(said, heard, "en-US"), "en-US")
