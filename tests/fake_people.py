"""Queues, agents, conferences and an Asterisk that are only views and a note of what was done to them."""

# ruff: noqa: E501
from __future__ import annotations

import dataclasses
import time
from typing import Any

from voicebot.call.live import Hub
from voicebot.errors import UserError
from voicebot.supervision.state import (
    Endpoint,
    PbxBridge,
    PbxChannel,
    PbxMember,
    PbxQueue,
    PbxState,
    Registration,
    Stuck,
)
from voicebot.switchboard.conferences.views import ParticipantView, RoomView
from voicebot.switchboard.queues.views import AgentView, QueueView, WaitingView


class Noting:
    """Notes in `acts` what it is asked to do: its name, and with what."""

    def __init__(self) -> None:
        self.acts: list[tuple[Any, ...]] = []

    def note(self, *act: Any) -> None:
        self.acts.append(act)


class FakeQueues(Noting):
    """Two queues and five agents."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub
        now = time.time()
        people = (
            ("Berta Klein", "berta", "talking", {"english": 5, "billing": 3}), ("Can Demir", "can", "ready", {"english": 4, "german": 5}),
            ("Dana Ito", "dana", "paused", {"english": 5}), ("Emil Sand", "emil", "ringing", {"german": 4}), ("Fay Moss", "fay", "signed_out", {"billing": 5}),
        )  # fmt: skip
        self._agents = {
            name: AgentView(
                name,
                title,
                f"PJSIP/{name}",
                state,
                now - 40 * n - 12,
                "",
                ("support",),
                skills,
                "lunch" if state == "paused" else "",
            )
            for n, (title, name, state, skills) in enumerate(people)
        }  # type: ignore[arg-type]
        waits = (
            ("+49301234567", "Wants to change the delivery address of order 471102; is upset.", 8, ("english",), 214, False),
            ("Sara Bell", "Heating is loud since the weekend; asks for Thursday morning.", 5, (), 131, False),
            ("+4940998877", "Question about invoice 20-118.", 5, ("billing", "german"), 75, True),
            ("Mina Park", "Would speak to a person.", 3, (), 22, False),
        )  # fmt: skip
        self._waiting = {
            "support": [WaitingView(f"w{n}", n + 1, priority, skills, s * 1000, now - s, who, about, back, "waiting")  # type: ignore[arg-type]
                        for n, (who, about, priority, skills, s, back) in enumerate(waits)],
            "sales": [],
        }  # fmt: skip

    def _view(self, name: str) -> QueueView:
        waiting = tuple(dataclasses.replace(one, position=n + 1) for n, one in enumerate(self._waiting[name]))
        on_duty = tuple(a.name for a in self._agents.values() if a.state != "signed_out")
        return QueueView(
            name,
            waiting,
            on_duty,
            tuple(self._agents),
            214_000 if waiting else 0,
            190_000 if waiting else None,
            118,
            7,
            4,
            2,
        )

    def queues(self) -> tuple[QueueView, ...]:
        return tuple(map(self._view, self._waiting))

    def agents(self) -> tuple[AgentView, ...]:
        return tuple(self._agents.values())

    def _agent(self, name: str, **values: Any) -> None:
        if name not in self._agents:
            raise UserError(f"there is no agent `{name}`", f"there are {', '.join(self._agents)}")
        self._agents[name] = dataclasses.replace(self._agents[name], since_at=time.time(), **values)
        self._hub.publish("agent", "changed", name, {"view": self._agents[name].as_dict()})

    async def sign_in(self, agent: str) -> None:
        self.note("sign_in", agent)
        self._agent(agent, state="ready")

    async def sign_out(self, agent: str) -> None:
        self.note("sign_out", agent)
        self._agent(agent, state="signed_out")

    async def pause(self, agent: str, reason: str = "") -> None:
        self.note("pause", agent, reason)
        self._agent(agent, state="paused", reason=reason)

    async def unpause(self, agent: str) -> None:
        self.note("unpause", agent)
        self._agent(agent, state="ready", reason="")

    def _take(self, call_id: str) -> tuple[str, WaitingView]:
        for name, waiting in self._waiting.items():
            for one in waiting:
                if one.call_id == call_id:
                    waiting.remove(one)
                    return name, one
        raise UserError(f"call {call_id} does not wait", "look at the queues")

    def _told(self, name: str) -> None:
        self._hub.publish("queue", "changed", name, {"view": self._view(name).as_dict()})

    async def move(self, call_id: str, position: int) -> None:
        self.note("move", call_id, position)
        name, one = self._take(call_id)
        self._waiting[name].insert(position - 1, one)
        self._told(name)

    async def give(self, call_id: str, agent: str) -> None:
        self.note("give", call_id, agent)
        name, _ = self._take(call_id)
        self._agent(agent, state="ringing", call_id=call_id)
        self._told(name)

    async def drop(self, call_id: str) -> None:
        self.note("drop", call_id)
        self._told(self._take(call_id)[0])

    async def transfer(self, call_id: str, to: str, kind: Any, by: str = "") -> None:
        self.note("transfer", call_id, to, kind)

    async def complete(self, call_id: str) -> None:
        self.note("complete", call_id)

    async def cancel(self, call_id: str) -> None:
        self.note("cancel", call_id)

    async def swap(self, call_id: str) -> None:
        self.note("swap", call_id)


class FakeConferences(Noting):
    """A meeting that goes on, and an empty room."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self._hub = hub
        now = time.time()
        people = (("p1", "Sara Bell", "+4930111222", True, False, True), ("p2", "", "+49405556677", False, True, False),
                  ("p3", "Mina Park", "+8225551234", False, False, False), ("bot", "voicebot", "", False, False, False))  # fmt: skip
        self._rooms = {
            "meeting": RoomView("meeting", "Monday meeting", True, recording=True, muted_rule="guests", most=20, since_at=now - 700, participants=tuple(
                ParticipantView(id, name, number, host, muted, id == "p1", id == "bot", talking, id == "p2", now - 100 * n - 60)
                for n, (id, name, number, host, muted, talking) in enumerate(people))),
            "lobby": RoomView("lobby", "Lobby", False),
        }  # fmt: skip

    def rooms(self) -> tuple[RoomView, ...]:
        return tuple(self._rooms.values())

    def _there(self, room: str) -> tuple[ParticipantView, ...]:
        if room not in self._rooms:
            raise UserError(f"there is no room `{room}`", f"there are {', '.join(self._rooms)}")
        return self._rooms[room].participants

    def _set(self, room: str, **values: Any) -> None:
        self._there(room)
        self._rooms[room] = dataclasses.replace(self._rooms[room], **values)
        self._hub.publish("conference", "changed", room, {"room": self._rooms[room].as_dict()})

    def _change(self, room: str, who: str, **values: Any) -> None:
        there = self._there(room)
        if who not in {one.id for one in there}:
            raise UserError(f"nobody is `{who}` in room `{room}`", "look at the room")
        changed = tuple(dataclasses.replace(one, **values) if one.id == who else one for one in there)
        self._set(room, participants=changed)

    async def mute(self, room: str, participant: str) -> None:
        self.note("mute", room, participant)
        self._change(room, participant, muted=True)

    async def unmute(self, room: str, participant: str) -> None:
        self.note("unmute", room, participant)
        self._change(room, participant, muted=False)

    async def mute_all(self, room: str) -> None:
        self.note("mute_all", room)
        for one in self._there(room):
            self._change(room, one.id, muted=not one.host)

    async def kick(self, room: str, participant: str) -> None:
        self.note("kick", room, participant)
        self._change(room, participant)
        self._set(room, participants=tuple(one for one in self._there(room) if one.id != participant))

    async def lock(self, room: str) -> None:
        self.note("lock", room)
        self._set(room, locked=True)

    async def unlock(self, room: str) -> None:
        self.note("unlock", room)
        self._set(room, locked=False)

    async def announce(self, room: str, text: str) -> None:
        self._there(room)
        self.note("announce", room, text)

    async def record(self, room: str, on: bool) -> None:
        self.note("record", room, on)
        self._set(room, recording=on)

    async def invite(self, room: str, channel_or_number: str, by: str) -> None:
        self._there(room)
        self.note("invite", room, channel_or_number)

    async def add_bot(self, room: str, dialog: str) -> None:
        self._there(room)
        self.note("add_bot", room, dialog)

    async def remove_bot(self, room: str) -> None:
        self.note("remove_bot", room)
        self._set(room, participants=tuple(one for one in self._there(room) if not one.bot))

    async def end(self, room: str) -> None:
        self.note("end", room)
        self._set(room, participants=())


class FakePbx(Noting):
    """An Asterisk with four telephones, two trunks and something stuck."""

    def state(self) -> PbxState:
        now = time.time()
        return PbxState(
            connected=True, since_at=now - 5000, version="22.10.1", started_at=now - 90_000, events=4812,
            channels=(
                PbxChannel("1.1", "PJSIP/carrier-01", "1.1", "Up", "+12025550101", bridge_id="b1", began_at=now - 60),
                PbxChannel("1.2", "UnicastRTP/127.0.0.1-02", "1.1", "Up", bridge_id="b1", ours="media"),
            ),
            bridges=(PbxBridge("b1", "stasis", "simple_bridge", "", ("1.1", "1.2"), True, now - 60),),
            endpoints=tuple(Endpoint(f"PJSIP/{name}", state, contacts) for name, state, contacts in (
                ("berta", "inuse", ("sip:berta@10.0.0.21:5060",)), ("can", "not_inuse", ("sip:can@10.0.0.22:5060",)),
                ("dana", "not_inuse", ("sip:dana@10.0.0.25:5060",)), ("fay", "unavailable", ()))),
            queues=(PbxQueue("helpdesk", (PbxMember("PJSIP/berta", "Berta Klein"),)),),
            registrations=(Registration("carrier", "sip.carrier.example", "Registered"), Registration("backup", "sip.backup.example", "Rejected")),
            warnings=(Stuck("PJSIP/carrier-0000002a", "is up for two hours in a dialplan that waits for nothing", 7_312_000, "old", "1700.42"),),
        )  # fmt: skip

    async def dial(self, channel: str, number: str, by: str) -> str:
        self.note("dial", channel, number, by)
        return "1700.43"

    async def hang_up(self, channel: str, by: str) -> None:
        self.note("hang_up", channel, by)

    async def queue_pause(
        self, queue: str, member: str, paused: bool, reason: str = "", by: str = ""
    ) -> None:
        self.note("queue_pause", queue, member, paused, reason, by)

    async def monitor(self, channel: str, action: Any, by: str = "") -> None:
        self.note("monitor", channel, action, by)
