"""Unit: whatever services and hooks return, in whatever type it is kept and said, nothing raises."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dialog.running.spoken import Talk, dialog
from voicebot.dialog.speaking.spoken import FILTERS
from voicebot.dialog.turns import End, Fetch, Fetched, Handover, HookDone
from voicebot.dialog.understanding.values import value_of_given

pytestmark = pytest.mark.unit

TYPES = (
    "text",
    "number",
    "money",
    "digits",
    "date",
    "time",
    "datetime",
    "yes_no",
    "phone",
    "email",
    "weekday",
)
SAID = " ".join(f"{{v_{kind}}} " + " ".join(f"{{v_{kind}|{name}}}" for name in FILTERS) for kind in TYPES[:4])
DIALOGS = [
    dialog(
        f"language: {language}\nvalues: {{n: number, s: text, {', '.join(f'v_{k}: {k}' for k in TYPES)}}}\n"
        "slots: {ok: yes_no}\nsteps:\n"
        f"  a: {{hook: {{name: h, keep: {{{', '.join(f'v_{k}: v' for k in TYPES)}}}}}, failed: e}}\n"
        "  b: {set: {n: v_number * v_number - result, s: v_text + v_text + text(v_number)}}\n"
        f"  c: {{say: '{{result}} {{n}} {{s}} {SAID} {' '.join(f'{{v_{k}}}' for k in TYPES)}'}}\n"
        "  d:\n    fetch:\n      post: https://x.org/{v_text}/{s}\n"
        "      query: {q: '{v_text}', t: '{v_datetime}'}\n"
        "      headers: {X-A: '{v_text}'}\n      json: {a: '{v_number}', b: '{v_text}', c: 'x{n}{v_money}'}\n"
        "  e: {transfer: {to: r, with: [n, s, v_text, v_datetime], summary: '{s} {v_money} {v_datetime}'}}\n"
    )
    for language in ("en-US", "ko-KR")
]
HOSTILE: list[Any] = [
    10**5000, -(10**400), 10**30, math.nan, math.inf, -0.0, 1e308, 5e-324, b"x", object(), None, True,
    Decimal("sNaN"), Decimal("Infinity"), Decimal("1e999999"), "1e999999", "9" * 60, "-1e-400", "x" * 100_000,
    "a\0\x1b[31m\r\nb", "\ud800", "{who} {env.X} {{", "9999-12-31T23:59:59+14:00", "0001-01-01", [1],
]  # fmt: skip


def goes_well(value: object) -> None:
    for each in DIALOGS:
        for result in (HookDone(value), HookDone({"v": value})):
            talk = Talk(each)
            talk.says(result)
            request = talk.turn.then
            if isinstance(request, Fetch):
                told = f"{request.url} {request.headers}"
                assert told.isascii() or told.encode()
                assert not any(c in request.url for c in "\r\n\0 ")
                assert not any("\r" in text or "\n" in text for _, text in request.headers)
                talk.says(Fetched(200, value))
            assert isinstance(talk.turn.then, End | Handover)


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: f"{type(value).__name__}")
def test_hostile_results(value: object) -> None:
    goes_well(value)


@settings(max_examples=60)
@given(st.one_of(st.text(max_size=30), st.integers(), st.floats(), st.decimals()))
def test_any_result(value: object) -> None:
    goes_well(value)


def test_a_number_with_too_many_figures_is_unknown_and_not_another_one() -> None:
    assert value_of_given(10**60, "number") is None
    assert value_of_given("1" * 60, "number") is None
    assert value_of_given("1" * 60, "money") is None
    assert value_of_given("123456789012345678", "number") == 123456789012345678
    assert value_of_given(0.1, "money") == Decimal("0.1")
