"""Who waits and who works: all callers of our queues, all agents, and who of them is asked for whom.

Whenever something changes the hall has `acd/matching.py` decide who is asked for whom, and tells the caller's
task. All of it runs on the event loop's thread. Its methods are for those who wait (`Member`); what
supervisors see and do is `house.QueueHouse`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

import structlog

from voicebot.acd import agents as day
from voicebot.acd.agents import Agent, AgentState
from voicebot.acd.expecting import Experience, expected_wait_s
from voicebot.acd.matching import Rules, Waiter, assign, in_order, next_change
from voicebot.acd.offer import Outcome
from voicebot.audio.frames import Samples
from voicebot.call.live import Hub
from voicebot.config import Config, QueueConfig
from voicebot.switchboard.departing import Departing
from voicebot.switchboard.hold_sound import Phrases
from voicebot.switchboard.queues.music import music_of
from voicebot.switchboard.queues.state import AGENTS_FILE, StateFile, agents_text, read_agents
from voicebot.switchboard.queues.talk import Second, Talk
from voicebot.switchboard.queues.views import AgentView, QueueView, agent_view, queue_view

REST_S: Mapping[Outcome, float] = {
    "declined": 30.0,
    "hung_up": 30.0,
    "no_key": 15.0,
    "no_answer": 15.0,
    "busy": 20.0,
    "unreachable": 20.0,
    "lost": 5.0,
}
"""For so long an agent is not asked again for the same caller; others are, meanwhile."""
TAKEN = frozenset(("inuse", "busy", "ringing", "ringinuse", "onhold"))
"""States of a telephone that somebody else has, or rings: we do not ring it."""
NOT_THERE = {"unavailable": day.NOT_REGISTERED, "no_asterisk": day.NO_ASTERISK}
"""States of a telephone that cannot be rung, and why."""
LOOK_AGAIN_S = 3.0
"""How often telephones are looked at."""

log = structlog.get_logger(__name__)


class Presence(Protocol):
    """The state of a telephone as devices have it: `not_inuse`, `inuse`, `unavailable`, ..., `unknown`; or
    `no_asterisk`."""

    def __call__(self, channel: str) -> str: ...


class Member(Protocol):
    """Whoever waits: a caller on the line, or one who is to be called back."""

    waiter: Waiter
    agent: str
    caller: str
    summary: str

    @property
    def call_back(self) -> bool: ...

    @property
    def talk(self) -> Talk | None: ...

    def assigned(self, agent: Agent) -> None: ...

    def dropped(self) -> None: ...


class Hall:
    """All queues and agents of the configuration.

    hub:   takes news of topics `queue` and `agent`: `changed {view}`
    clock: the event loop's, in s;  epoch: seconds of the epoch
    members: whoever waits, by the id of their call;  talks: those who are with persons, on the line
    departing: tells talks that the gateway stops
    """

    def __init__(
        self,
        config: Config,
        hub: Hub | None,
        presence: Presence | None,
        clock: Callable[[], float],
        epoch: Callable[[], float],
    ) -> None:
        """Raises UserError where music cannot be read."""
        self.config = config
        self.clock = clock
        self.epoch = epoch
        self._hub = hub
        self._presence = presence
        rate = config.media.sample_rate
        self._music = {
            name: music_of(queue.music, config.base, rate, f"queues.{name}.music")
            for name, queue in config.queues.items()
        }
        self.rules = {
            name: Rules(queue.aging_s, queue.relax_skills_s) for name, queue in config.queues.items()
        }
        self._experience = {name: Experience.none() for name in config.queues}
        self.members: dict[str, Member] = {}
        self.talks: dict[str, Member] = {}
        self._with: dict[str, Agent] = {}
        self._seconds: dict[str, Agent] = {}  # who is asked in an attended transfer
        self.phrases = Phrases()
        self.departing = Departing()
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._state = StateFile(config.var / AGENTS_FILE)
        self._agents = self._known_agents()
        if presence is not None:
            self._soon = asyncio.get_running_loop().call_soon(self._match)

    def _known_agents(self) -> dict[str, Agent]:
        """Return all agents, each as they were when the gateway ended."""
        now = self.clock()
        before = read_agents(self.config.var)
        agents = {}
        for name, settings in self.config.agents.items():
            kept = before.get(name)
            signed_in = kept.signed_in if kept is not None else settings.signed_in
            agent = Agent(
                name,
                settings.queues,
                dict(settings.skills),
                state=AgentState.READY if signed_in else AgentState.SIGNED_OUT,
                since=now,
                idle_since=now,
            )
            if kept is not None and signed_in and kept.paused is not None:
                agent.handle(day.Pause(kept.paused), now)
            agents[name] = agent
        return agents

    async def close(self) -> None:
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        await self._state.close()

    # --- those who wait ---------------------------------------------------------------------------------

    def full(self, queue: str) -> bool:
        return len(self.waiters(queue)) >= self.config.queues[queue].capacity

    def enter(self, member: Member) -> None:
        self.members[member.waiter.id] = member
        self.changed(member.waiter.queue)

    def leave(self, member: Member, *, abandoned: bool = False) -> None:
        """Somebody waits no more, however that came. Idempotent."""
        if self.members.get(member.waiter.id) is member:
            del self.members[member.waiter.id]
        if abandoned:
            self._experience[member.waiter.queue].abandoned += 1
        self.changed(member.waiter.queue)

    def back(self, member: Member) -> None:
        """Somebody who had been given to an agent waits again, at their old place."""
        self._experience[member.waiter.queue].answered -= 1
        self.enter(member)

    def hold(self, member: Member, on: bool) -> None:
        """Offer this caller to nobody for the moment."""
        member.waiter.offered = on
        self.changed(member.waiter.queue)

    def given_on(self, queue: str) -> None:
        self._experience[queue].given_on += 1

    def position(self, member: Member) -> tuple[int, float | None]:
        """Return a caller's place, from 1, and how long they may wait yet, in s."""
        queue = member.waiter.queue
        order = [each.id for each in in_order(self.waiters(queue), self.rules, self.clock())]
        position = order.index(member.waiter.id) + 1 if member.waiter.id in order else 1
        return position, self._expected(queue, position)

    # --- offers and talks -------------------------------------------------------------------------------

    def offer_ended(self, member: Member, agent: Agent, outcome: Outcome, why: str = "") -> None:
        """An agent has decided, or was not there (`why`); or the caller has gone."""
        now = self.clock()
        member.agent = ""
        member.waiter.offered = False
        if outcome == "accepted":
            agent.handle(day.Accepted(), now)
            self._experience[member.waiter.queue].answered += 1
        else:
            member.waiter.wanted = ""
            if outcome in REST_S:
                member.waiter.resting[agent.name] = now + REST_S[outcome]
            event = _EVENTS[outcome]
            agent.handle(day.Unreachable(why) if isinstance(event, day.Unreachable) else event, now)
            if agent.state is AgentState.PAUSED:
                self._keep_agents()
        log.info("offer ended", queue=member.waiter.queue, agent=agent.name, outcome=outcome)
        self.changed(member.waiter.queue)
        self.agent_changed(agent)

    def talk_began(self, member: Member, agent: Agent) -> None:
        """The two can talk; the caller waits no more."""
        self._with[member.waiter.id] = agent
        if not member.call_back:
            self.talks[member.waiter.id] = member
        if self.members.get(member.waiter.id) is member:
            del self.members[member.waiter.id]
        self.changed(member.waiter.queue)

    def agent_left(self, member: Member) -> Agent | None:
        """The caller is with somebody else now: the agent is free. Returns who has the call, if an agent."""
        agent = self._with.pop(member.waiter.id, None)
        if agent is not None:
            agent.handle(day.TalkEnded(self.config.queues[member.waiter.queue].wrap_up_s), self.clock())
            self.agent_changed(agent)
        second = self._seconds.pop(member.waiter.id, None)
        if second is not None:
            self._with[member.waiter.id] = second
        return second

    def second(self, member: Member, to: str, what: Second) -> None:
        """Somebody is asked in an attended transfer: an agent who was free is not, meanwhile."""
        kind, _, name = to.partition(":")
        id_, now = member.waiter.id, self.clock()
        if kind != "agent":
            return
        if what == "rings" and self._agents[name].handle(day.Ring(id_), now):
            self._seconds[id_] = self._agents[name]
        agent = self._seconds.get(id_)
        if agent is None:
            return
        if what == "talks":
            agent.handle(day.Accepted(), now)
        elif what == "gone":
            del self._seconds[id_]
            talked = agent.state is AgentState.TALKING
            agent.handle(day.TalkEnded() if talked else day.Withdrawn(), now)
        self.agent_changed(agent)

    def talk_ended(self, member: Member, agent: Agent, talked_s: float | None) -> None:
        """`talked_s` None: the agent was gone before a word was said."""
        self.talks.pop(member.waiter.id, None)
        rest = self.config.queues[member.waiter.queue].wrap_up_s
        if talked_s is not None:
            self._experience[member.waiter.queue].handling.add(talked_s + rest)
        else:
            member.waiter.resting[agent.name] = self.clock() + REST_S["lost"]
        if (last := self._with.pop(member.waiter.id, None)) is not None:
            last.handle(day.TalkEnded(rest if talked_s is not None else 0.0), self.clock())
            self.agent_changed(last)
        self.changed(member.waiter.queue)

    def talk_goes_on(self, member: Member) -> None:
        """They talk on without us: as far as we will ever know, the agent is busy."""
        self.talks.pop(member.waiter.id, None)
        self.changed(member.waiter.queue)

    def called_back(self, queue: str) -> None:
        self._experience[queue].called_back += 1

    # --- agents -----------------------------------------------------------------------------------------

    def tell(self, name: str, event: day.Event) -> bool:
        """Tell an agent's day what has happened, and keep it; False where it means nothing now."""
        agent = self._agents[name]
        meant = agent.handle(event, self.clock())
        if meant:
            self._look_at(agent, self.clock())
            self._keep_agents()
            self.agent_changed(agent)
        return meant

    def _keep_agents(self) -> None:
        self._state.keep(agents_text(self._agents.values()))

    def agent(self, name: str) -> Agent:
        return self._agents[name]

    def channel_of(self, agent: str) -> str:
        return self.config.agents[agent].channel

    def title_of(self, agent: str) -> str:
        return self.config.agents[agent].name or agent

    # --- matching ---------------------------------------------------------------------------------------

    def changed(self, queue: str) -> None:
        """Look who is next, in a moment; and tell those who watch."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._match)
        if self._hub is not None and self._hub.wants("queue", "changed"):
            self._hub.publish("queue", "changed", queue, {"view": self._queue_view(queue).as_dict()})

    def agent_changed(self, agent: Agent) -> None:
        if self._hub is not None and self._hub.wants("agent", "changed"):
            self._hub.publish("agent", "changed", agent.name, {"view": self._agent_view(agent).as_dict()})
        for queue in agent.queues:
            if queue in self.config.queues:
                self.changed(queue)

    def _match(self) -> None:
        self._soon = None
        now = self.clock()
        for agent in self._agents.values():
            if agent.handle(day.TimeUp(), now) | self._look_at(agent, now):
                self.agent_changed(agent)
        waiters = [member.waiter for member in self.members.values()]
        free = [
            agent for agent in self._agents.values() if agent.ready and self._state_of(agent) not in TAKEN
        ]
        for waiter, agent in assign(waiters, free, self.rules, now):
            waiter.offered = True
            agent.handle(day.Ring(waiter.id), now)
            self.agent_changed(agent)
            self.members[waiter.id].assigned(agent)
        dues = [agent.deadline for agent in self._agents.values() if agent.deadline is not None]
        if (due := next_change(waiters, self.rules, now)) is not None:
            dues.append(due)
        if self._presence is not None:
            dues.append(now + LOOK_AGAIN_S)
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(min(dues), self._match) if dues else None

    def _look_at(self, agent: Agent, now: float) -> bool:
        """Whose telephone is not there is away, until it is again. Returns whether that changed."""
        if self._presence is None:
            return False
        why = NOT_THERE.get(self._state_of(agent))
        return agent.handle(day.Registered() if why is None else day.Unregistered(why), now)

    def _state_of(self, agent: Agent) -> str:
        return self._presence(self.channel_of(agent.name)) if self._presence is not None else "unknown"

    # --- looking ----------------------------------------------------------------------------------------

    def config_of(self, queue: str) -> QueueConfig:
        return self.config.queues[queue]

    def music_of(self, queue: str) -> Samples:
        return self._music[queue]

    def queues(self) -> tuple[QueueView, ...]:
        return tuple(self._queue_view(name) for name in self.config.queues)

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(self._agent_view(agent) for agent in self._agents.values())

    def waiters(self, queue: str) -> list[Waiter]:
        """Return those who wait in a queue, in no order."""
        return [each.waiter for each in self.members.values() if each.waiter.queue == queue]

    def _expected(self, queue: str, position: int) -> float | None:
        on_duty = sum(agent.on_duty for agent in self._agents.values() if queue in agent.queues)
        return expected_wait_s(position, on_duty, self._experience[queue])

    def _queue_view(self, name: str) -> QueueView:
        now = self.clock()
        order = in_order(self.waiters(name), self.rules, now)
        return queue_view(
            name,
            [self.members[each.id] for each in order],
            [agent for agent in self._agents.values() if name in agent.queues],
            self._experience[name],
            self._expected(name, len(order) + 1),
            now,
            self.epoch(),
        )

    def _agent_view(self, agent: Agent) -> AgentView:
        since_at = self.epoch() - (self.clock() - agent.since)
        return agent_view(agent, self.title_of(agent.name), self.channel_of(agent.name), since_at)


_EVENTS: Mapping[Outcome, day.Event] = {
    "declined": day.Declined(),
    "hung_up": day.Declined(),
    "withdrawn": day.Withdrawn(),
    "lost": day.Declined(),
    "no_key": day.Unanswered(),
    "no_answer": day.Unanswered(),
    "busy": day.Unreachable(),
    "unreachable": day.Unreachable(),
}
