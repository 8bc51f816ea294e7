"""Unit: conditions are a closed language: what they compute, what they refuse, and what they cost at most."""

from __future__ import annotations

import timeit
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.expressions.expressions import (
    KEYWORDS,
    ExpressionError,
    evaluate,
    is_true,
    names_in,
    parse_expression,
)
from voicebot.dialog.expressions.functions import FUNCTIONS
from voicebot.dialog.expressions.values import KINDS, LARGEST, LONGEST_RESULT, MOST_ITEMS

pytestmark = pytest.mark.unit

SEOUL = timezone(timedelta(hours=9))
VALUES: dict[str, object] = {
    "attending": True,
    "tries": 2,
    "day": "sunday",
    "call.number": "123",
    "card": "4271",
    "android": "green",
    "price": Decimal("12.50"),
    "rate": 0.1,
    "name": "Sara  Miller",
    "items": ["milk", "bread"],
    "now": datetime(2027, 3, 2, 14, 0, tzinfo=SEOUL),
    "today": date(2027, 3, 2),
    "appointment": datetime(2027, 3, 2, 15, 30),
    "later": datetime(2027, 3, 4, 9, 0),
    "born": date(1987, 3, 3),
    "opens": time(9, 0),
    "wait": timedelta(minutes=90),
}


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
        ("no and no or yes", True),
        ("no or yes and no", False),
        ("not tries == 3", True),
        ("'par' in 'spare'", True),
        ("android == 'green'", True),
        ("'few' if tries < 3 else 'many'", "few"),
        ("1 if no else 2 if no else 3", 3),
        ("[1, 2,] == [1, 2]", True),
        # Numbers
        ("2 + 3 * 4 - 6 / 2", 11),
        ("(2 + 3) * -4", -20),
        ("7 % 3", 1),
        ("10 / 4", 2.5),
        ("1 / 0", None),
        ("5 % 0", None),
        ("0.1 + 0.2 == 0.3", True),
        ("price * 3 == 37.5", True),
        ("price + rate == 12.6", True),
        ("price * 3", Decimal("37.50")),
        ("- tries", -2),
        ("- nothing", None),
        ("nothing * 3", None),
        ("name + 3", None),
        ("attending + 1", None),
        ("999999999999999 * 999999999999999", None),
        # Moments and durations
        ("appointment - now == 90 minutes", True),
        ("appointment - now < 2 hours", True),
        ("appointment > now and later > appointment", True),
        ("appointment == today", True),
        ("later > today and appointment <= today", True),
        ("later - today == 2 days", True),
        ("today + 1 week", date(2027, 3, 9)),
        ("today + 36 hours", datetime(2027, 3, 3, 12, 0)),
        ("later - 2 days", datetime(2027, 3, 2, 9, 0)),
        ("opens + 90 minutes", time(10, 30)),
        ("opens - 10 hours", time(23, 0)),
        ("opens - opens", timedelta(0)),
        ("now < '17:00' and now > opens", True),
        ("appointment < '2027-03-03'", True),
        ("appointment == '2027-03-02T15:30'", True),
        ("appointment == 'soon'", False),
        ("wait * 2 == 3 hours and wait / 30 minutes == 3", True),
        ("wait + 1 second > wait", True),
        ("2 hours in [2 hours]", True),
        ("today + 2", None),
        ("today + 999999 weeks * 999999", None),
        ("born + 999999999 days", None),
        # Functions
        ("length(card)", 4),
        ("length(items)", 2),
        ("length(nothing)", None),
        ("lower('ABC') + upper('abc')", "abcABC"),
        ("contains(name, 'SARA MILLER')", True),
        ("starts_with(name, 'miller')", False),
        ("ends_with(name, 'miller')", True),
        ("contains(nothing, 'a')", False),
        ("first(items)", "milk"),
        ("last(card, 2) + first(card, 1)", "714"),
        ("first([])", None),
        ("number(card) + 1", 4272),
        ("number('12.50') == price", True),
        ("number('twelve')", None),
        ("text(price) + text(attending) + text(today)", "12.50yes2027-03-02"),
        ("round(2.5)", 3),
        ("round(-2.5)", -3),
        ("round(price / 3, 2)", Decimal("4.17")),
        ("min(3, tries, price)", 2),
        ("max([1, 2.5])", 2.5),
        ("max(later, appointment)", datetime(2027, 3, 4, 9, 0)),
        ("max(1, 'a')", None),
        ("date(appointment) == today", True),
        ("time(now) == '14:00'", True),
        ("datetime(today, opens)", datetime(2027, 3, 2, 9, 0)),
        ("weekday(today)", "tuesday"),
        ("year(born) + month(born) + day(born)", 1993),
        ("hour(appointment)", 15),
        ("years_between(born, today)", 39),
        ("years_between('1987-03-02', today)", 40),
        ("days_between(today, later)", 2),
    ],
)
def test_evaluates(text: str, result: object) -> None:
    computed = evaluate(parse_expression(text), VALUES)
    assert computed == result
    assert type(computed) is type(result)


def test_hours_go_by_and_days_follow_the_calendar_when_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    values = {"now": datetime(2027, 3, 27, 12, 0, tzinfo=berlin)}  # clocks go forward in the coming night
    assert evaluate(parse_expression("now + 1 day"), values) == datetime(2027, 3, 28, 12, 0, tzinfo=berlin)
    night = {"now": datetime(2027, 3, 28, 1, 30, tzinfo=berlin)}
    later = evaluate(parse_expression("now + 2 hours"), night)
    assert isinstance(later, datetime)
    assert later.replace(tzinfo=None) == datetime(2027, 3, 28, 4, 30)
    morning = {"now": values["now"], "then": datetime(2027, 3, 28, 12, 0)}
    assert evaluate(parse_expression("then - now"), morning) == timedelta(hours=23)


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "not the end"),
        ("a b", 3, "`b` was not expected"),
        ("a = 1", 3, "compare with =="),
        ("a == ", 6, "not the end"),
        ("a && b", 3, "write `and`"),
        ("a[0]", 2, "no index"),
        ("a ** 2", 3, "no powers"),
        ("f(1)", 1, "there is no function `f`"),
        ("lenght(a)", 1, "did you mean `length`?"),
        ("a.b()", 1, "there is no function"),
        ("__import__('os')", 1, "there is no function"),
        ("round()", 1, "write `round(number, places)`"),
        ("(a", 3, "`)` is missing"),
        ("[a", 3, "`]` is missing"),
        ("a if b", 7, "`else` is missing"),
        ("1 < 2 < 3", 7, "cannot be chained"),
        ("1 in [2] in 3", 10, "cannot be chained"),
        ("a == 'open", 6, "not closed"),
        ("a android", 3, "`android` was not expected"),
        ("a == not b", 6, "put `not ...` in brackets"),
        ("and", 1, "a value was expected"),
        ("[[1]]", 2, "holds no lists"),
        ("2 fortnights", 3, "`fortnights` was not expected"),
        ("9" * 40, 1, "too long"),
        ("a\n and +b", 8, "a value was expected"),
        ("x" * 501, 1, "longer than 500"),
    ],
)
def test_refuses_with_the_column(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse_expression(text)
    assert message in str(caught.value)
    assert caught.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "(" * 60 + "a" + ")" * 60, "(" * 250 + ")" * 250, "not " * 120 + "a", "-" * 400 + "a",
        "[" * 200, "a + " * 100 + "a", "lower(" * 50 + "a" + ")" * 50, "a or " * 200 + "a",
    ],
)  # fmt: skip
def test_refuses_what_is_too_deep_or_too_long_at_once(text: str) -> None:
    started = timeit.default_timer()
    with pytest.raises(ExpressionError):
        parse_expression.__wrapped__(text)
    assert timeit.default_timer() - started < 0.5


def test_long_chains_of_and_and_or_are_flat() -> None:
    assert is_true(" or ".join(["nothing"] * 45 + ["yes"]), {}) is True


def test_a_dot_is_part_of_a_name_and_reaches_nothing() -> None:
    expression = parse_expression("day.__class__ == unknown")
    assert names_in(expression) == {"day.__class__"}
    assert evaluate(expression, VALUES) is True


def test_functions_and_units_are_names_too_and_keywords_are_not() -> None:
    names = {*FUNCTIONS, "days", "hours"}
    for name in names:
        assert parse_expression(f"{name} == 1").holds({name: 1})
    for word in KEYWORDS:
        try:
            assert not names_in(parse_expression(word))
        except ExpressionError:
            continue
    assert names_in(parse_expression("date(day) if hours in [x, 2 days] else -z")) == {
        "day",
        "hours",
        "x",
        "z",
    }


def test_the_switch_word_always_holds() -> None:
    assert is_true(" else ", {}) is True


def test_parsed_once() -> None:
    assert parse_expression("tries + 1") is parse_expression("tries + 1")


def test_what_grows_is_cut() -> None:
    long = {"a": "x" * 900, "l": list(range(90)), "huge": 10**30, "bad": float("nan"), "d": Decimal("1e400")}
    assert evaluate(parse_expression("a + a"), long) == "x" * LONGEST_RESULT
    assert len(evaluate(parse_expression("l + l"), long)) == MOST_ITEMS  # type: ignore[arg-type]
    assert [evaluate(parse_expression(name), long) for name in ("huge", "bad", "d")] == [None] * 3


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(max_size=20),
    st.sampled_from(["2027-03-02", "15:00", "2027-03-02T15:00:00+09:00", "0001-01-01T00:00Z", "12.5"]),
    st.dates(),
    st.times(),
    st.times(timezones=st.just(UTC)),
    st.datetimes(),
    st.datetimes(timezones=st.sampled_from([UTC, SEOUL, ZoneInfo("America/New_York")])),
    st.timedeltas(),
)
ANY_VALUE = st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(), SCALARS, max_size=1))
ATOMS = ["a", "b", "3", "0", "1.5", "'x'", "'2027-03-02'", "2 days", "9 hours", "unknown", "yes", "[a, b, 3]"]


def _larger(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    operators = ["and", "or", "==", "!=", "<", ">=", "in", "not in", "+", "-", "*", "/", "%"]
    calls = [
        f"{name}({', '.join(['{}'] * count)})"
        for name, function in FUNCTIONS.items()
        for count in range(function.fewest, min(function.most, 3) + 1)
    ]
    return st.one_of(
        st.tuples(parts, st.sampled_from(operators), parts).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(["(not {})", "(-{})", *calls]), parts, parts, parts).map(
            lambda p: p[0].format(*p[1:])
        ),
        st.tuples(parts, parts, parts).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
    )


@settings(max_examples=300)
@given(st.recursive(st.sampled_from(ATOMS), _larger, max_leaves=6), ANY_VALUE, ANY_VALUE)
def test_no_values_make_a_sound_expression_raise(text: str, a: object, b: object) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        assert "list" in str(error) or "deep" in str(error) or "longer" in str(error)
        return
    result = expression.evaluate({"a": a, "b": b})
    assert type(result) in KINDS
    assert expression.holds({"a": a, "b": b}) is bool(result)
    if isinstance(result, int | float | Decimal) and not isinstance(result, bool):
        assert abs(result) <= LARGEST


@settings(max_examples=300)
@given(st.text(alphabet="ab1 '()[]<>=!+-*/%,.andornitfelsd\n\"\\", max_size=60) | st.text(max_size=30))
def test_any_text_is_refused_or_evaluated(text: str) -> None:
    try:
        expression = parse_expression(text)
    except ExpressionError as error:
        assert 1 <= error.column <= len(text) + 1
        return
    expression.evaluate(VALUES)


@given(ANY_VALUE, ANY_VALUE)
def test_equality_and_order_agree(a: object, b: object) -> None:
    values = {"a": a, "b": b}
    equal = parse_expression("a == b").holds(values)
    assert parse_expression("b == a").holds(values) is equal
    assert parse_expression("a != b").holds(values) is not equal
    less, more = (parse_expression(text).holds(values) for text in ("a < b", "b < a"))
    assert equal + less + more <= 1
    assert parse_expression("b > a").holds(values) is less


def test_a_typical_condition_is_quick() -> None:
    expression = parse_expression("attending and not (day in ['saturday', 'sunday']) or tries >= 3")
    best = min(timeit.repeat(lambda: expression.holds(VALUES), number=2000, repeat=5)) / 2000
    assert best < 10e-6  # 1 µs where this was written
