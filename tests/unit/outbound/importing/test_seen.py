"""Unit tests of what a file held already: as a dictionary would know it, in a fraction of the room."""

from __future__ import annotations

import random

import pytest

from voicebot.outbound.importing.seen import Seen

pytestmark = pytest.mark.unit


def test_it_knows_what_a_dictionary_knows() -> None:
    chance = random.Random(1)
    seen, known = Seen(), {}
    line = 0
    for _ in range(200):
        hashes = [chance.choice((chance.randrange(2000), 2**64 - 1)) for _ in range(40)]
        lines = list(range(line + 1, line + 41))
        line += 40
        expected = []
        for each, at in zip(hashes, lines, strict=True):
            expected.append(known.get(each, 0))
            known.setdefault(each, at)
        assert list(seen.add(hashes, lines)) == expected


def test_nothing_is_nothing() -> None:
    assert list(Seen().add([], [])) == []
