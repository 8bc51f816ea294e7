"""Category: unit. A state is ready for JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from voicebot.supervision.state import Endpoint, PbxChannel, PbxMember, PbxQueue, PbxState, Stuck

pytestmark = pytest.mark.unit


def test_it_is_what_asdict_says_and_json() -> None:
    state = PbxState(
        channels=(PbxChannel("1", "PJSIP/a-1"),),
        endpoints=(Endpoint("PJSIP/a", contacts=("sip:x",)), Endpoint("PJSIP/b")),
        queues=(PbxQueue("sales", (PbxMember("PJSIP/a"),)),),
        warnings=(Stuck("PJSIP/a-1", "is old", 5),),
        hidden=("contacts",),
    )
    assert state.as_dict() == asdict(state)
    assert json.loads(json.dumps(state.as_dict()))["queues"][0]["members"][0]["interface"] == "PJSIP/a"
