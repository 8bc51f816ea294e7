"""Asterisk's own queues (app_queue): who answers them, who waits. Pure; numbered as in `tracker`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from voicebot.ami.events import Event, Listed
from voicebot.ami.pbx_actions import QueueStatus
from voicebot.ami.pbx_events import (
    QueueCallerAbandon,
    QueueCallerJoin,
    QueueCallerLeave,
    QueueEntry,
    QueueMember,
    QueueMemberRemoved,
    QueueParams,
)
from voicebot.supervision.phones import MEMBER_STATES
from voicebot.supervision.state import PbxMember, PbxQueue, PbxWaiting


@dataclass(slots=True)
class _Queue:
    """members, waiting, left: each with the number of the change that made it so."""

    answered: int = 0
    abandoned: int = 0
    members: dict[str, tuple[PbxMember, int]] = field(default_factory=dict)
    waiting: dict[str, tuple[PbxWaiting, int]] = field(default_factory=dict)
    left: dict[str, int] = field(default_factory=dict)


class Queues:
    """Follows all queues."""

    def __init__(self) -> None:
        self._queues: dict[str, _Queue] = {}

    def queues(self, device: Callable[[str], str]) -> tuple[PbxQueue, ...]:
        """Return how they look; `device` tells what a telephone does now."""

        def member(view: PbxMember) -> PbxMember:
            state = device(view.interface)
            return view if state == "unknown" else replace(view, state=state)

        return tuple(
            PbxQueue(
                name,
                tuple(member(view) for view, _ in each.members.values()),
                tuple(sorted((view for view, _ in each.waiting.values()), key=lambda view: view.position)),
                each.answered,
                each.abandoned,
            )
            for name, each in self._queues.items()
        )

    def event(self, event: Event, number: int, asked: int, now: float) -> set[str]:
        """Take an event or a list. Returns the queues that changed."""
        match event:
            case QueueCallerJoin(queue, channel, position):
                waiting = PbxWaiting(channel.unique_id, channel.name, position, channel.caller, now)
                self._join(self._of(queue), waiting, number)
            case QueueCallerLeave(queue, channel):
                self._leave(self._of(queue), channel.unique_id, number)
            case QueueCallerAbandon(queue, _):
                self._of(queue).abandoned += 1
            case QueueMember(queue):
                self._of(queue).members[event.interface] = _member(event), number
            case QueueMemberRemoved(queue, interface):
                self._of(queue).members.pop(interface, None)
            case Listed(QueueStatus.name, listed, refused) if not refused:
                return self._list(listed, number, asked, now)
            case _:
                return set()
        return {queue}

    def channel_ended(self, id_: str, number: int) -> set[str]:
        """A channel is gone, and with it its place in a queue. Returns the queues that changed."""
        found = {name for name, each in self._queues.items() if id_ in each.waiting}
        for name in found:
            self._leave(self._queues[name], id_, number)
        return found

    def _of(self, name: str) -> _Queue:
        return self._queues.setdefault(name, _Queue())

    def _join(self, queue: _Queue, waiting: PbxWaiting, number: int) -> None:
        if waiting.channel_id not in queue.waiting:
            for id_, (view, changed) in queue.waiting.items():
                if view.position >= waiting.position:
                    queue.waiting[id_] = replace(view, position=view.position + 1), changed
        queue.left.pop(waiting.channel_id, None)
        queue.waiting[waiting.channel_id] = waiting, number

    def _leave(self, queue: _Queue, id_: str, number: int) -> None:
        queue.left[id_] = number
        if found := queue.waiting.pop(id_, None):
            for other, (view, changed) in queue.waiting.items():
                if view.position > found[0].position:
                    queue.waiting[other] = replace(view, position=view.position - 1), changed

    def _list(self, listed: Iterable[Event], number: int, asked: int, now: float) -> set[str]:
        """Believe the list but for what changed since it was asked for."""
        found: dict[str, _Queue] = {}
        for each in listed:
            match each:
                case QueueParams(name, _, answered, abandoned):
                    found[name] = _Queue(answered, abandoned)
                case QueueMember(name, interface):
                    found.setdefault(name, _Queue()).members[interface] = _member(each), number
                case QueueEntry(name, channel, id_, position, caller, waited_s):
                    waiting = PbxWaiting(id_, channel, position, caller, now - waited_s)
                    found.setdefault(name, _Queue()).waiting[id_] = waiting, number
        for name, old in self._queues.items():
            if (new := found.get(name)) is None:
                continue
            for id_, changed in old.left.items():
                if changed > asked:
                    new.left[id_] = changed
                    if id_ in new.waiting:
                        self._leave(new, id_, changed)
            for id_, (view, changed) in old.waiting.items():
                if changed > asked and id_ not in new.waiting:
                    self._join(new, view, changed)
            for interface, (member, changed) in old.members.items():
                if changed > asked and interface in new.members:
                    new.members[interface] = member, changed
        before, self._queues = self._queues, found
        same = {name for name, each in found.items() if name in before and _looks_like(each, before[name])}
        return (before.keys() | found.keys()) - same


def _member(event: QueueMember) -> PbxMember:
    state = MEMBER_STATES.get(event.status, "unknown")
    return PbxMember(
        event.interface, event.name, state, event.paused, event.reason, event.in_call, event.answered
    )


def _looks_like(one: _Queue, other: _Queue) -> bool:
    """Whether both are the same but for when what is known was learnt."""

    def shape(queue: _Queue) -> object:
        waiting = {id_: view.position for id_, (view, _) in queue.waiting.items()}
        members = {name: view for name, (view, _) in queue.members.items()}
        return queue.answered, queue.abandoned, waiting, members

    return shape(one) == shape(other)
