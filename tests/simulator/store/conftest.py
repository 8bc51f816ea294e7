"""Simulator: every test of the store runs on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres import fresh_database
from voicebot.store.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new, empty database."""
    return f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else fresh_database()


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    async with Store.open(url, patience_s=5) as opened:
        yield opened
