"""Queues, agents and conferences."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from voicebot.switchboard.conferences.views import RoomView
from voicebot.switchboard.queues.views import AgentView, QueueView
from voicebot.web.api.shapes import (
    CallId,
    DialogName,
    Done,
    Give,
    Invite,
    Move,
    On,
    Pause,
    RoomList,
    Say,
    ThingName,
    Transfer,
)
from voicebot.web.house import Conferences, Queues
from voicebot.web.problems import absent, told
from voicebot.web.security.needs import Supervisor, TheHouse, Viewer

queues = APIRouter(tags=["queues"])
conferences = APIRouter(prefix="/conferences", tags=["conferences"])
LOOKING = told(401, 403, 404, 422, 503)
ACTING = told(400, 401, 403, 404, 409, 413, 422, 502, 503)


def queues_of(house: TheHouse) -> Queues:
    if house.queues is None:
        raise absent("there are no queues", "add [queues.NAME] and [agents.NAME] to voicebot.toml")
    return house.queues


def conferences_of(house: TheHouse) -> Conferences:
    if house.conferences is None:
        raise absent("there are no conferences", "add [conferences.NAME] to voicebot.toml")
    return house.conferences


TheQueues = Annotated[Queues, Depends(queues_of)]
TheRooms = Annotated[Conferences, Depends(conferences_of)]


# --- queues ---------------------------------------------------------------------------------------------


@queues.get("/queues", operation_id="queues", responses=LOOKING)
async def all_queues(who: Viewer, them: TheQueues) -> list[QueueView]:
    """All queues, with those who wait, in order."""
    return list(them.queues())


@queues.get("/agents", operation_id="agents", responses=LOOKING)
async def all_agents(who: Viewer, them: TheQueues) -> list[AgentView]:
    """All agents, and what each does now."""
    return list(them.agents())


def _agent(them: Queues, name: str) -> AgentView:
    for agent in them.agents():
        if agent.name == name:
            return agent
    raise absent(f"there is no agent `{name}`", "look at the agents")


@queues.post("/agents/{name}/sign-in", operation_id="agent_sign_in", responses=ACTING)
async def sign_in(who: Supervisor, name: ThingName, them: TheQueues) -> AgentView:
    """The agent takes calls."""
    _agent(them, name)
    await them.sign_in(name)
    return _agent(them, name)


@queues.post("/agents/{name}/sign-out", operation_id="agent_sign_out", responses=ACTING)
async def sign_out(who: Supervisor, name: ThingName, them: TheQueues) -> AgentView:
    """The agent goes off duty."""
    _agent(them, name)
    await them.sign_out(name)
    return _agent(them, name)


@queues.post("/agents/{name}/pause", operation_id="agent_pause", responses=ACTING)
async def pause(who: Supervisor, name: ThingName, them: TheQueues, given: Pause) -> AgentView:
    """The agent gets no calls for a while."""
    _agent(them, name)
    await them.pause(name, given.reason)
    return _agent(them, name)


@queues.post("/agents/{name}/unpause", operation_id="agent_unpause", responses=ACTING)
async def unpause(who: Supervisor, name: ThingName, them: TheQueues) -> AgentView:
    """The agent gets calls again."""
    _agent(them, name)
    await them.unpause(name)
    return _agent(them, name)


def waiting_call(house: TheHouse, them: TheQueues, call_id: CallId) -> str:
    """A call that is there: live, or a call-back that keeps its place. Raises Trouble 404 for any other."""
    if house.calls.call(call_id) is None and not any(
        call_id == each.call_id for queue in them.queues() for each in queue.waiting
    ):
        raise absent(f"there is no call {call_id}", "it may have ended: look at the queues")
    return call_id


CallOfOurs = Annotated[str, Depends(waiting_call)]


@queues.post("/queues/calls/{call_id}/move", operation_id="queue_move", responses=ACTING)
async def move(who: Supervisor, call: CallOfOurs, them: TheQueues, given: Move) -> Done:
    """Give a caller who waits another place."""
    await them.move(call, given.position)
    return Done()


@queues.post("/queues/calls/{call_id}/give", operation_id="queue_give", responses=ACTING)
async def give(who: Supervisor, call: CallOfOurs, them: TheQueues, given: Give, request: Request) -> Done:
    """Give a caller who waits to this agent."""
    request.state.detail = {"agent": given.agent}
    await them.give(call, given.agent)
    return Done()


@queues.post("/queues/calls/{call_id}/drop", operation_id="queue_drop", responses=ACTING)
async def drop(who: Supervisor, call: CallOfOurs, them: TheQueues) -> Done:
    """Let a caller wait no more: they go on to the queue's `otherwise`."""
    await them.drop(call)
    return Done()


@queues.post("/queues/calls/{call_id}/transfer", operation_id="queue_transfer", responses=ACTING)
async def transfer(
    who: Supervisor, call: CallOfOurs, them: TheQueues, given: Transfer, request: Request
) -> Done:
    """Give a caller who is with a person to somebody else."""
    request.state.detail = {"to": given.to, "kind": given.kind}
    await them.transfer(call, given.to, given.kind, who.name)
    return Done()


@queues.post("/queues/calls/{call_id}/complete", operation_id="transfer_complete", responses=ACTING)
async def complete(who: Supervisor, call: CallOfOurs, them: TheQueues) -> Done:
    """End an attended transfer: the caller is put through."""
    await them.complete(call)
    return Done()


@queues.post("/queues/calls/{call_id}/cancel", operation_id="transfer_cancel", responses=ACTING)
async def cancel(who: Supervisor, call: CallOfOurs, them: TheQueues) -> Done:
    """End an attended transfer: the agent is back with the caller."""
    await them.cancel(call)
    return Done()


@queues.post("/queues/calls/{call_id}/swap", operation_id="transfer_swap", responses=ACTING)
async def swap(who: Supervisor, call: CallOfOurs, them: TheQueues) -> Done:
    """In an attended transfer: the agent talks to the other of the two."""
    await them.swap(call)
    return Done()


# --- conferences ----------------------------------------------------------------------------------------

ParticipantId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,80}$", description="A participant's id.")]


@conferences.get("", operation_id="conferences", responses=LOOKING)
async def rooms(who: Viewer, them: TheRooms) -> RoomList:
    """All rooms, with those who are there."""
    return RoomList(rooms=list(them.rooms()))


def _room(them: Conferences, name: str, participant: str = "") -> RoomView:
    for room in them.rooms():
        if room.name == name:
            if participant and participant not in {each.id for each in room.participants}:
                raise absent(f"nobody is `{participant}` in {name}", "they may have left: look at the room")
            return room
    raise absent(f"there is no conference `{name}`", "look at the conferences")


@conferences.get("/{name}", operation_id="conference", responses=LOOKING)
async def room(who: Viewer, name: ThingName, them: TheRooms) -> RoomView:
    """One room."""
    return _room(them, name)


async def _do(them: Conferences, name: str, doing: Awaitable[None]) -> RoomView:
    await doing
    return _room(them, name)


@conferences.post("/{name}/participants/{id}/mute", operation_id="mute", responses=ACTING)
async def mute(who: Supervisor, name: ThingName, id: ParticipantId, them: TheRooms) -> RoomView:
    """Let nobody hear them."""
    _room(them, name, id)
    return await _do(them, name, them.mute(name, id))


@conferences.post("/{name}/participants/{id}/unmute", operation_id="unmute", responses=ACTING)
async def unmute(who: Supervisor, name: ThingName, id: ParticipantId, them: TheRooms) -> RoomView:
    """Let them be heard again."""
    _room(them, name, id)
    return await _do(them, name, them.unmute(name, id))


@conferences.post("/{name}/participants/{id}/kick", operation_id="kick", responses=ACTING)
async def kick(who: Supervisor, name: ThingName, id: ParticipantId, them: TheRooms) -> Done:
    """Put them out of the room."""
    _room(them, name, id)
    await them.kick(name, id)
    return Done()


@conferences.post("/{name}/mute-all", operation_id="mute_all", responses=ACTING)
async def mute_all(who: Supervisor, name: ThingName, them: TheRooms) -> RoomView:
    """Mute everybody but hosts."""
    _room(them, name)
    return await _do(them, name, them.mute_all(name))


@conferences.post("/{name}/lock", operation_id="lock", responses=ACTING)
async def lock(who: Supervisor, name: ThingName, them: TheRooms) -> RoomView:
    """Let nobody else in."""
    _room(them, name)
    return await _do(them, name, them.lock(name))


@conferences.post("/{name}/unlock", operation_id="unlock", responses=ACTING)
async def unlock(who: Supervisor, name: ThingName, them: TheRooms) -> RoomView:
    """Let others in again."""
    _room(them, name)
    return await _do(them, name, them.unlock(name))


@conferences.post("/{name}/announce", operation_id="announce", responses=ACTING)
async def announce(who: Supervisor, name: ThingName, them: TheRooms, given: Say, request: Request) -> Done:
    """Say something to everybody in the room."""
    _room(them, name)
    request.state.detail = {"text": given.text}
    await them.announce(name, given.text)
    return Done()


@conferences.post("/{name}/record", operation_id="record_conference", responses=ACTING)
async def record(who: Supervisor, name: ThingName, them: TheRooms, given: On) -> RoomView:
    """Record the room, or stop."""
    _room(them, name)
    return await _do(them, name, them.record(name, given.on))


@conferences.post("/{name}/invite", operation_id="invite", responses=ACTING)
async def invite(who: Supervisor, name: ThingName, them: TheRooms, given: Invite, request: Request) -> Done:
    """Call somebody into the room."""
    _room(them, name)
    request.state.detail = {"to": given.to}
    await them.invite(name, given.to, who.name)
    return Done()


@conferences.post("/{name}/bot", operation_id="add_bot", responses=ACTING)
async def add_bot(who: Supervisor, name: ThingName, them: TheRooms, given: DialogName) -> Done:
    """Let the bot sit in."""
    _room(them, name)
    await them.add_bot(name, given.dialog)
    return Done()


@conferences.delete("/{name}/bot", operation_id="remove_bot", responses=ACTING)
async def remove_bot(who: Supervisor, name: ThingName, them: TheRooms) -> Done:
    """Let the bot leave."""
    _room(them, name)
    await them.remove_bot(name)
    return Done()


@conferences.post("/{name}/end", operation_id="end_conference", responses=ACTING)
async def end(who: Supervisor, name: ThingName, them: TheRooms) -> Done:
    """Put everybody out."""
    _room(them, name)
    await them.end(name)
    return Done()
