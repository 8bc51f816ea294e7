"""Unit tests of cells that we write: no spreadsheet runs them, and they can be read back."""

from __future__ import annotations

import pytest

from voicebot.outbound.cells import harmless_cell, without_guard

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "|x",
        "+1-202-555-0142",
        "\uff1d1",
    ],
)
def test_formulas_are_guarded_and_come_back(cell: str) -> None:
    assert harmless_cell(cell) == f"'{cell}"
    assert without_guard(harmless_cell(cell)) == cell


@pytest.mark.parametrize("cell", ["", "Ann", "+12025550142", "-3.5", "+3", "'Ann'", "a=b", "O'Hara", "1+1"])
def test_others_stay(cell: str) -> None:
    assert harmless_cell(cell) == cell
    assert without_guard(cell) == cell
