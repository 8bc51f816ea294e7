"""What of agents outlives the gateway: who is signed in, and who is paused. It is in `var/agents.json`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from voicebot.acd.agents import Agent, AgentState

FILE = "agents.json"

log = structlog.get_logger(__name__)


class Kept(BaseModel):
    """One agent. `paused`: why, None where they are not."""

    model_config = ConfigDict(extra="ignore")

    signed_in: bool
    paused: str | None = None


class _File(BaseModel):
    agents: dict[str, Kept]


def read_state(var: Path) -> dict[str, Kept]:
    """Return what was kept; nothing where there is no file, or none that can be read."""
    path = var / FILE
    try:
        return _File.model_validate_json(path.read_bytes()).agents
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        log.warning("states of agents not readable", file=str(path), error=str(error))
        return {}


def kept(agents: Iterable[Agent]) -> dict[str, Kept]:
    """Return what is to be kept of agents."""
    return {
        agent.name: Kept(
            signed_in=agent.state is not AgentState.SIGNED_OUT and not agent.leaves,
            paused=agent.reason if agent.state is AgentState.PAUSED or agent.pauses else None,
        )
        for agent in agents
    }


def write_state(var: Path, agents: dict[str, Kept]) -> None:
    """Write it whole or not at all. Raises OSError."""
    var.mkdir(parents=True, exist_ok=True)
    aside = var / f"{FILE}.part"
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(_File(agents=agents).model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        aside.rename(var / FILE)
    finally:
        aside.unlink(missing_ok=True)


class AgentsState:
    """Writes what changed, off the event loop, one file at a time."""

    def __init__(self, var: Path) -> None:
        self._var = var
        self._due: dict[str, Kept] | None = None
        self._writing: asyncio.Task[None] | None = None

    def keep(self, agents: Iterable[Agent]) -> None:
        self._due = kept(agents)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name="states of agents")

    async def _write(self) -> None:
        while self._due is not None:
            due, self._due = self._due, None
            try:
                await asyncio.to_thread(write_state, self._var, due)
            except OSError as error:
                log.error("states of agents not kept", error=str(error))

    async def close(self) -> None:
        """Wait until all is written."""
        if self._writing is not None:
            await asyncio.wait({self._writing})
