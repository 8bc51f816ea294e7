"""Unit: numbers and digits in the words of callers, English and Korean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.understanding.numbers import decimals_in, digit_runs
from voicebot.speech.spellout import NATIVE_KOREAN, SINO_KOREAN, spell

pytestmark = pytest.mark.unit

ENGLISH = lexicon_of("en")
KOREAN = lexicon_of("ko")


def numbers(text: str, language: str = "en") -> list[float]:
    return [float(value) for value, _, _ in decimals_in(text.split(), lexicon_of(language))]


def digits(text: str, language: str = "en") -> list[str]:
    return [run.digits for run in digit_runs(text.split(), lexicon_of(language))]


@given(st.integers(0, 10**9))
def test_what_is_spelt_is_read(number: int) -> None:
    assert numbers(spell(number)) == [number]
    assert digits(spell(number)) == [str(number)]


@given(st.integers(0, 10**8 - 1).filter(lambda number: number != 10_000), st.booleans())
def test_korean_is_read_in_one_word_or_in_many(number: int, one_word: bool) -> None:
    words = spell(number, "ko", SINO_KOREAN).replace(" ", "")
    assert numbers(words if one_word else " ".join(words), "ko") == [number]


@given(st.text("0123456789", min_size=1, max_size=12), st.booleans())
def test_digits_one_by_one(code: str, korean: bool) -> None:
    words = [spell(int(c), "ko", SINO_KOREAN) if korean else spell(int(c)) for c in code]
    assert digits(" ".join(words), "ko" if korean else "en") == [code]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("two hundred and five", [205]), ("nineteen hundred", [1900]), ("a thousand and one", [1001]),
        ("two point five", [2.5]), ("twenty 5", [25]), ("2 thousand", [2000]), ("17 or 18", [17, 18]),
        ("zero five", [0, 5]), ("six zero six", [6, 0, 6]),  # digits, not numbers
        ("oh five", [5]), ("the second of three", [3]),
    ],
)  # fmt: skip
def test_english_numbers(text: str, found: list[float]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("forty double two", ["4022"]), ("double two two", ["222"]), ("triple oh seven", ["0007"]),
        ("nought niner nil", ["090"]), ("twenty oh six", ["2006"]), ("four two and seven", ["42", "7"]),
    ],
)  # fmt: skip
def test_english_digits(text: str, found: list[str]) -> None:
    assert digits(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("스물 다섯", [25]), ("이십오 번", [25]), ("백 스물하나", [121]), ("만 오천", [15000]),
        ("3 천", [3000]), ("이십 오백", [20, 500]),
        ("예약 만", []), ("사 이", [4, 2]), ("이십 삼십", [20, 30]), (spell(99, "ko", NATIVE_KOREAN), [99]),
    ],
)  # fmt: skip
def test_korean_numbers(text: str, found: list[float]) -> None:
    assert numbers(text, "ko") == found
