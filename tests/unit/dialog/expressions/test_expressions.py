"""Unit: conditions are a closed language: what they compute, what they refuse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.dialog.expressions.expressions import ExpressionError, evaluate, names_in, parse_expression

pytestmark = pytest.mark.unit

VALUES = {"attending": True, "tries": 2, "day": "sunday", "call.number": "123", "card": "4271"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("attending", True),
        ("not attending", False),
        ("attending == yes and tries < 3", True),
        ("day in ['saturday', 'sunday']", True),
        ("day not in ['saturday', 'sunday'] or tries >= 3", False),
        ("nothing == unknown", True),
        ("nothing > 3", False),
        ("not nothing and tries != 3", True),
        ("tries + 1", 3),
        ("nothing + 1", 1),
        ("call.number == '123'", True),
        ("card == 4271", False),
        ("tries == true", False),
        ("(no or yes) and not (yes and no)", True),
    ],
)
def test_evaluates(text: str, result: object) -> None:
    assert evaluate(parse_expression(text), VALUES) == result


@pytest.mark.parametrize(
    "text",
    [
        "", "a b", "a = 1", "a ==", "__import__('os')", "a[0]", "f(1)",
        "(a", "1 < 2 < 3", "'open", "a.b()", "a and",
        "(" * 60 + "a" + ")" * 60, "a or " * 200 + "a", "9" * 40,
    ],
)  # fmt: skip
def test_refuses(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_expression(text)


def test_a_dot_is_part_of_a_name_and_reaches_nothing() -> None:
    node = parse_expression("day.__class__ == unknown")
    assert names_in(node) == {"day.__class__"}
    assert evaluate(node, VALUES) is True


@given(st.text(alphabet="ab1 '()[]<>=!+-,.andornit", max_size=60))
def test_any_text_is_refused_or_evaluated(text: str) -> None:
    try:
        node = parse_expression(text)
    except ExpressionError:
        return
    evaluate(node, VALUES)
