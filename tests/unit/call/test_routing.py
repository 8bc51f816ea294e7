"""unit: called numbers to routes."""

from __future__ import annotations

import pytest

from voicebot.call.routing import find_route, pattern_to_regex
from voicebot.config import Route

pytestmark = pytest.mark.unit


def routes(*numbers: str) -> list[Route]:
    return [Route(number=number, dialog="d.yaml") for number in numbers]


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("_6XX", ["600", "699"], ["60", "6000", "700"]),
        ("_NXZ", ["201"], ["101", "200"]),
        ("_[2-5]0", ["20", "50"], ["60", "10"]),
        ("_9.", ["91", "9123456"], ["9"]),
        ("_9!", ["9", "91"], ["8"]),
        ("_+1N.", ["+12025550100"], ["12025550100", "+11"]),
    ],
)
def test_patterns_mean_what_they_mean_in_extensions_conf(
    pattern: str, fits: list[str], fits_not: list[str]
) -> None:
    regex = pattern_to_regex(pattern)
    assert [n for n in fits if regex.fullmatch(n)] == fits
    assert [n for n in fits_not if regex.fullmatch(n)] == []


def test_an_exact_number_wins_then_the_most_specific_pattern() -> None:
    table = routes("_X.", "_6XX", "_60X", "600")
    for number, expected in [("600", "600"), ("601", "_60X"), ("642", "_6XX"), ("7", None), ("77", "_X.")]:
        found = find_route(table, number)
        assert (found.number if found else None) == expected
