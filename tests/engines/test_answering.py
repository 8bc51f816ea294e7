"""Engines: who answered, with the real voice activity detector, on the labelled greetings."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts" / "benches"))

from _answered import Heard, by_of, figures, hear
from _greetings import FOLDER, PARTS, on_the_line, played, scenes

pytestmark = pytest.mark.engines

CONDITIONS = ("clean", "noise 10 dB", "mobile")
RIGHT_AT_LAST = 0.9
MACHINES_CAUGHT = 0.7
"""Share that a campaign hangs up on; where no person may be hung up on, some machines are not caught."""


@cache
def heard(part: str, words: bool) -> tuple[Heard, ...]:
    return tuple(
        hear(scene, on, on_the_line(played(scene), on, scene.name), words=words)
        for scene in scenes()
        for on in CONDITIONS
        if scene.part == part
    )


def test_the_files_are_those_of_the_list() -> None:
    assert {line.path for scene in scenes() for line in scene.lines} == set(FOLDER.glob("*.wav"))


@pytest.mark.parametrize("words", [False, True], ids=["sound", "words"])
@pytest.mark.parametrize("part", PARTS)
def test_judgements(part: str, words: bool) -> None:
    found = heard(part, words)
    right = sum(by_of(one.last) == one.scene.then for one in found)
    assert right >= RIGHT_AT_LAST * len(found)
    told = figures(list(found))
    assert told["persons_hung_up"] == 0
    assert told["machines_hung_up"] >= MACHINES_CAUGHT * told["machines"]  # type: ignore[operator]


@pytest.mark.parametrize("part", PARTS)
def test_every_beep_is_found_and_nothing_else(part: str) -> None:
    beeps = figures(list(heard(part, False)))["beeps"]
    assert beeps["missed"] == beeps["false"] == 0  # type: ignore[index]
    assert beeps["found"] > 0  # type: ignore[index]
