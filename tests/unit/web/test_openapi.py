"""Category: unit. docs/openapi.json is what the code says; run scripts/references after changing it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from voicebot.web.app import api_text

pytestmark = pytest.mark.unit

WRITTEN = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_file_is_up_to_date() -> None:
    assert json.loads(WRITTEN.read_text()) == json.loads(api_text()), "run scripts/references"


def test_every_operation_tells_its_role_and_has_a_name_of_its_own() -> None:
    operations = [each for path in json.loads(api_text())["paths"].values() for each in path.values()]
    names = [each["operationId"] for each in operations]

    assert len(set(names)) == len(names)
    open_ = {each["operationId"] for each in operations if "x-role" not in each}
    assert open_ == {"sign_in", "live", "ready", "metrics"}
    assert all(each.get("description") for each in operations)


def test_what_the_guard_refuses_is_told_of_every_operation() -> None:
    operations = [each for path in json.loads(api_text())["paths"].values() for each in path.values()]
    assert all("421" in each["responses"] for each in operations)
    assert all(("408" in each["responses"]) is ("requestBody" in each) for each in operations)
    assert all("413" in each["responses"] for each in operations if "requestBody" in each)
