"""Unit: types of conditions: what they yield, and what cannot be meant."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.expressions.expressions import ExpressionError, parse_expression
from voicebot.dialog.expressions.typecheck import infer, problems_in
from voicebot.dialog.expressions.values import KINDS

pytestmark = pytest.mark.unit

TYPES = {
    "appointment": "datetime",
    "born": "date",
    "opens": "time",
    "wait": "duration",
    "card": "digits",
    "tries": "number",
    "price": "money:USD",
    "attending": "yes_no",
    "day": "weekday",
    "size": "choice",
    "name": "name",
    "items": "list",
}
CHOICES = {"size": ["small", "large"]}


@pytest.mark.parametrize(
    ("text", "yields"),
    [
        ("attending and tries", "yes_no"),
        ("tries > 3", "yes_no"),
        ("tries + 1", "number"),
        ("price * 2", "number"),
        ("card + '1'", "text"),
        ("appointment + 2 days", "datetime"),
        ("born - born", "duration"),
        ("wait / 1 hour", "number"),
        ("appointment", "datetime"),
        ("items", "list"),
        ("[1, 2]", "list"),
        ("2 days", "duration"),
        ("unknown", "unknown"),
        ("undeclared", "any"),
        ("undeclared + 1", "number"),
        ("1 if attending else 2", "number"),
        ("1 if attending else unknown", "number"),
        ("1 if attending else 'a'", "any"),
        ("weekday(born)", "text"),
        ("max(tries, 2)", "number"),
        ("first(card, 2)", "text"),
        ("first(items)", "any"),
        ("- wait", "duration"),
    ],
)
def test_infers(text: str, yields: str) -> None:
    expression = parse_expression(text)
    assert infer(expression, TYPES) == yields
    assert problems_in(expression, TYPES, CHOICES) == []


@pytest.mark.parametrize(
    ("text", "column", "message", "remedy"),
    [
        ("card == 4271", 6, "`card` is digits and cannot be compared with the number 4271", "write '4271'"),
        ("4271 == card", 6, "`card` is digits", "write '4271'"),
        ("tries == '3'", 7, "`tries` is a number", "write 3"),
        ("attending == 'no'", 11, "`attending` is yes or no", "write `not attending`"),
        ("appointment == 'x'", 13, "`appointment` is a datetime and cannot be compared with the text 'x'",
         "2027-03-02"),
        ("opens > '2027-03-02'", 7, "`opens` is a time of day", "15:00"),
        ("day == 'Tuesday'", 8, "`day` is never 'Tuesday'", "write 'tuesday'"),
        ("size in ['small', 'huge']", 19, "`size` is never 'huge'", "small, large"),
        ("tries in ['a']", 11, "`tries` is a number", "number(x)"),
        ("tries in 3", 7, "`in` needs a list", "['a', 'b']"),
        ("items == 'a'", 7, "`items` is a list", ""),
        ("attending > no", 11, "has no order", "=="),
        ("wait > 3", 6, "`wait` is a duration", "30 minutes"),
        ("appointment + 2", 13, "`+` cannot join `appointment` (a datetime) and the number 2", "2 days"),
        ("name + 3", 6, "`+` cannot join", "text(x)"),
        ("-name", 1, "`name` (a name) has no negative", ""),
        ("yes and length(tries) > 2", 16, "`length` takes a list or a text, not `tries` (a number)",
         "text(x)"),
        ("round(card)", 7, "`round` takes a number, not `card` (digits)", "number(x)"),
        ("date('soon')", 6, "the text 'soon' is no date or time", "2027-03-02"),
        ("born == opens", 6, "`born` is a date", ""),
    ],
)  # fmt: skip
def test_tells_what_cannot_be_meant(text: str, column: int, message: str, remedy: str) -> None:
    (problem,) = problems_in(parse_expression(text), TYPES, CHOICES)
    assert message in problem.message
    assert problem.column == column
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        "appointment > born", "appointment < opens", "born == '2027-03-02'", "opens >= '17:00'",
        "tries == unknown", "undeclared == 3", "price < 30", "card in ['1', '2']", "'a' in name",
        "day == 'tuesday'", "size == 'large'", "name == card", "card < '5'",
        "datetime(born, opens) - appointment < 2 days", "undeclared in card",
    ],
)  # fmt: skip
def test_lets_pass_what_can_be_meant(text: str) -> None:
    assert problems_in(parse_expression(text), TYPES, CHOICES) == []


def test_all_problems_from_left_to_right() -> None:
    problems = problems_in(parse_expression("card == 1 or (tries == 'a' and name + 1 == 2)"), TYPES)
    assert [problem.column for problem in problems] == [6, 21, 37]


WORDS = [*TYPES, *"+-*<()[],1", "==", "in", "and", "not", "'a'", "2 days", "first(", "min(", "unknown"]


@settings(max_examples=200)
@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_every_sound_expression_has_a_type(words: list[str]) -> None:
    try:
        expression = parse_expression(" ".join(words))
    except ExpressionError:
        return
    assert infer(expression, TYPES) in {*KINDS.values(), "any"}
    for problem in problems_in(expression, TYPES, CHOICES):
        assert 1 <= problem.column <= len(expression.text)
