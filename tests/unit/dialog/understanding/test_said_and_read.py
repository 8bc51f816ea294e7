"""Unit: amounts, phone numbers, spelled names and addresses are read back from how people say them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from string import ascii_lowercase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot, Value
from voicebot.dialog.speaking.spoken_numbers import say_email, say_money, say_phone
from voicebot.dialog.understanding.reading import read_slot
from voicebot.dialog.understanding.spelling import PILOTS
from voicebot.speech.spellout import SINO_KOREAN, spell

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 10, tzinfo=UTC)
NAMES = {letter: word for word, letter in PILOTS.items()}


def said(text: str, kind: str, language: str = "en-US", **options: object) -> Value | None:
    slot = Slot.model_validate({"type": kind, **options})
    reading = read_slot(slot, text, lexicon_of(language), NOW, language)
    return None if reading is None or reading.invalid else reading.value


@given(st.integers(0, 999_999), st.integers(0, 99))
def test_dollars_and_cents(dollars: int, cents: int) -> None:
    amount = Decimal(dollars) + Decimal(cents) / 100
    whole = f"{spell(dollars)} dollar{'' if dollars == 1 else 's'}"
    assert said(f"{whole} and {spell(cents)} cents", "money") == amount
    assert said(f"${amount:,.2f}", "money") == amount
    if cents >= 10:
        assert said(f"{whole} {spell(cents)}", "money") == amount


LANGUAGES = st.sampled_from(["en-US", "en-GB", "ko"])


@given(st.integers(1, 10_000_000), LANGUAGES)
def test_an_amount_is_read_as_our_voice_says_it(hundredths: int, language: str) -> None:
    amount = Decimal(hundredths) if language == "ko" else Decimal(hundredths) / 100
    assert said(say_money(amount, language), "money", language) == amount


@given(st.integers(0, 9999), LANGUAGES)
def test_a_phone_number_is_read_as_our_voice_says_it(line: int, language: str) -> None:
    home = {"en-US": "+1212736", "en-GB": "+44207946", "ko": "+82101234"}[language]
    number = f"{home}{line:04}"
    for tongue in (language, "en-US"):  # from abroad, with the code of the country
        assert said(say_phone(number, tongue), "phone", tongue) == number


@given(st.integers(1, 99_999_999), st.booleans())
def test_won(amount: int, one_word: bool) -> None:
    words = spell(amount, "ko", SINO_KOREAN).replace(" ", "")
    assert said(f"{words}원" if one_word else f"{words} 원이요", "money", "ko") == amount
    assert said(f"{amount:,}원", "money", "ko") == amount


@given(st.integers(0, 9999), st.booleans())
def test_phone_numbers(line: int, international: bool) -> None:
    digits = f"212736{line:04}"
    words = " ".join(spell(int(digit)) for digit in digits)
    assert said(f"plus one {words}" if international else words, "phone") == f"+1{digits}"
    assert said(f"({digits[:3]}) {digits[3:6]}-{digits[6:]}", "phone") == f"+1{digits}"


@given(st.text(ascii_lowercase, min_size=2, max_size=12), st.text("23456789", max_size=4))
def test_names_and_codes(name: str, figures: str) -> None:
    after = [spell(int(figure)) for figure in figures]
    for words in ([NAMES[c] for c in name], list(name.upper()), [f"{c} as in {NAMES[c]}" for c in name]):
        assert said(" ".join((*words, *after)), "spelled") == (name + figures).upper()


LABELS = st.text("bcdfghjklmnpqrstvwxyz", min_size=4, max_size=9)


@given(LABELS, LABELS, st.sampled_from([("dot", "."), ("underscore", "_"), ("dash", "-")]), LABELS)
def test_addresses(first: str, last: str, sign: tuple[str, str], domain: str) -> None:
    address = f"{first}{sign[1]}{last}@{domain}.com"
    assert said(f"{first} {sign[0]} {last} at {domain} dot com", "email") == address
    assert said(address.upper(), "email") == address
    spelled = " ".join(last)
    assert said(f"my address is {first} {sign[0]} {spelled} at {domain} dot com please", "email") == address
    for language in ("en-US", "ko"):
        assert said(say_email(address, language), "email", language) == address
