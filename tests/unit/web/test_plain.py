"""Category: unit. Whatever a caller's name holds, browsers get their news."""

from __future__ import annotations

import json
import math

import pytest

from voicebot.web.plain import encoded

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ({"name": "Kai\ud800"}, {"name": "Kai?"}),
        ({"\udc80": 1}, {"?": 1}),
        ({"confidence": math.nan}, {"confidence": None}),
        ({"steps": ("a", "b")}, {"steps": ["a", "b"]}),
    ],
)
def test_any_text_and_number_becomes_json(value: object, told: object) -> None:
    assert json.loads(encoded(value)) == told
