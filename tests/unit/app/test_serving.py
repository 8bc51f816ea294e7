"""Category: unit. What fails with campaigns beside a gateway is told, and tried again."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from voicebot.app import serving
from voicebot.app.gateway import Gateway
from voicebot.app.serving import Desk, campaigns_beside
from voicebot.config import Config
from voicebot.errors import UserError

pytestmark = pytest.mark.unit


async def test_a_store_that_cannot_be_opened_is_told_once_and_opened_when_it_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: list[object] = []
    opened = asyncio.Event()

    async def patient_store(*_: object) -> Any:
        tries.append(None)
        if len(tries) < 3:
            raise UserError("the store is of a later version")
        opened.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(serving, "patient_store", patient_store)
    monkeypatch.setattr(serving, "AGAIN_S", 0.001)
    monkeypatch.setattr(serving, "CLOSE_S", 0.001)
    gateway = cast(Gateway, SimpleNamespace(stopping=asyncio.Event()))
    with capture_logs() as logs:
        async with campaigns_beside(cast(Config, None), gateway, Desk()), asyncio.timeout(5):
            await opened.wait()
    assert [entry["why"] for entry in logs] == ["the store is of a later version"]
