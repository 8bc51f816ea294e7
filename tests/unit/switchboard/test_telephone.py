"""Category: unit. Ringing a telephone: what Asterisk is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from voicebot.config import Config, MediaConfig
from voicebot.switchboard.telephone import Telephone

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("endpoint", "formats"), [("Local/777@voicebot-handover/n", "alaw"), ("PJSIP/anna", None)]
)
async def test_what_the_dialplan_rings_has_our_format_and_telephones_their_own(
    endpoint: str, formats: str | None
) -> None:
    services: Any = SimpleNamespace(
        ari=SimpleNamespace(app="voicebot", new_id=lambda kind: "vbp1"),
        config=Config(media=MediaConfig(codec="alaw")),
    )
    request = Telephone(services, endpoint)._originate()
    assert dict(request.params).get("formats") == formats
