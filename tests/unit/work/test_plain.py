"""unit: values from outside are small and plain, or refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from voicebot.work.plain import LARGEST_DEPTH, NotPlain, deepest, parse_json, plain

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "text",
    [
        "[" * 60_000,
        "[" * (LARGEST_DEPTH + 1) + "]" * (LARGEST_DEPTH + 1),
        "NaN",
        "1e999",
        "1" * 5000,
        "{",
        "",
    ],
)
def test_hostile_json_is_refused(text: str) -> None:
    with pytest.raises(NotPlain):
        parse_json(text)


def test_json_is_read() -> None:
    assert parse_json('{"a": ["[[[", {"b": 1.5}], "c": "\\"[["}') == {"a": ["[[[", {"b": 1.5}], "c": '"[['}
    assert deepest('{"a": ["[[[\\"[", {"b": 1}]}') == 3


def test_values_of_hooks_are_copied_plain() -> None:
    given = {1: (Decimal("1.50"), date(2027, 3, 1)), "x": [None, True, 2.5, "t"]}
    assert plain(given) == {"1": [Decimal("1.50"), date(2027, 3, 1)], "x": [None, True, 2.5, "t"]}


def test_characters_that_no_text_holds_become_blanks() -> None:
    assert parse_json('{"a\\u0000": ["\\ud800", "\\u001b[31m"]}') == {"a ": [" ", " [31m"]}
    assert plain({"a": "\ud800\0"}) == {"a": "  "}


def test_what_dialogs_do_not_know_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    for value in (object(), {"a": {1, 2}}, b"bytes", float("inf"), endless, [0] * 30_000, "x" * 70_000,
                  10**5000, Decimal("NaN"), Decimal("Infinity")):  # fmt: skip
        with pytest.raises(NotPlain):
            plain(value)
