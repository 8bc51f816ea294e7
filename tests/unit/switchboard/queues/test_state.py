"""Category: unit. What of agents outlives the gateway."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from voicebot.acd.agents import Accepted, Agent, AgentState, Pause, Ring, SignOut
from voicebot.switchboard.queues import state as module
from voicebot.switchboard.queues.state import (
    AGENTS_FILE,
    KeptAgent,
    StateFile,
    agents_text,
    read_agents,
    write_state,
)

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
def test_a_file_that_is_none_counts_as_none_and_is_put_aside(tmp_path: Path, text: str) -> None:
    (tmp_path / AGENTS_FILE).write_text(text)
    assert read_agents(tmp_path) == {}
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("agents.unreadable", text)]


async def test_what_the_disk_did_not_take_is_written_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    written, loop = asyncio.Event(), asyncio.get_running_loop()

    def full(path: Path, text: str) -> None:
        tries.append(text)
        if len(tries) < 3:
            raise OSError(28, "No space left on device")
        write_state(path, text)
        loop.call_soon_threadsafe(written.set)

    monkeypatch.setattr(module, "AGAIN_S", 0.01)
    monkeypatch.setattr(module, "write_state", full)
    state = StateFile(tmp_path / "call_backs.json")
    with capture_logs() as logs:
        state.keep("promise")
        async with asyncio.timeout(5):
            await written.wait()
        await state.close()
    assert (tmp_path / "call_backs.json").read_text() == "promise"
    assert [entry["event"] for entry in logs] == ["state not kept"], "it is told once"


async def test_a_disk_that_takes_nothing_holds_up_no_end(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("")
    state = StateFile(tmp_path / "folder" / "agents.json")
    state.keep("text")
    async with asyncio.timeout(module.AGAIN_S / 2):
        await state.close()
