"""Category: unit. All queues and agents, without a call: whose telephone is not there is seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from voicebot.acd.agents import Agent
from voicebot.acd.matching import Waiter
from voicebot.config import AgentConfig, Config, QueueConfig
from voicebot.switchboard.queues import hall
from voicebot.switchboard.queues.house import WANTED_S, QueueHouse
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
        await house.sign_in("bert")
        assert house.agents()[1].state == "away", "signing in registers no telephone"
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


class Somebody:
    """Who waits, and notes who is asked."""

    call_back, talk, caller, summary, agent = False, None, "", "", ""

    def __init__(self, id_: str) -> None:
        self.waiter = Waiter(id_, "support", asyncio.get_running_loop().time(), 0)
        self.asked: list[str] = []

    def assigned(self, agent: Agent) -> None:
        self.asked.append(agent.name)

    def dropped(self) -> None: ...


async def test_who_is_given_to_an_agent_that_cannot_be_rung_does_not_wait_for_them_alone_for_ever(
    tmp_path: Path,
) -> None:
    config = Config(
        queues={"support": QueueConfig()},
        agents={
            "anna": AgentConfig(channel="PJSIP/anna", queues=("support",)),
            "bert": AgentConfig(channel="PJSIP/bert", queues=("support",), signed_in=False),
        },
    ).model_copy(update={"base": tmp_path})
    now = asyncio.get_running_loop().time()
    telephones = {"PJSIP/anna": "inuse", "PJSIP/bert": "not_inuse"}
    later = 0.0
    house = QueueHouse(
        config, None, presence=lambda channel: telephones[channel], clock=lambda: now + later, epoch=lambda: 0
    )
    try:
        somebody = Somebody("a")
        house._hall.enter(somebody)
        await house.give("a", "anna")  # who talks by herself just now
        await house.sign_in("bert")
        await asyncio.sleep(0)
        assert somebody.asked == []
        later = WANTED_S + 1
        house._hall.changed("support")
        await asyncio.sleep(0)
        assert somebody.asked == ["bert"]
    finally:
        await house.close()


async def test_a_telephone_that_rings_or_is_in_use_for_something_else_is_not_rung(tmp_path: Path) -> None:
    states = ("inuse", "ringing", "ringinuse", "busy", "onhold")
    names = [*states, "free"]
    config = Config(
        queues={"support": QueueConfig()},
        agents={name: AgentConfig(channel=f"PJSIP/{name}", queues=("support",)) for name in names},
    ).model_copy(update={"base": tmp_path})
    telephones = {f"PJSIP/{name}": name for name in states} | {"PJSIP/free": "not_inuse"}
    house = QueueHouse(config, None, presence=lambda channel: telephones[channel])
    try:
        waiting = [Somebody(str(number)) for number in range(3)]
        for each in waiting:
            house._hall.enter(each)
        await asyncio.sleep(0)
        assert [each.asked for each in waiting] == [["free"], [], []]
    finally:
        await house.close()
