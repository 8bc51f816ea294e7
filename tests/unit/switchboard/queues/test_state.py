"""Category: unit. What of agents outlives the gateway."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.acd.agents import Accepted, Agent, AgentState, Pause, Ring, SignOut
from voicebot.switchboard.queues.state import AGENTS_FILE, KeptAgent, agents_text, read_agents, write_state

pytestmark = pytest.mark.unit


def test_who_is_signed_in_and_paused_comes_back_so(tmp_path: Path) -> None:
    out = Agent("out", state=AgentState.SIGNED_OUT)
    paused = Agent("paused")
    paused.handle(Pause("lunch"), 1)
    leaving, staying = Agent("leaving"), Agent("staying")
    for agent in (leaving, staying):
        agent.handle(Ring("c"), 1)
        agent.handle(Accepted(), 1)
    leaving.handle(SignOut(), 2)
    write_state(tmp_path / AGENTS_FILE, agents_text([out, paused, leaving, staying]))
    assert read_agents(tmp_path) == {
        "out": KeptAgent(signed_in=False),
        "paused": KeptAgent(signed_in=True, paused="lunch"),
        "leaving": KeptAgent(signed_in=False),
        "staying": KeptAgent(signed_in=True),
    }
    assert [each.name for each in tmp_path.iterdir()] == [AGENTS_FILE]


@pytest.mark.parametrize("text", ["", "{", '{"agents": 1}', '{"agents": {"a": {}}}'])
def test_a_file_that_is_none_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / AGENTS_FILE).write_text(text)
    assert read_agents(tmp_path) == {}
