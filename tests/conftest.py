"""Of all categories: no test inherits how another has set up the logs, takes the panel's usual port, or fails
because the machine is slow for a moment."""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
import structlog

os.environ["VOICEBOT_PANEL__PORT"] = "0"
hypothesis.settings.register_profile("steady", deadline=None)
hypothesis.settings.load_profile("steady")


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """Commands that a test runs in this process set levels, which would hide what the next test looks for."""
    yield
    structlog.reset_defaults()
