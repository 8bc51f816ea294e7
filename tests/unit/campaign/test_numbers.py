"""Category: unit. Numbers as people, spreadsheets and vandals write them, and what is said of each."""

from __future__ import annotations

import re

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.numbers import Dialable, WrongNumber, callable_number, normalise

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "region", "number", "country", "kind"),
    [
        ("+1 202-555-0142", "", "+12025550142", "US", "fixed_or_mobile"),
        ("(202) 555-0142", "US", "+12025550142", "US", "fixed_or_mobile"),
        ("1.202.555.0142", "us", "+12025550142", "US", "fixed_or_mobile"),
        ("tel:+1-202-555-0142", "", "+12025550142", "US", "fixed_or_mobile"),
        ("12025550142.0", "US", "+12025550142", "US", "fixed_or_mobile"),
        ("'+12025550142", "", "+12025550142", "US", "fixed_or_mobile"),
        ("(+44) 20 7946 0018", "US", "+442079460018", "GB", "fixed"),
        ("+44 (0)20 7946 0018", "", "+442079460018", "GB", "fixed"),
        ("0049 151 1234 5678", "DE", "+4915112345678", "DE", "mobile"),
        ("0151\u201112345678", "DE", "+4915112345678", "DE", "mobile"),
        ("+39 06 123 45678", "", "+390612345678", "IT", "fixed"),
        ("1-800-555-0199", "US", "+18005550199", "US", "toll_free"),
    ],
)
def test_numbers_are_read_as_people_write_them(
    text: str, region: str, number: str, country: str, kind: str
) -> None:
    assert normalise(text, region) == Dialable(number, country, kind)
    assert callable_number(number) == Dialable(number, country, kind)


@pytest.mark.parametrize(
    ("text", "region", "rule", "why"),
    [
        ("", "US", "invalid_number", "no number"),
        ("  ", "US", "invalid_number", "no number"),
        ("0142", "US", "invalid_number", "too few|too short"),
        ("555-0142", "US", "invalid_number", "too short"),
        ("20255501421234567", "US", "invalid_number", "too long"),
        ("202-555-O142", "US", "invalid_number", "`O`"),
        ("1-800-FLOWERS", "US", "invalid_number", "`F`"),
        ("2.02555E+09", "US", "invalid_number", "spreadsheet"),
        ("=cmd|'/c calc'!A1", "US", "invalid_number", "`=`"),
        ("+12025550142\n+19005550142", "US", "invalid_number", "U\\+000A"),
        ("+12025550142;ext=7", "US", "invalid_number", "extension"),
        ("202 555 0142 x7", "US", "invalid_number", "extension"),
        ("202 555 0142 / 202 555 0143", "US", "invalid_number", "too many"),
        ("+1 202 555 0142 +1 202 555 0143", "US", "invalid_number", "not written like"),
        ("202 555 0142", "", "invalid_number", "no country"),
        ("202 555 0142", "XX", "invalid_number", "`XX` is no country"),
        ("0049 151 1234 5678", "US", "invalid_number", "written with \\+"),
        ("+999 123 4567", "", "invalid_number", "no country code"),
        ("+1 100 555 0142", "", "invalid_number", "no number that exists in US"),
        ("9" * 100, "US", "invalid_number", "too long"),
        ("911", "US", "premium", "emergency"),
        ("112", "DE", "premium", "emergency"),
        ("+1911", "", "invalid_number", "emergency"),
        ("+1 900 555 0142", "", "premium", "premium-rate"),
        ("+1 212 976 5555", "", "premium", "976"),
        ("+44 70 1234 5678", "", "premium", "personal"),
        ("+44 843 123 4567", "", "premium", "shared-cost|premium"),
        ("+49 900 1 123456", "", "premium", "premium-rate"),
        ("+870 773 111 632", "", "premium", "satellite"),
        ("+800 1234 5678", "", "premium", "worldwide"),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(text: str, region: str, rule: str, why: str) -> None:
    with pytest.raises(WrongNumber) as caught:
        normalise(text, region)
    said = str(caught.value)
    assert caught.value.rule == rule and re.search(why, said), said
    assert said.isprintable() and len(said) < 160


@given(st.text(max_size=80), st.sampled_from(("", "US", "GB", "DE", "IT", "XX")))
def test_whatever_is_written_becomes_e164_or_a_sentence(text: str, region: str) -> None:
    try:
        found = normalise(text, region)
    except WrongNumber as error:
        assert str(error).isprintable()
    else:
        assert re.fullmatch(r"\+[0-9]{3,15}", found.number)


@given(st.from_regex(r"\+(1|44|49|39|7|52|590|800|870)[0-9]{6,11}", fullmatch=True))
def test_what_may_be_called_is_valid_and_the_same_as_the_library_writes_it(text: str) -> None:
    try:
        found = normalise(text)
    except WrongNumber as error:
        assert error.rule == "premium" or not phonenumbers.is_valid_number(phonenumbers.parse(text))
    else:
        number = phonenumbers.parse(text)
        assert phonenumbers.is_valid_number(number)
        assert found.number == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert callable_number(found.number) == found
