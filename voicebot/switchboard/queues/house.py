"""Our own queues: who waits, who is asked, and what supervisors do about it.

`QueueHouse` knows all callers who wait and all agents; whenever something changes it has `acd/matching.py`
decide who is asked for whom, and tells the caller's task. All of it runs on the event loop's thread.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

import structlog

from voicebot.acd import agents as day
from voicebot.acd.agents import Agent, AgentState
from voicebot.acd.expecting import Experience, expected_wait_s
from voicebot.acd.keys import Cancel, Complete, Swap, TransferTo, forms_of
from voicebot.acd.matching import Rules, Waiter, assign, in_order, move, next_change
from voicebot.acd.offer import Outcome
from voicebot.acd.weighing import Rule, weigh
from voicebot.audio.frames import Samples
from voicebot.call.handover import HANDOVER_CONTEXT
from voicebot.call.live import Hub
from voicebot.call.people import Presenter
from voicebot.call.services import Services
from voicebot.config import AgentConfig, Config, QueueConfig, Route
from voicebot.dialog.turns import Handover
from voicebot.errors import Problem, UserError
from voicebot.switchboard.hold_sound import Phrases
from voicebot.switchboard.queues.callbacks import CallBacks
from voicebot.switchboard.queues.music import music_of
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.state import AGENTS_FILE, StateFile, agents_text, read_agents
from voicebot.switchboard.queues.talk import Talk, TalkEnd
from voicebot.switchboard.queues.views import AgentView, QueueView, WaitingView
from voicebot.switchboard.queues.waiting import Waiting, stay_of, values_of

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
TAKEN = frozenset(("inuse", "busy", "ringinuse", "onhold"))
"""States of a telephone whose owner talks to somebody else: it is not rung."""
WANTED_S = 30.0
"""For so long who was given to one agent waits for just that one."""
LOOK_AGAIN_S = 3.0
"""How often telephones are looked at."""

log = structlog.get_logger(__name__)


class MayDial(Protocol):
    """The rules for calls that we place; returns why a number may not be dialled, None where it may."""

    def __call__(self, number: str) -> str | None: ...


class Presence(Protocol):
    """The state of a telephone as devices have it: `not_inuse`, `inuse`, `unavailable`, ..., `unknown`."""

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


class QueueHouse:
    """All queues and agents of the configuration; what it can do for others is below `queues()`.

    Everything that does something raises UserError with a remedy: no such agent or call, or a wrong moment.
    News of topics `queue` and `agent`: `changed {view}`.
    """

    def __init__(
        self,
        config: Config,
        hub: Hub | None,
        *,
        may_dial: MayDial | None = None,
        presence: Presence | None = None,
        services: Callable[[Route], Services] | None = None,
        clock: Callable[[], float] | None = None,
        epoch: Callable[[], float] = time.time,
    ) -> None:
        """Raises UserError where music cannot be read, or a queue or trunk is named that is not there."""
        self.config = config
        self.clock = clock or asyncio.get_running_loop().time
        self.epoch = epoch
        self._hub = hub
        self._may_dial = may_dial
        self._presence = presence
        _check(config)
        rate = config.media.sample_rate
        self._music = {
            name: music_of(queue.music, config.base, rate, f"queues.{name}.music")
            for name, queue in config.queues.items()
        }
        self._rules = {
            name: Rules(queue.aging_s, queue.relax_skills_s) for name, queue in config.queues.items()
        }
        self._experience = {name: Experience.none() for name in config.queues}
        self._members: dict[str, Member] = {}
        self._talks: dict[str, Waiting] = {}
        self._with: dict[str, Agent] = {}
        self.phrases = Phrases()
        self._order = 0
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._state = StateFile(config.var / AGENTS_FILE)
        self._agents = self._known_agents()
        self.call_backs = CallBacks(self)
        if services is not None:
            self.call_backs.restore(services)
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
        """Stop what is done without a caller on the line: call-backs."""
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        await self.call_backs.close()
        await self._state.close()

    # --- callers ----------------------------------------------------------------------------------------

    def takes(self, handover: Handover) -> bool:
        return handover.queue and handover.destination in self.config.queues

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        """See `People.serve`. Whoever talks by a browser has no channel to be joined with a person's."""
        if not presenter.stage.leg.bridge_id:
            return None
        side: Side | None = None
        waiter = self._waiter(presenter, handover)
        while True:
            waiting = Waiting(self, presenter, handover, waiter, side)
            end = await waiting.run()
            if not isinstance(end, TalkEnd):
                return end
            side, before = waiting.side, waiter
            kind, _, name = end.to.partition(":")
            if kind == "queue":
                handover = stay_of(end.to, handover)
            waiter = self._waiter(presenter, handover)
            if waiter.queue == before.queue:
                waiter.since = before.since
            if kind == "agent":
                waiter.wanted, waiter.wanted_until = name, self.clock() + WANTED_S

    def _waiter(self, presenter: Presenter, handover: Handover) -> Waiter:
        queue = self.config.queues[handover.destination]
        priority, skills = weigh(
            [Rule(each.when, each.priority, each.skills) for each in queue.rules],
            values_of(handover),
            handover.priority,
            handover.skills,
        )
        self._order += 1
        return Waiter(
            presenter.stage.call_id,
            handover.destination,
            self.clock(),
            self._order,
            priority,
            skills,
        )

    def full(self, queue: str) -> bool:
        return len(self._of(queue)) >= self.config.queues[queue].capacity

    def enter(self, member: Member) -> None:
        self._members[member.waiter.id] = member
        self.changed(member.waiter.queue)

    def leave(self, member: Member, *, abandoned: bool = False) -> None:
        """Somebody waits no more, however that came. Idempotent."""
        if self._members.get(member.waiter.id) is member:
            del self._members[member.waiter.id]
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
        order = [each.id for each in in_order(self._of(queue), self._rules, self.clock())]
        position = order.index(member.waiter.id) + 1 if member.waiter.id in order else 1
        return position, self._expected(queue, position)

    def promise(self, waiting: Waiting, number: str) -> None:
        """Keep a caller's place, who hangs up and is called back there."""
        self.call_backs.add(waiting, number)

    def number_to_call(self, queue: str, number: str) -> str:
        """Return what a number that a caller named, or called from, is dialled as.

        Raises UserError where it may not be called back.
        """
        trunk = self.config.queues[queue].call_back_trunk
        if not trunk or self._may_dial is None:
            raise UserError("no calls may be placed", "set call_back_trunk, and [dialling]")
        why = "there is no number"
        for form in forms_of(number):
            refused = self._may_dial(form)
            if refused is None:
                return form
            why = refused
        raise UserError(f"{number} is not called back: {why}", "see [dialling] in docs/configuration.md")

    # --- offers and talks -------------------------------------------------------------------------------

    def offer_ended(self, member: Member, agent: Agent, outcome: Outcome) -> None:
        """An agent has decided, or was not there; or the caller has gone."""
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
            agent.handle(_EVENTS[outcome], now)
            if agent.state is AgentState.PAUSED:
                self._keep_agents()
        log.info("offer ended", queue=member.waiter.queue, agent=agent.name, outcome=outcome)
        self.changed(member.waiter.queue)
        self.agent_changed(agent)

    def talk_began(self, member: Member, agent: Agent) -> None:
        """The two can talk; the caller waits no more."""
        self._with[member.waiter.id] = agent
        if isinstance(member, Waiting):
            self._talks[member.waiter.id] = member
        if self._members.get(member.waiter.id) is member:
            del self._members[member.waiter.id]
        self.changed(member.waiter.queue)

    def agent_left(self, member: Member) -> None:
        """The caller is with somebody else now: the agent is free."""
        agent = self._with.pop(member.waiter.id, None)
        if agent is not None:
            agent.handle(day.TalkEnded(self.config.queues[member.waiter.queue].wrap_up_s), self.clock())
            self.agent_changed(agent)

    def talk_ended(self, member: Member, agent: Agent, talked_s: float | None) -> None:
        """`talked_s` None: the agent was gone before a word was said."""
        self._talks.pop(member.waiter.id, None)
        rest = self.config.queues[member.waiter.queue].wrap_up_s
        if talked_s is not None:
            self._experience[member.waiter.queue].handling.add(talked_s + rest)
        else:
            member.waiter.resting[agent.name] = self.clock() + REST_S["lost"]
        if self._with.pop(member.waiter.id, None) is not None:
            agent.handle(day.TalkEnded(rest if talked_s is not None else 0.0), self.clock())
            self.agent_changed(agent)
        self.changed(member.waiter.queue)

    def called_back(self, queue: str) -> None:
        self._experience[queue].called_back += 1

    # --- matching ---------------------------------------------------------------------------------------

    def changed(self, queue: str) -> None:
        """Look who is next, in a moment; and tell those who watch."""
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._match)
        if self._hub is not None and self._hub.watched:
            self._hub.publish("queue", "changed", queue, {"view": self._queue_view(queue).as_dict()})

    def agent_changed(self, agent: Agent) -> None:
        if self._hub is not None and self._hub.watched:
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
        waiters = [member.waiter for member in self._members.values()]
        free = [
            agent for agent in self._agents.values() if agent.ready and self._state_of(agent) not in TAKEN
        ]
        for waiter, agent in assign(waiters, free, self._rules, now):
            waiter.offered = True
            agent.handle(day.Ring(waiter.id), now)
            self.agent_changed(agent)
            self._members[waiter.id].assigned(agent)
        dues = [agent.deadline for agent in self._agents.values() if agent.deadline is not None]
        if (due := next_change(waiters, self._rules, now)) is not None:
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
        there = self._state_of(agent) != "unavailable"
        return agent.handle(day.Registered() if there else day.Unregistered(), now)

    def _state_of(self, agent: Agent) -> str:
        return self._presence(self.channel_of(agent.name)) if self._presence is not None else "unknown"

    # --- looking ----------------------------------------------------------------------------------------

    def agent(self, name: str) -> Agent:
        return self._agents[name]

    def config_of(self, queue: str) -> QueueConfig:
        return self.config.queues[queue]

    def music_of(self, queue: str) -> Samples:
        return self._music[queue]

    def channel_of(self, agent: str) -> str:
        return self.config.agents[agent].channel

    def title_of(self, agent: str) -> str:
        return self.config.agents[agent].name or agent

    def dialled(self, to: str) -> str:
        """Return the channel to ring for `agent:NAME` or an extension. Raises UserError.

        `/n`: Asterisk shall not try to take the dialplan's channel out of the way. It tries at every frame,
        and in one of 15 moves between bridges whoever was rung heard nothing from then on.
        """
        kind, _, name = to.partition(":")
        if kind == "agent":
            return self._settings_of(name).channel
        if ":" in to:
            raise UserError(f"{to} cannot be rung", "write agent:NAME or an extension; queues only blind")
        return f"Local/{to}@{HANDOVER_CONTEXT}/n"

    def queues(self) -> tuple[QueueView, ...]:
        return tuple(self._queue_view(name) for name in self.config.queues)

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(self._agent_view(agent) for agent in self._agents.values())

    def _of(self, queue: str) -> list[Waiter]:
        return [each.waiter for each in self._members.values() if each.waiter.queue == queue]

    def _expected(self, queue: str, position: int) -> float | None:
        on_duty = sum(agent.on_duty for agent in self._agents.values() if queue in agent.queues)
        return expected_wait_s(position, on_duty, self._experience[queue])

    def _queue_view(self, name: str) -> QueueView:
        now, epoch = self.clock(), self.epoch()
        order = in_order(self._of(name), self._rules, now)
        waiting = tuple(
            self._waiting_view(self._members[each.id], at, now, epoch) for at, each in enumerate(order, 1)
        )
        mine = [agent for agent in self._agents.values() if name in agent.queues]
        expected = self._expected(name, len(order) + 1)
        experience = self._experience[name]
        return QueueView(
            name=name,
            waiting=waiting,
            agents=tuple(agent.name for agent in mine if agent.on_duty),
            all_agents=tuple(agent.name for agent in mine),
            longest_wait_ms=max((each.waited_ms for each in waiting), default=0),
            expected_wait_ms=None if expected is None else round(expected * 1000),
            answered=experience.answered,
            abandoned=experience.abandoned,
            called_back=experience.called_back,
            given_on=experience.given_on,
        )

    def _waiting_view(self, member: Member, position: int, now: float, epoch: float) -> WaitingView:
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

    def _agent_view(self, agent: Agent) -> AgentView:
        return AgentView(
            name=agent.name,
            title=self.title_of(agent.name),
            channel=self.channel_of(agent.name),
            state=agent.state.value,
            since_at=self.epoch() - (self.clock() - agent.since),
            call_id=agent.call_id,
            queues=agent.queues,
            skills=dict(agent.skills),
            reason=agent.reason,
        )

    # --- doing ------------------------------------------------------------------------------------------

    async def sign_in(self, agent: str) -> None:
        self._tell(agent, day.SignIn())

    async def sign_out(self, agent: str) -> None:
        """While they talk: once the call is over."""
        self._tell(agent, day.SignOut())

    async def pause(self, agent: str, reason: str = "") -> None:
        """While they talk: once the call is over. Raises UserError where they are signed out."""
        self._tell(agent, day.Pause(reason[:80]), "signed out: sign them in first")

    async def unpause(self, agent: str) -> None:
        """Also ends the rest after a call, and has a telephone tried again that could not be reached."""
        self._tell(agent, day.Unpause(), "signed out: sign them in first")

    def _tell(self, name: str, event: day.Event, otherwise: str = "") -> None:
        self._settings_of(name)
        agent = self._agents[name]
        if not agent.handle(event, self.clock()) and agent.state is AgentState.SIGNED_OUT and otherwise:
            raise UserError(f"{name} is {otherwise.partition(':')[0]}", otherwise.partition(": ")[2])
        self._keep_agents()
        self.agent_changed(agent)

    def _keep_agents(self) -> None:
        self._state.keep(agents_text(self._agents.values()))

    async def move(self, call_id: str, position: int) -> None:
        """Give a caller another place in their queue, from 1."""
        member = self._waiting(call_id)
        waiter = member.waiter
        move(waiter, position, self._of(waiter.queue), self._rules[waiter.queue], self.clock())
        self.changed(waiter.queue)

    async def give(self, call_id: str, agent: str) -> None:
        """Offer a caller to this agent now, whatever their skills and queues."""
        member = self._waiting(call_id)
        self._settings_of(agent)
        found = self._agents[agent]
        if member.agent == agent:
            return
        if not found.ready:
            raise UserError(f"{agent} is {found.state.value}", "choose an agent who is ready")
        if member.agent:
            raise UserError(f"{member.agent} is being asked just now", "wait until they have decided")
        member.waiter.wanted = agent
        self.changed(member.waiter.queue)

    async def drop(self, call_id: str) -> None:
        """Stop waiting: the caller goes on to the queue's `otherwise`; a call-back is forgotten."""
        self._waiting(call_id).dropped()

    async def transfer(
        self, call_id: str, to: str, kind: Literal["blind", "attended"] = "blind", by: str = ""
    ) -> None:
        """Give a caller who is with a person (or waits: blind only) to `queue:NAME`, `agent:NAME`,
        `conference:NAME`, or an extension of [voicebot-handover]."""
        self._check_target(to)
        if (waiting := self._talks.get(call_id)) is not None and waiting.talk is not None:
            if kind == "attended" and to.startswith(("queue:", "conference:")):
                raise UserError(f"{to} cannot be asked first", "transfer blind")
            waiting.talk.ask(TransferTo(kind, to), by)
            return
        member = self._waiting(call_id)
        if kind == "attended" or not isinstance(member, Waiting):
            raise UserError(f"call {call_id} is with no person", "transfer blind")
        member.give_on(to, by)

    async def complete(self, call_id: str) -> None:
        """End an attended transfer: the caller is put through to the second person."""
        self._talk(call_id).ask(Complete())

    async def cancel(self, call_id: str) -> None:
        """End it otherwise: the agent is back with the caller."""
        self._talk(call_id).ask(Cancel())

    async def swap(self, call_id: str) -> None:
        """The agent talks to the other of the two now; the caller hears music meanwhile."""
        self._talk(call_id).ask(Swap())

    def _waiting(self, call_id: str) -> Member:
        member = self._members.get(call_id)
        if member is None:
            raise UserError(f"call {call_id} does not wait in a queue", "look at the queues")
        return member

    def _talk(self, call_id: str) -> Talk:
        waiting = self._talks.get(call_id)
        if waiting is None or waiting.talk is None:
            raise UserError(f"call {call_id} is with no person", "look at the live calls")
        return waiting.talk

    def _settings_of(self, agent: str) -> AgentConfig:
        if agent not in self.config.agents:
            known = ", ".join(self.config.agents) or "none"
            raise UserError(f"there is no agent `{agent}`", f"there are {known}")
        return self.config.agents[agent]

    def _check_target(self, to: str) -> None:
        kind, _, name = to.partition(":")
        if kind == "queue" and name not in self.config.queues:
            raise UserError(f"there is no queue `{name}`", f"there are {', '.join(self.config.queues)}")
        if kind == "conference" and name not in self.config.conferences:
            there = ", ".join(self.config.conferences) or "none"
            raise UserError(f"there is no conference `{name}`", f"there are {there}")
        if kind == "agent":
            self._settings_of(name)
        elif kind not in ("queue", "conference") and (
            ":" in to or not to or not all(c.isalnum() or c in "_+*#-" for c in to)
        ):
            raise UserError(
                f"{to} is no target", "write queue:NAME, agent:NAME, conference:NAME or an extension"
            )


_EVENTS: Mapping[Outcome, day.Event] = {
    "declined": day.Declined(),
    "hung_up": day.Declined(),
    "withdrawn": day.Declined(),
    "lost": day.Declined(),
    "no_key": day.Unanswered(),
    "no_answer": day.Unanswered(),
    "busy": day.Unreachable(),
    "unreachable": day.Unreachable(),
}


def _check(config: Config) -> None:
    """Raises UserError for names in queues and agents that are not there."""
    problems = []
    for name, agent in config.agents.items():
        for queue in agent.queues:
            if queue not in config.queues:
                there = ", ".join(config.queues) or "none"
                problems.append(
                    Problem(f"agents.{name}.queues: there is no [queues.{queue}]", f"there are {there}")
                )
    for name, settings in config.queues.items():
        trunk = settings.call_back_trunk
        if trunk and trunk not in config.trunks:
            there = ", ".join(config.trunks) or "none"
            what = f"queues.{name}.call_back_trunk: there is no [trunks.{trunk}]"
            problems.append(Problem(what, f"there are {there}"))
        if settings.call_back and not trunk:
            what = f"queues.{name}.call_back: there is no way out to call back by"
            problems.append(Problem(what, "name a trunk in call_back_trunk"))
    if problems:
        raise UserError(problems)
