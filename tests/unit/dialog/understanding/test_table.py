"""Unit: phrases of callers in tests/data/understanding, whose values were worked out by hand."""

from __future__ import annotations

import pytest
from benches._understanding import Row, misses, table

pytestmark = pytest.mark.unit

FLOOR = 0.98
"""Of the phrases of each type; whoever adds phrases that are not read yet need not weaken this."""


@pytest.mark.parametrize("name", ["en", "ko"])
def test_what_callers_say_is_understood(name: str) -> None:
    wrong: dict[str, list[tuple[Row, str]]] = {}
    for row, got in misses(name):
        wrong.setdefault(row.type, []).append((row, got))
    told = [
        f"{row.type} ({row.language}): {row.phrase!r} is {got}, not {row.expected}"
        for rows in wrong.values()
        for row, got in rows
    ]
    print("\n".join(told))
    counts = {row.type: 0 for row in table(name)}
    for row in table(name):
        counts[row.type] += 1
    bad = [kind for kind, rows in wrong.items() if 1 - len(rows) / counts[kind] < FLOOR]
    assert not bad, told


def test_the_table_is_large_and_a_part_of_it_must_be_refused() -> None:
    for name, least in (("en", 300), ("ko", 60)):
        rows = table(name)
        assert len(rows) >= least
        assert len({(row.phrase, row.type, row.language, row.now, str(row.slot)) for row in rows}) == len(
            rows
        )
        assert sum(row.expected[0] == "!" or row.expected == "none" for row in rows) >= 0.15 * len(rows)
