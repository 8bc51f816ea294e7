"""Unit: slips of those who know other tools, each told with what to write instead."""

from __future__ import annotations

import pytest

from voicebot.dialog.loading.loader import examine

pytestmark = pytest.mark.unit

DIALOG = """
dialog: x
slots:
  day: {type: date, ask: On which day?}
values:
  cost: {type: money, currency: USD}
  word: text
steps:
  ask: {ask: On which day?, fill: day}
  LINE
  done: {say: Done., end: done}
"""


@pytest.mark.parametrize(
    ("line", "what", "remedy"),
    [
        ("a: {say: 'On {{day}}.'}", "`{{day}}` is said as it stands", "write {day}"),
        ("a: {say: 'On {day|money}.'}", "`day` is of type date, which `money` cannot say", "write {day}"),
        ("a: {say: 'On {day|daate}.'}", "there is no filter `daate`", "did you mean `date`?"),
        ("a: {say: 'On {day at {day}.'}", "the brace before `day` is not closed", "write {day}"),
        ("a: {say: 'On {day|else no day}.'}", "lacks a colon", "write {day|else:no day}"),
        ("a: {say: 'It is {cost}.', set: {cost: 5}}", "`cost` may not be known", "in a step before"),
        ("a: {set: {word: one two}}", "`one two` is no condition", "\"'one two'\""),
        ("a: {set: {word: cheap}}", "there is no value `cheap`", "\"'cheap'\""),
        ("a:\n    say: Press # now", "ends before the `#`", "into quotes"),
    ],
)
def test_a_slip_is_told_with_what_to_write(line: str, what: str, remedy: str) -> None:
    found = examine(DIALOG.replace("LINE", line))
    told = [p for p in (*found.mistakes, *found.warnings) if what in p.what and remedy in p.remedy]
    assert told, (found.mistakes, found.warnings)
    assert told[0].line == 10 + line.count("\n")


@pytest.mark.parametrize(
    "line",
    [
        "a: {say: 'Braces: {{ and }}, {{nothing}}, {day|else:none}, {day|weekday}, {day|date:year}.'}",
        "a:\n    say: Press now.  # so that they press\n    goto: done # soon",
        "a:\n    say: Press now. # so that they press",
    ],
)
def test_what_is_meant_is_no_slip(line: str) -> None:
    found = examine(DIALOG.replace("LINE", line))
    told = [*found.mistakes, *(w for w in found.warnings if w.code in ("template", "comment"))]
    assert told == []


def test_a_mistyped_heading_hides_nothing_and_is_told_alone() -> None:
    found = examine(DIALOG.replace("LINE", "a: {say: 'On {day}.', goto: don}").replace("slots:", "slot:"))
    assert [problem.remedy for problem in found.mistakes] == ["did you mean `slots`?", "did you mean `done`?"]


def test_bounds_of_a_time_stand_in_order() -> None:
    text = DIALOG.replace("day: {type: date,", "day: {type: time, between: ['17:00', '08:00'],")
    assert [p.what for p in examine(text.replace("LINE", "a: {say: Hm.}")).mistakes] == [
        "the first bound is later than the second"
    ]
