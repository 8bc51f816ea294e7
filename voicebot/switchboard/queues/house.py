"""Our own queues, for calls that are handed over to them, and for supervisors who look after them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Literal

from voicebot.acd import agents as day
from voicebot.acd.agents import AgentState
from voicebot.acd.keys import Cancel, Complete, Swap, TransferTo
from voicebot.acd.matching import Waiter, move
from voicebot.acd.weighing import Rule, weigh
from voicebot.call.live import Hub
from voicebot.call.people import Presenter
from voicebot.call.services import Services
from voicebot.config import Config, Route
from voicebot.dialog.turns import Handover
from voicebot.errors import UserError
from voicebot.switchboard.queues.callbacks import CallBacks, MayDial
from voicebot.switchboard.queues.hall import Hall, Member, Presence
from voicebot.switchboard.queues.handed_over import stay_of, values_of
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.talk import Talk, TalkEnd
from voicebot.switchboard.queues.targets import agent_of, check_names, check_target
from voicebot.switchboard.queues.views import AgentView, QueueView
from voicebot.switchboard.queues.waiting import Waiting

WANTED_S = 30.0
"""For so long who was given to one agent waits for just that one."""


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
        check_names(config)
        self._config = config
        self._clock = clock or asyncio.get_running_loop().time
        self._hall = Hall(config, hub, presence, self._clock, epoch)
        self._order = 0
        self._call_backs = CallBacks(self._hall, may_dial)
        if services is not None:
            self._call_backs.restore(services)

    async def quiet(self) -> None:
        """The gateway stops: callers and agents talk on without us, as soon as nobody needs us between them.

        Begins no more call-backs, and returns once nobody is on the line for one.
        """
        self._hall.departing.begin()
        await self._call_backs.quiet()

    async def depart(self) -> None:
        """Draining is over: all who talk do so without us from now on."""
        await self._hall.departing.finish()

    async def close(self) -> None:
        """Stop what is done without a caller on the line: call-backs."""
        await self._call_backs.close()
        await self._hall.close()

    # --- callers ----------------------------------------------------------------------------------------

    def takes(self, handover: Handover) -> bool:
        return handover.queue and handover.destination in self._config.queues

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        """See `People.serve`. Whoever talks by a browser has no channel to be joined with a person's."""
        if not presenter.stage.leg.bridge_id:
            return None
        side: Side | None = None
        waiter = self._waiter(presenter, handover)
        while True:
            waiting = Waiting(self._hall, self._call_backs, presenter, handover, waiter, side)
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
                waiter.wanted, waiter.wanted_until = name, self._clock() + WANTED_S

    def _waiter(self, presenter: Presenter, handover: Handover) -> Waiter:
        queue = self._config.queues[handover.destination]
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
            self._clock(),
            self._order,
            priority,
            skills,
        )

    # --- looking ----------------------------------------------------------------------------------------

    def queues(self) -> tuple[QueueView, ...]:
        return self._hall.queues()

    def agents(self) -> tuple[AgentView, ...]:
        return self._hall.agents()

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
        agent_of(self._config, name)
        told = self._hall.tell(name, event)
        if not told and otherwise and self._hall.agent(name).state is AgentState.SIGNED_OUT:
            raise UserError(f"{name} is {otherwise.partition(':')[0]}", otherwise.partition(": ")[2])

    async def move(self, call_id: str, position: int) -> None:
        """Give a caller another place in their queue, from 1."""
        member = self._waiting(call_id)
        waiter = member.waiter
        move(
            waiter, position, self._hall.waiters(waiter.queue), self._hall.rules[waiter.queue], self._clock()
        )
        self._hall.changed(waiter.queue)

    async def give(self, call_id: str, agent: str) -> None:
        """Offer a caller to this agent now, whatever their skills and queues."""
        member = self._waiting(call_id)
        agent_of(self._config, agent)
        found = self._hall.agent(agent)
        if member.agent == agent:
            return
        if not found.ready:
            raise UserError(f"{agent} is {found.state.value}", "choose an agent who is ready")
        if member.agent:
            raise UserError(f"{member.agent} is being asked just now", "wait until they have decided")
        member.waiter.wanted, member.waiter.wanted_until = agent, self._clock() + WANTED_S
        self._hall.changed(member.waiter.queue)

    async def drop(self, call_id: str) -> None:
        """Stop waiting: the caller goes on to the queue's `otherwise`; a call-back is forgotten."""
        self._waiting(call_id).dropped()

    async def transfer(
        self, call_id: str, to: str, kind: Literal["blind", "attended"] = "blind", by: str = ""
    ) -> None:
        """Give a caller who is with a person (or waits: blind only) to `queue:NAME`, `agent:NAME`,
        `conference:NAME`, or an extension of [voicebot-handover]."""
        check_target(self._config, to)
        if (waiting := self._hall.talks.get(call_id)) is not None and waiting.talk is not None:
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
        member = self._hall.members.get(call_id)
        if member is None:
            raise UserError(f"call {call_id} does not wait in a queue", "look at the queues")
        return member

    def _talk(self, call_id: str) -> Talk:
        waiting = self._hall.talks.get(call_id)
        if waiting is None or waiting.talk is None:
            raise UserError(f"call {call_id} is with no person", "look at the live calls")
        return waiting.talk
