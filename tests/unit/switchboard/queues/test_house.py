"""Category: unit. All queues and agents, without a caller: whose telephone is not there is seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from voicebot.config import AgentConfig, Config, QueueConfig
from voicebot.switchboard.queues import hall
from voicebot.switchboard.queues.house import QueueHouse
from voicebot.switchboard.queues.targets import channel_to

pytestmark = pytest.mark.unit


async def test_agents_without_a_registered_telephone_are_away_though_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hall, "LOOK_AGAIN_S", 0.001)
    config = Config(
        queues={"support": QueueConfig()},
        agents={
            name: AgentConfig(channel=f"PJSIP/{name}", queues=("support",))
            for name in ("anna", "bert", "cleo")
        },
    ).model_copy(update={"base": tmp_path})
    telephones = {"PJSIP/anna": "not_inuse", "PJSIP/bert": "unavailable", "PJSIP/cleo": "unknown"}
    house = QueueHouse(config, None, presence=lambda channel: telephones[channel])

    async def states(**wanted: str) -> None:
        async with asyncio.timeout(2.0):
            while {each.name: each.state for each in house.agents()} != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.001)

    try:
        await states(anna="ready", bert="away", cleo="ready")
        assert house.queues()[0].agents == ("anna", "cleo")
        assert house.agents()[1].reason == "not registered"
        telephones.update({"PJSIP/anna": "unavailable", "PJSIP/bert": "not_inuse"})
        await states(anna="away", bert="ready", cleo="ready")
    finally:
        await house.close()


async def test_an_extension_is_rung_by_a_channel_that_stays_in_the_way(tmp_path: Path) -> None:
    config = Config(
        queues={"support": QueueConfig()}, agents={"anna": AgentConfig(channel="PJSIP/anna")}
    ).model_copy(update={"base": tmp_path})
    assert channel_to(config, "777") == "Local/777@voicebot-handover/n"
    assert channel_to(config, "agent:anna") == "PJSIP/anna"
