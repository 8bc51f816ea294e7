"""Category: simulator. What the API says of itself is true: generated requests find no answer that it does
not tell of, for an admin and for a viewer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    positive_data_acceptance,
    unsupported_method,
)

from tests.house import bare_house
from tests.simulator.web.panel import Served
from voicebot.web.app import make_app

pytestmark = pytest.mark.simulator

EXAMPLES = 8
STREAMS = "/api/v1/events"
"""It never ends; test_events.py looks at it."""
TAKES_ITSELF_AWAY = ("sign_out", "sign_in", "own_password")
OUT_OF_SCOPE = [
    ignored_auth,  # test_roles.py walks all routes, with each role and none
    positive_data_acceptance,  # a value that is well formed may be impossible now: 409
    unsupported_method,  # HEAD and OPTIONS are as the framework has them
]
quick = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def _operations() -> dict[str, Any]:
    document = json.loads(json.dumps(make_app(bare_house()).openapi()))
    schema = schemathesis.openapi.from_dict(document)
    found = (each.ok() for each in schema.get_all_operations())
    return {
        operation.definition.raw["operationId"]: operation
        for operation in found
        if operation.path != STREAMS and operation.definition.raw["operationId"] not in TAKES_ITSELF_AWAY
    }


OPERATIONS = _operations()


@pytest.fixture(scope="module")
def ways_in(panel: Served) -> Iterator[dict[str, dict[str, str]]]:
    """Headers of each role: the admin is a machine, the viewer a browser."""
    with panel.sign_in("vera") as browser:
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        viewer = {"cookie": cookie, "origin": panel.at, "x-csrf-token": browser.headers["x-csrf-token"]}
        yield {"admin": {"authorization": f"Bearer {panel.token}"}, "viewer": viewer}


@pytest.mark.parametrize("role", ["admin", "viewer"])
@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_nothing_undocumented(
    operation_id: str, role: str, panel: Served, ways_in: dict[str, dict[str, str]]
) -> None:
    @quick
    @given(case=OPERATIONS[operation_id].as_strategy())
    def answers(case: Any) -> None:
        case.call_and_validate(
            base_url=panel.at, headers=ways_in[role], excluded_checks=OUT_OF_SCOPE, timeout=10
        )

    answers()
