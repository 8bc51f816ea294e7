"""What of queues outlives the gateway: who is signed in or paused, and who is to be called back.

Two small files below `var`, each written whole or not at all: `agents.json` and `call_backs.json`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, ValidationError

from voicebot.acd.agents import Agent, AgentState
from voicebot.files import write_whole

AGENTS_FILE = "agents.json"
CALL_BACKS_FILE = "call_backs.json"
AGAIN_S = 5.0
"""Between tries to write to a disk that takes nothing."""

log = structlog.get_logger(__name__)
M = TypeVar("M", bound=BaseModel)


class _Kept(BaseModel):
    model_config = ConfigDict(extra="ignore")


class KeptAgent(_Kept):
    """One agent. `paused`: why, None where they are not."""

    signed_in: bool
    paused: str | None = None


class _Agents(_Kept):
    agents: dict[str, KeptAgent]


class KeptCallBack(_Kept):
    """One promise. `call_id`, `started_at`: whose record tells of it; `route`: the number of its route."""

    call_id: str
    started_at: datetime
    queue: str
    route: str
    number: str
    caller: str
    summary: str
    language: str
    since_at: float
    priority: int
    skills: tuple[str, ...]


class _CallBacks(_Kept):
    call_backs: list[KeptCallBack]


def read_agents(var: Path) -> dict[str, KeptAgent]:
    """Return what was kept; nothing where there is no file, or none that can be read."""
    kept = _read(var / AGENTS_FILE, _Agents)
    return kept.agents if kept is not None else {}


def read_call_backs(var: Path) -> list[KeptCallBack]:
    """Return what was promised; nothing where there is no file, or none that can be read."""
    kept = _read(var / CALL_BACKS_FILE, _CallBacks)
    return kept.call_backs if kept is not None else []


def agents_text(agents: Iterable[Agent]) -> str:
    """Return the file that keeps agents as they are, or will be once their call is over."""
    kept = {
        agent.name: KeptAgent(
            signed_in=agent.state is not AgentState.SIGNED_OUT and not agent.leaves,
            paused=agent.reason if agent.state is AgentState.PAUSED or agent.pauses else None,
        )
        for agent in agents
    }
    return _Agents(agents=kept).model_dump_json(indent=1)


def call_backs_text(call_backs: Iterable[KeptCallBack]) -> str:
    return _CallBacks(call_backs=list(call_backs)).model_dump_json(indent=1)


def write_state(path: Path, text: str) -> None:
    """Write a file whole or not at all. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text.encode(errors="backslashreplace"), lasting=True)


class StateFile:
    """Writes what changed, off the event loop, one text after the other; where the disk takes nothing, it
    tries on: a promise to a caller is made already."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._due: str | None = None
        self._writing: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def keep(self, text: str) -> None:
        self._due = text
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write(), name=f"writing {self._path.name}")

    async def _write(self) -> None:
        told = False
        while self._due is not None:
            due, self._due = self._due, None
            try:
                await asyncio.to_thread(write_state, self._path, due)
            except OSError as error:
                if not told:
                    log.error("state not kept", file=str(self._path), error=str(error))
                told = True
                if self._closing.is_set():
                    return
                self._due = self._due or due
                with suppress(TimeoutError):
                    async with asyncio.timeout(AGAIN_S):
                        await self._closing.wait()
            else:
                told = False

    async def close(self) -> None:
        """Wait until all is written; what cannot be written now is lost."""
        self._closing.set()
        if self._writing is not None:
            await asyncio.wait({self._writing})


def _read(path: Path, model: type[M]) -> M | None:
    try:
        return model.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        aside = path.with_suffix(".unreadable")
        log.warning("state not readable, it is put aside", file=str(path), aside=str(aside), error=str(error))
        with suppress(OSError):
            path.replace(aside)  # else what is written next would be written over it
        return None
