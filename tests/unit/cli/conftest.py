"""Unit: what tests of the commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.cli.prompt import Operator


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)
