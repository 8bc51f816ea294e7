"""Category: simulator. A panel for each module, and users who are signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import fake_records
from tests.simulator.web.panel import Served, served


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Three live calls, five past ones of which the newest has a recording."""
    var: Path = tmp_path_factory.mktemp("panel")
    fake_records(var, 5)
    with served(var) as panel:
        yield panel
