"""Unit: what keeps a file from being YAML is told where it is, and how it is written."""

from __future__ import annotations

import pytest

from voicebot.dialog.loading.yamlfile import read_yaml
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

STEP = "steps:\n  ask:\n    ask: Which car?\n{}\n  done:\n    end: done\n"


@pytest.mark.parametrize(
    ("line", "at", "what", "remedy"),
    [
        ("   fill: car", (4, 4), "indented by 3 spaces, the line above by 4", "begin it with 4 spaces"),
        ("      fill: car", (4, 7), "indented by 6 spaces, the line above by 4", "begin it with 4 spaces"),
        ("    fill:car", (4, 5), "a space is missing after `fill:`", "`fill: car`"),
        ("    fill", (4, 5), "neither a key", "`key: value`"),
        ("    help: Say it: golf.", (4, 17), "a colon and a space", '`help: "Say it: golf."`'),
        ("    help: {car}, or not", (4, 16), "begins with `{`", '`help: "{car}, or not"`'),
        ('    help: "Golf". Or not.', (4, 17), "after its closing quote", "`help: '\"Golf\". Or not.'`"),
        ("    help: 'It isn't.'", (4, 19), "after its closing quote", '`help: "It isn\'t."`'),
        ("    help: %d cars", (4, 11), "begins with `%`", '`help: "%d cars"`'),
        ("    help: - a car", (4, 11), "a line of its own", '`help: "- a car"`'),
        ("    set: {tries: 1", (4, 10), "the `{` that begins here", "`}` at its end"),
        ("    fill: [car, day", (4, 11), "the `[` that begins here", "`]` at its end"),
        ('    help: "A golf.\n    noinput: "Sorry?"', (4, 11), "the quote that begins here", "close it"),
        ("  - other: one", (4, 3), "`-` stands among keys", "without the dash"),
    ],
)
def test_the_mistake_itself_is_pointed_at(line: str, at: tuple[int, int], what: str, remedy: str) -> None:
    with pytest.raises(UserError) as raised:
        read_yaml(STEP.format(line), "a.yaml")
    problem = raised.value.problems[-1]
    assert (problem.line, problem.column) == at, problem
    assert what in problem.what and remedy in problem.remedy, problem


@pytest.mark.parametrize("text", ["a: [b: {", "{", "- ]", "? :", "a: 'b", ": :", "a: *b c: &d e: !f"])
def test_whatever_it_is_it_is_told_in_words(text: str) -> None:
    with pytest.raises(UserError) as raised:
        read_yaml(text, "a.yaml")
    assert all(problem.what and problem.remedy for problem in raised.value.problems)
