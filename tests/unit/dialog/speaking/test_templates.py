"""Unit: texts with values: what is said, what is refused, and what it costs."""

from __future__ import annotations

import timeit
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.speaking.templates import (
    LONGEST_RENDERED,
    Reference,
    TemplateError,
    parse_template,
    references,
    render,
)
from voicebot.speech.characters import without_controls

pytestmark = pytest.mark.unit

VALUES = {
    "name": "Sara",
    "at": datetime(2027, 3, 2, 15, 30),
    "noon": "2027-03-02T12:00",
    "early": "2027-10-21T09:05:00+09:00",
    "clock": "21:00",
    "card": "4271",
    "ok": True,
}


@pytest.mark.parametrize(
    ("text", "language", "said"),
    [
        ("Hello {name}!", "en-US", "Hello Sara!"),
        ("{at|date} at {at|time}", "en-US", "Tuesday, March second at 3:30 PM"),
        ("{at|date} {at|time}", "ko-KR", "3월 2일 화요일 오후 세 시 삼십 분"),
        ("{early|date} {early|time}", "en-US", "Thursday, October twenty first 9 oh 5 AM"),
        ("{early|date} {early|time}", "ko-KR", "시월 21일 목요일 오전 아홉 시 오 분"),
        ("{at|date} {at|time}", "en-GB", "Tuesday the second of March 3:30 pm"),
        ("{at|date} {at|time}", "de-DE", "Dienstag, 2. März 15:30"),
        ("{at|weekday}", "fr", "mardi"),
        ("{at|date} {clock|time}", "xx", "Tuesday, March second 9 PM"),
        ("{noon|time}", "en-US", "noon"),
        ("{noon|time}", "ko-KR", "정오"),
        ("{card|digits} {name|spell}", "en-US", "4, 2, 7, 1 S, A, R, A"),
        ("{at|weekday}", "ko-KR", "화요일"),
        ("{ok}", "en-US", "yes"),
        ("{nobody} there {{braces}}", "en-US", "there {braces}"),
        ("{name|date}", "en-US", "Sara"),
    ],
)
def test_says(text: str, language: str, said: str) -> None:
    assert render(text, VALUES, language) == said


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("{", 1, "is no value"),
        ("{}", 1, "is no value"),
        ("say {a b}", 5, "is no value"),
        ("}", 1, "is no value"),
        ("Hi {name|shout}", 4, "there is no filter `shout`"),
        ("{name.__class__.x()}", 1, "is no value"),
        ("{price|money:dollars}", 1, "`money:USD`"),
        ("{name|spell:x}", 1, "takes nothing after it"),
        ("{name:x}", 1, "is no value"),
    ],
)
def test_refuses_with_the_column(text: str, column: int, message: str) -> None:
    with pytest.raises(TemplateError) as caught:
        render(text, VALUES, "en-US")
    assert message in str(caught.value)
    assert caught.value.column == column


def test_values_are_said_by_their_declared_type_unless_a_filter_says_otherwise() -> None:
    values = {
        "price": Decimal("12.50"),
        "pin": "0471",
        "at": datetime(2027, 3, 2, 15),
        "tries": 3,
        "now": None,
    }
    types = {"price": "money:EUR", "pin": "digits", "at": "datetime", "tries": "number"}
    text = "{price}, {price|money:USD}; {pin}; {at}; {at|weekday}; {tries} of {other}"
    assert render(text, values, "en-US", types) == (
        "twelve euros and fifty cents, twelve dollars and fifty cents; 0, 4, 7, 1; "
        "Tuesday, March second at 3 PM; Tuesday; three of"
    )
    assert render("{tries}", values, "en-US") == "3"


def test_tomorrow_is_seen_from_now() -> None:
    values = {"at": datetime(2027, 3, 2, 15), "now": datetime(2027, 3, 1, 10)}
    assert render("See you {at|day} at {at|time}.", values, "en-US") == "See you tomorrow at 3 PM."


def test_references_are_found_with_filter_and_argument() -> None:
    assert references("{a} { b.c | money : USD } {{d}}") == (Reference("a"), Reference("b.c", "money", "USD"))


def test_what_is_long_is_cut() -> None:
    assert len(render("{a} " * 900, {"a": "x" * 5000}, "en-US")) == LONGEST_RENDERED


@settings(max_examples=200)
@given(st.text(alphabet="ab {}|:.moneydatUSDx", max_size=40) | st.text(max_size=30), st.text(max_size=20))
def test_any_text_is_refused_or_said(text: str, value: str) -> None:
    try:
        parts = parse_template(text)
    except TemplateError as error:
        assert 1 <= error.column <= len(text)
        return
    said = render(text, {"a": value, "b": 3}, "en-US", {"b": "money"})
    if all(isinstance(part, str) for part in parts):
        assert said == " ".join(without_controls("".join(map(str, parts))).split())


@given(st.text(max_size=40))
def test_doubled_braces_say_the_text_itself(text: str) -> None:
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert render(doubled, {}, "en-US") == " ".join(without_controls(text).split())


def test_a_value_steers_no_terminal_and_ends_no_text() -> None:
    assert render("Is {a} right?", {"a": "x\x1b[2J\0\ud800y"}, "en-US") == "Is x [2J y right?"


def test_a_prompt_with_one_value_is_quick() -> None:
    text = "Hello {name}, this is the automated assistant of Green Street Clinic."
    types = {"name": "text"}
    best = min(timeit.repeat(lambda: render(text, VALUES, "en-US", types), number=2000, repeat=5)) / 2000
    assert best < 10e-6  # 1 µs where this was written
