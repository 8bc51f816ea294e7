"""Unit: written text becomes the words that were said."""

from __future__ import annotations

import pytest

from voicebot.engines.spoken import spoken_words

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (" Yes, I will.", "yes i will"),
        ("I don\u2019t know!", "i don't know"),
        ("At 10.30, please.", "at ten thirty please"),
        ("It's 3:05 p.m.", "it's three oh five p m"),
        ("4:00", "four o'clock"),
        ("9am", "nine a m"),
        ("March the 23rd.", "march the twenty third"),
        ("the 1st, 2nd, 3rd, 12th and 30th", "the first second third twelfth and thirtieth"),
        ("2094.", "two zero nine four"),
        ("888-16", "eight eight eight sixteen"),
        ("0 7", "zero seven"),
        ("42", "forty two"),
        ("300", "three hundred"),
        ("1,250", "one thousand two hundred fifty"),
        ("April 1st, 1987", "april first nineteen eighty seven"),
        ("May 2, 1907, or June 2005", "may two nineteen oh seven or june two thousand five"),
        ("Dr. Baker", "doctor baker"),
        ("I am sorry, am I late? I am 45.", "i am sorry am i late i am forty five"),
        ("Is that 5? Am I right?", "is that five am i right"),
        ("At 9 AM, or quarter past nine a.m.", "at nine a m or quarter past nine a m"),
        ("It's $12.50, or \u00a35.", "it's twelve dollars and fifty cents or five pounds"),
        ("3.5 on the 5/12", "three point five on the five slash twelve"),
        ("sara.b@example.com.", "sara dot b at example dot com"),
        ("", ""),
    ],
)
def test_english(written: str, said: str) -> None:
    assert spoken_words(written) == said


def test_other_languages_keep_their_figures() -> None:
    assert spoken_words("예약 3, 번!", "ko-KR") == "예약 3 번"
