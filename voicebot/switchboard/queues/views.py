"""What the panel, the REST interface and the shell see of queues and agents: plain data, ready for JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

AgentStateName = Literal["signed_out", "paused", "ready", "ringing", "talking", "wrap_up", "away"]
WaiterState = Literal["waiting", "offered", "calling_back"]


@dataclass(frozen=True, slots=True)
class WaitingView:
    """Somebody who waits.

    position:   from 1;  priority: 0 to 10, with what the queue's rules added;  skills: what is wanted
    call_back:  they have hung up and keep their place;  state: `offered` while an agent is rung for them
    wanted:     the only agent who may take them, "" for any
    """

    call_id: str
    position: int
    priority: int
    skills: tuple[str, ...]
    waited_ms: int
    since_at: float
    caller: str
    summary: str
    call_back: bool
    state: WaiterState
    agent: str = ""
    wanted: str = ""


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue of ours.

    agents:            names of those who take its calls and are on duty;  all_agents: of all who may
    longest_wait_ms:   of those who wait now
    expected_wait_ms:  of the next caller, from moving averages; None: nobody knows
    answered, abandoned, called_back, given_on:  callers since the start: talked to an agent; hung up before;
                       were called back; went on to `otherwise`
    """

    name: str
    waiting: tuple[WaitingView, ...]
    agents: tuple[str, ...]
    all_agents: tuple[str, ...]
    longest_wait_ms: int
    expected_wait_ms: int | None
    answered: int
    abandoned: int
    called_back: int
    given_on: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class AgentView:
    """A person who takes calls. `title` is how they are shown; `reason`: why they are paused or away."""

    name: str
    title: str
    channel: str
    state: AgentStateName
    since_at: float
    call_id: str
    queues: tuple[str, ...]
    skills: dict[str, int]
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
