"""Unit: which words a value was read from, keyed values, and texts that nobody means well."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.reading import READ_TYPES, read_slot, readings, value_of_keys, words_of

pytestmark = pytest.mark.unit

NOW = datetime(2027, 3, 1, 10, tzinfo=ZoneInfo("America/New_York"))
LONGEST = 500
"""Characters of an utterance that are read; symbols that are spoken make a few more."""


def slot(kind: str, **options: Any) -> Slot:
    return Slot.model_validate({"type": kind, **options})


def spans(kind: str, text: str, language: str = "en-US") -> list[tuple[str, object]]:
    lexicon = lexicon_of(language)
    tokens = words_of(text, lexicon)
    found = readings(slot(kind), tokens, lexicon, NOW, language)
    return [(" ".join(tokens[r.start : r.end]), r.value) for r in found]


def test_several_slots_in_one_breath_know_their_words() -> None:
    breath = "i need two tickets for friday at three"
    assert spans("date", breath) == [("friday", date(2027, 3, 5))]
    assert ("two", 2) in spans("number", breath)
    assert spans("datetime", breath)[0] == ("friday at three", datetime(2027, 3, 5, 15, tzinfo=NOW.tzinfo))
    mine = "my name is ann and my number is two one two five five five oh one two three"
    assert spans("phone", mine)[0] == ("two one two five five five oh one two three", "+12125550123")
    from_to = [value for _, value in spans("date", "from the second to the fifth of march")]
    assert from_to == [date(2027, 3, 2), date(2027, 3, 5)]
    assert spans("money", "forty dollars on friday") == [("forty dollars", Decimal("40.00"))]
    assert spans("number", "금요일에 두 명이요", "ko") == [("두 명이요", 2)]
    assert spans("date", "금요일에 두 명이요", "ko") == [("금요일에", date(2027, 3, 5))]


def test_words_beside_a_value_cast_doubt() -> None:
    lexicon = lexicon_of("en")
    alone = read_slot(slot("number"), "five", lexicon, NOW)
    among = read_slot(slot("number"), "five green bottles hanging there", lexicon, NOW)
    assert alone is not None and among is not None
    assert alone.score == 1.0 > among.score


@pytest.mark.parametrize(
    ("kind", "keys", "language", "value"),
    [
        ("date", "0302", "en-US", date(2027, 3, 2)), ("date", "0203", "en-GB", date(2027, 3, 2)),
        ("date", "03022027", "en-US", date(2027, 3, 2)), ("date", "20270302", "ko", date(2027, 3, 2)),
        ("time", "1530", "en-US", time(15, 30)), ("time", "3", "en-US", time(15)),
        ("time", "0330", "en-US", time(3, 30)), ("time", "330", "en-US", time(15, 30)),
        ("datetime", "03021530", "en-US", datetime(2027, 3, 2, 15, 30, tzinfo=NOW.tzinfo)),
        ("money", "12*50", "en-US", Decimal("12.50")), ("money", "12", "en-US", Decimal("12.00")),
        ("number", "007", "en-US", 7), ("number", "2*5", "en-US", 2.5), ("digits", "007", "en-US", "007"),
        ("phone", "2125550123", "en-US", "+12125550123"),
        ("phone", "**442079460123", "en-US", "+442079460123"),
    ],
)  # fmt: skip
def test_keys(kind: str, keys: str, language: str, value: object) -> None:
    reading = value_of_keys(slot(kind), keys, NOW, language)
    assert reading is not None
    assert (reading.value, reading.invalid) == (value, "")


@pytest.mark.parametrize(
    ("options", "keys", "invalid"),
    [
        ({"type": "date"}, "1332", "form"), ({"type": "date"}, "0230", "form"),
        ({"type": "time"}, "2575", "form"),
        ({"type": "datetime"}, "0302", "incomplete"), ({"type": "digits", "length": 4}, "123", "length"),
        ({"type": "digits", "length": 4, "check": "damm"}, "5725", "check"),
        ({"type": "money"}, "1*234", "form"), ({"type": "number", "between": [1, 5]}, "6", "range"),
        ({"type": "date", "between": ["tomorrow", "+30 days"]}, "03012027", "range"),
        ({"type": "date", "between": ["tomorrow", "+30 days"]}, "02012027", "past"),
        ({"type": "phone"}, "123", "length"),
    ],
)  # fmt: skip
def test_keys_that_are_not_allowed(options: dict[str, object], keys: str, invalid: str) -> None:
    reading = value_of_keys(Slot.model_validate(options), keys, NOW)
    assert reading is not None
    assert reading.invalid == invalid


@pytest.mark.parametrize(
    ("kind", "keys"), [("date", "1"), ("time", "12345"), ("money", "1*2*3"), ("email", "1")]
)
def test_keys_that_mean_nothing(kind: str, keys: str) -> None:
    assert value_of_keys(slot(kind), keys, NOW) is None


COMMON = ("yes", "no", "unsure", "nameless", "decoys")
ONCE_MORE = frozenset(("한번 더", "한 번 더", "once more"))


@pytest.mark.parametrize("language", ["en-US", "ko"])
@pytest.mark.parametrize("kind", sorted(READ_TYPES - {"text", "name", "digits"}))
def test_what_people_always_say_is_no_value(kind: str, language: str) -> None:
    lexicon = lexicon_of(language)
    common = [phrase for name in COMMON for phrase in getattr(lexicon, name)]
    common += [
        phrase for phrases in lexicon.commands.values() for phrase in phrases if phrase not in ONCE_MORE
    ]
    read = {phrase: read_slot(slot(kind), phrase, lexicon, NOW, language) for phrase in common}
    assert {phrase: reading for phrase, reading in read.items() if reading and reading.score >= 0.6} == {}


SPOKEN = """
one two five twenty thirty hundred thousand point minus half quarter past to no not sorry the first second
thirty first of march may friday tuesday next last week in days month at noon am pm oclock dollars cents
fifty double oh o zero as in boy b c capital dash dot gmail com plus and a couple dozen or between 3 30 12.50
2027 99999999999999999999 1e5 ² ٣ 삼 월 일 이 천 만 억 시 반 분 오후 다음 주 금요일 골뱅이 닷컴 점 원
"""
WORDS = st.sampled_from(SPOKEN.split())
TEXTS = st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=14).map(" ".join))


@settings(max_examples=150)
@given(TEXTS, st.sampled_from(sorted(READ_TYPES)), st.sampled_from(["en-US", "en-GB", "ko"]))
def test_no_text_raises_and_every_span_lies_in_it(text: str, kind: str, language: str) -> None:
    lexicon = lexicon_of(language)
    tokens = words_of(text, lexicon)
    options = {"between": ["today", "+30 days"]} if kind in ("date", "datetime") else {}
    read_slot(slot(kind, **options), text, lexicon, NOW, language)
    for reading in readings(slot(kind), tokens, lexicon, NOW, language):
        assert 0 <= reading.start < reading.end <= len(tokens)
        assert 0 <= reading.score <= 1


@settings(max_examples=60)
@given(st.text("0123456789*#A", max_size=45), st.sampled_from(sorted(READ_TYPES)))
def test_no_keys_raise(keys: str, kind: str) -> None:
    value_of_keys(slot(kind), keys, NOW)


@pytest.mark.parametrize("language", ["en-US", "ko"])
@pytest.mark.parametrize("kind", sorted(READ_TYPES))
def test_of_a_flood_of_words_the_beginning_is_read(kind: str, language: str) -> None:
    lexicon = lexicon_of(language)
    floods = [
        "twenty " * 9999,
        "one of march " * 9999,
        "a" * 99999,
        "double " * 9999,
        "dot at " * 9999,
        "b as in " * 9999,
    ]
    floods += ["삼 " * 9999, "다음 주 " * 9999, "일이삼사" * 9999, "9" * 99999, "1.1." * 9999, "+-" * 9999]
    for flood in floods:
        assert sum(map(len, words_of(flood, lexicon))) <= 2 * LONGEST, "only the beginning is read"
        read_slot(slot(kind), flood, lexicon, NOW, language)
