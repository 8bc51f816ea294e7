"""What the panel, the REST interface and the shell see of queues and agents: plain data, ready for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from voicebot.acd.agents import Agent
from voicebot.acd.expecting import Experience
from voicebot.acd.matching import Waiter

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


class Waits(Protocol):
    """Somebody who waits, as they are seen."""

    waiter: Waiter
    agent: str
    caller: str
    summary: str

    @property
    def call_back(self) -> bool: ...


def queue_view(
    name: str,
    order: Sequence[Waits],
    agents: Sequence[Agent],
    experience: Experience,
    expected_s: float | None,
    now: float,
    epoch: float,
) -> QueueView:
    """Return how a queue stands. order: who waits, the next one first; `now` and `epoch`: one moment, by the
    clock of the waiters and in seconds of the epoch."""
    waiting = tuple(_waiting_view(each, at, now, epoch) for at, each in enumerate(order, 1))
    return QueueView(
        name=name,
        waiting=waiting,
        agents=tuple(agent.name for agent in agents if agent.on_duty),
        all_agents=tuple(agent.name for agent in agents),
        longest_wait_ms=max((each.waited_ms for each in waiting), default=0),
        expected_wait_ms=None if expected_s is None else round(expected_s * 1000),
        answered=experience.answered,
        abandoned=experience.abandoned,
        called_back=experience.called_back,
        given_on=experience.given_on,
    )


def _waiting_view(member: Waits, position: int, now: float, epoch: float) -> WaitingView:
    waiter = member.waiter
    return WaitingView(
        call_id=waiter.id,
        position=position,
        priority=waiter.priority,
        skills=waiter.skills,
        waited_ms=round((now - waiter.since) * 1000),
        since_at=epoch - (now - waiter.since),
        caller=member.caller,
        summary=member.summary,
        call_back=member.call_back,
        state="offered" if member.agent else "waiting",
        agent=member.agent,
        wanted=waiter.wanted,
    )


def agent_view(agent: Agent, title: str, channel: str, since_at: float) -> AgentView:
    """Return how an agent stands. since_at: when their state began, seconds of the epoch."""
    return AgentView(
        name=agent.name,
        title=title,
        channel=channel,
        state=agent.state.value,
        since_at=since_at,
        call_id=agent.call_id,
        queues=agent.queues,
        skills=dict(agent.skills),
        reason=agent.reason,
    )
