"""Unit: `voicebot call` up to the store; nobody dials."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from tests.unit.cli.prompt import Operator

pytestmark = pytest.mark.unit

SARA = "+12025550141"


def call(operator: Operator, *words: str) -> list[str]:
    return ["call", SARA, "--dialog", str(operator.folder / "visit.yaml"), "--asked", "the desk", *words]


def test_a_call_waits_in_the_store(operator: Operator) -> None:
    result = operator.run(*call(operator, "--at", "2127-03-01T06:30", "--given", "first_name=Sara"))
    assert result.exit_code == 0, result.output
    assert "06:30 on their clock (America/New_York)" in result.stdout and "nobody dials yet" in result.stderr
    name = result.stdout.partition(":")[0]
    assert operator.told("status", name)["contacts"]["due"] == 1
    assert "as they asked" in operator.campaign("why", SARA).stdout


def test_times_without_a_clock_are_refused(operator: Operator) -> None:
    words = [
        "call",
        "+18005550199",
        "-d",
        str(operator.folder / "visit.yaml"),
        "--asked",
        "x",
        "--at",
        "06:30",
    ]
    assert "--zone America/Denver" in operator.refused(*words)
    result = operator.run(*words, "--zone", "America/Denver", "--given", "first_name=A", "--json")
    due = datetime.fromisoformat(json.loads(result.stdout)["due"])
    assert (due.hour, due.minute) in ((6, 30), (12, 30), (13, 30)), "local, or UTC in summer or winter"
    assert "no time zone `Nowhere/Land`" in operator.refused(*words, "--zone", "Nowhere/Land")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--given", "first_nme=Sara"), "did you mean `first_name`?"),
        (("--given", "Sara"), "has no name"),
        (("--at", "25:00"), "no time of day"),
        (("--caller", "12"), "no caller id"),
        (("--trunk", "PJSIP/x"), "no place for the number"),
        (("--trunk", "mian"), "there is no trunk `mian`"),
        (("--business", "Other Inc"), "`Other Inc`"),
    ],
)
def test_mistakes_are_told_with_their_remedy(operator: Operator, words: tuple[str, ...], told: str) -> None:
    assert told in operator.refused(*call(operator, *words))
    assert "no campaigns yet" in operator.campaign("status").stdout


def test_nobody_is_called_without_consent(operator: Operator) -> None:
    path = str(operator.folder / "visit.yaml")
    assert "without their consent" in operator.refused("call", SARA, "--dialog", path)
    assert "premium" in operator.refused("call", "+19005550123", "--dialog", path, "--asked", "x")


def test_single_calls_that_are_over_do_not_fill_the_screen(operator: Operator) -> None:
    name = operator.run(*call(operator, "--given", "first_name=Sara")).stdout.partition(":")[0]
    assert name in operator.campaign("status").stdout
    operator.campaign("stop", name)
    shown = operator.campaign("status").stdout
    assert name not in shown and "1 single call" in shown
