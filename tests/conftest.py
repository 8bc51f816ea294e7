"""Of all categories: no test inherits how another one has set up the logs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Commands that a test runs in this process set levels, which would hide what the next test looks for."""
    yield
    structlog.reset_defaults()
