"""Unit: values as machines read them, in addresses and bodies."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from functools import partial
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.speaking.raw import fill_in, fill_in_value
from voicebot.dialog.speaking.templates import TemplateError

pytestmark = pytest.mark.unit

SEOUL = timezone(timedelta(hours=9))
VALUES: dict[str, object] = {
    "at": datetime(2027, 3, 2, 15, 0, tzinfo=SEOUL),
    "day": date(2027, 3, 2),
    "clock": time(9, 5),
    "wait": timedelta(hours=2, minutes=5),
    "ok": True,
    "price": Decimal("12.50"),
    "whole": Decimal("1E+3"),
    "count": 3,
    "rate": 0.5,
    "name": "Sara & Co/é",
    "items": ["a", "b"],
    "call.number": "+12025550100",
}
IN_A_URL = partial(quote, safe="")


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{at} {day} {clock} {wait}", "2027-03-02T15:00:00+09:00 2027-03-02 09:05:00 PT2H5M"),
        ("{at|date} {at|time}", "2027-03-02 15:00:00"),
        ("{ok}, {price}, {whole}, {count}, {rate}", "true, 12.50, 1000, 3, 0.5"),
        ("{items} [{nobody}] {{}}", "a,b [] {}"),
        ("  as  it\nis ", "  as  it\nis "),
    ],
)
def test_fills_in(text: str, filled: str) -> None:
    assert fill_in(text, VALUES) == filled


def test_values_are_quoted_and_the_address_is_not() -> None:
    url = fill_in("http://host/a b?who={name}&phone={call.number}", VALUES, quote=IN_A_URL)
    assert url == "http://host/a b?who=Sara%20%26%20Co%2F%C3%A9&phone=%2B12025550100"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{ok}", True), (" {count} ", 3), ("{price}", 12.5), ("{whole}", 1000), ("{rate}", 0.5),
        ("{items}", ["a", "b"]), ("{nobody}", None), ("{at}", "2027-03-02T15:00:00+09:00"),
        ("{at|date}", "2027-03-02"), ("{name}", "Sara & Co/é"), ("no {count}", "no 3"), ("fixed", "fixed"),
    ],
)  # fmt: skip
def test_keeps_the_type_of_a_lone_reference(text: str, value: object) -> None:
    filled = fill_in_value(text, VALUES)
    assert filled == value
    assert type(filled) is type(value)


@pytest.mark.parametrize("text", ["{", "{a b}", "{a|shout}"])
def test_refuses(text: str) -> None:
    for fill in (fill_in, fill_in_value):
        with pytest.raises(TemplateError):
            fill(text, VALUES)


@given(st.text())
def test_a_quoted_text_comes_back(text: str) -> None:
    try:
        assert unquote(fill_in("{a}", {"a": text}, quote=IN_A_URL)) == text
    except UnicodeEncodeError:
        assert any("\ud800" <= character <= "\udfff" for character in text)


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.datetimes(),
              st.dates(), st.times(), st.timedeltas(), st.lists(st.floats() | st.text() | st.dates()))
)  # fmt: skip
def test_every_value_fits_json(value: object) -> None:
    json.dumps(fill_in_value("{a}", {"a": value}), allow_nan=False)
    assert isinstance(fill_in("{a} {a|time}", {"a": value}), str)
