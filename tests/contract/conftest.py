"""The `pbx` of call scenarios: each test runs against the simulated one and against a real Asterisk."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.pbx import Pbx
from tests.contract.real import RealPbx
from tests.integration.conftest import asterisk
from tests.simulator.pbx import SimulatedPbx

__all__ = ["asterisk"]  # the fixture of the session's real Asterisk


@pytest.fixture(
    params=[
        pytest.param("simulator", marks=pytest.mark.simulator),
        pytest.param("asterisk", marks=pytest.mark.integration),
    ]
)
async def pbx(request: pytest.FixtureRequest) -> AsyncIterator[Pbx]:
    """A PBX without calls whose dialplan sends every number to the application of its `settings`."""
    if request.param == "simulator":
        async with SimulatedPbx() as simulated:
            yield simulated
    else:
        async with RealPbx(request.getfixturevalue("asterisk")) as real:
            yield real
