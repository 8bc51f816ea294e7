"""From events of the manager interface, and the lists after a gap, to how the PBX looks now. Pure.

What makes it hold: a list tells the truth of one moment between our asking and its coming, and events go on
around it. So each change is numbered. When a list comes, what it lacks is gone, unless it began after we
asked; what it has is there, unless it ended after we asked; and of what changed after we asked, the change is
kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from voicebot.ami.events import (
    Channel,
    CoreShowChannel,
    Event,
    Hangup,
    Listed,
    LiveChannels,
    Missed,
    Newchannel,
    Newstate,
)
from voicebot.ami.pbx_actions import BridgeList
from voicebot.ami.pbx_events import (
    Bridge,
    BridgeCreate,
    BridgeDestroy,
    BridgeEnter,
    BridgeLeave,
    BridgeListItem,
    BridgeMerge,
    MixMonitor,
    Rename,
)
from voicebot.ari.ids import Kind, is_ours
from voicebot.speech.characters import name_of_stranger
from voicebot.supervision.phones import Phones
from voicebot.supervision.queues import Queues
from voicebot.supervision.state import (
    Endpoint,
    Owned,
    PbxBridge,
    PbxChannel,
    PbxQueue,
    Recording,
    Registration,
    plain,
)

REMEMBERED = 20_000
"""Ids of channels and bridges that ended: an event that comes late must not bring one back."""
_OWNED: tuple[tuple[Kind, Owned], ...] = (
    (Kind.MEDIA, "media"),
    (Kind.PERSON, "person"),
    (Kind.SNOOP, "snoop"),
)
_RECORDING: dict[str, Recording] = {"start": "on", "stop": "off", "mute": "paused", "unmute": "on"}


@dataclass(slots=True)
class _Leg:
    """A channel, and the numbers of the changes that made it, its state and its bridge what they are."""

    view: PbxChannel
    began: int
    state: int
    bridge: int


@dataclass(slots=True)
class _Room:
    """A bridge; its channels are those that say so."""

    view: PbxBridge
    began: int


class _Ended:
    """Ids that are no more, with the number of the change; the oldest are forgotten."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, int] = OrderedDict()

    def add(self, id_: str, number: int) -> None:
        self._ids[id_] = number
        self._ids.move_to_end(id_)
        if len(self._ids) > REMEMBERED:
            self._ids.popitem(last=False)

    def discard(self, id_: str) -> None:
        self._ids.pop(id_, None)

    def __contains__(self, id_: str) -> bool:
        return id_ in self._ids

    def since(self, id_: str, number: int) -> bool:
        """Whether it ended after the change `number`."""
        return self._ids.get(id_, -1) > number


class PbxTracker:
    """Follows one PBX. `app` is the Stasis application, in whose name legs of ours have their ids.

    Times are seconds of the epoch. Whoever asks for lists says so (`asked`) before; after a gap that is done
    here.
    """

    def __init__(self, app: str) -> None:
        self._app = app
        self._number = 0
        self._asked = 0
        self._legs: dict[str, _Leg] = {}
        self._rooms: dict[str, _Room] = {}
        self._inside: dict[str, set[str]] = {}  # bridge -> channels
        self._ended = _Ended()
        self._closed = _Ended()
        self._phones = Phones()
        self._queues = Queues()
        self._changed: dict[str, set[str]] = {}
        self.complete = False
        """Whether the channels are known since the last gap."""
        self.events = 0
        """Of Asterisk's, so far."""

    # --- what comes -------------------------------------------------------------------------------------

    def asked(self) -> None:
        """Take note that everything is being listed anew."""
        self._number += 1
        self._asked = self._number

    def event(self, event: Event, now: float) -> None:
        """Take an event; those that mean nothing to us are left out."""
        self._number += 1
        self.events += not isinstance(event, Missed | LiveChannels | Listed)
        match event:
            case Missed():
                self.complete = False
                self.asked()
            case Newchannel(channel):
                self._ended.discard(channel.unique_id)
                self._see(channel, now)
            case Newstate(channel):
                self._see(channel, now)
            case Hangup(channel):
                self._ended.add(channel.unique_id, self._number)
                self._end(channel.unique_id)
            case Rename(unique_id, name) if leg := self._legs.get(unique_id):
                self._put(leg, replace(leg.view, name=name))
            case MixMonitor(channel, what) if leg := self._see(channel, now):
                self._put(leg, replace(leg.view, recording=_RECORDING[what]))
            case LiveChannels(channels):
                self._list_channels(channels, now)
            case BridgeCreate(bridge):
                self._closed.discard(bridge.unique_id)
                self._open(bridge, now)
            case BridgeEnter(bridge, channel):
                if (leg := self._see(channel, now)) and self._open(bridge, now):
                    self._move(leg, bridge.unique_id, now)
            case BridgeLeave(bridge, channel):
                # After a gap we may have missed how it came there; otherwise this one comes late.
                inside = (bridge.unique_id, "")
                if (leg := self._see(channel, now)) and (leg.view.bridge_id in inside or not self.complete):
                    self._move(leg, "", now)
            case BridgeDestroy(bridge):
                self._closed.add(bridge.unique_id, self._number)
                self._close(bridge.unique_id, now)
            case BridgeMerge(into, gone):
                for id_ in tuple(self._inside.get(gone, ())):
                    self._move(self._legs[id_], into, now)
            case Listed(BridgeList.name, listed, refused) if not refused:
                found = [each.bridge for each in listed if isinstance(each, BridgeListItem)]
                self._list_bridges(found, now)
            case _:
                self._note("queues", self._queues.event(event, self._number, self._asked, now))
                self._note("endpoints", self._phones.event(event, now))
                self._note("registrations", self._phones.registry_changes())

    # --- how it looks -----------------------------------------------------------------------------------

    @property
    def channels(self) -> tuple[PbxChannel, ...]:
        return tuple(leg.view for leg in self._legs.values())

    @property
    def bridges(self) -> tuple[PbxBridge, ...]:
        return tuple(self._room_view(id_) for id_ in self._rooms)

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        return self._phones.endpoints

    @property
    def queues(self) -> tuple[PbxQueue, ...]:
        return self._queues.queues(self._phones.state)

    @property
    def registrations(self) -> tuple[Registration, ...]:
        return self._phones.registrations

    @property
    def hidden(self) -> tuple[str, ...]:
        return self._phones.hidden

    @property
    def unsure_of_phones(self) -> bool:
        """Whether somebody registered or left, so that the phones must be listed anew; true once."""
        return self._phones.take_unsure()

    def channel(self, name_or_id: str) -> PbxChannel | None:
        """Return a channel by its id or name."""
        if leg := self._legs.get(name_or_id):
            return leg.view
        return next((leg.view for leg in self._legs.values() if leg.view.name == name_or_id), None)

    def presence(self, device: str) -> str:
        """Return the state of a telephone as an Endpoint has it."""
        return self._phones.state(device)

    def take_changes(self, wanted: bool = True) -> dict[str, Any]:
        """Return what changed since last time, ready for JSON: by part what is new, and what is `gone`.

        {"channels": [...], "channels_gone": [ids], "bridges": [...], "endpoints": [...], ...}; queues and
        registrations are given whole. Not `wanted`: nothing is told, and it is not told later either.
        """
        changed, self._changed = self._changed, {}
        if not wanted:
            return {}
        found: dict[str, Any] = {}
        for part, there in (("channels", self._legs), ("bridges", self._rooms)):
            ids = changed.get(part, set())
            if new := [id_ for id_ in ids if id_ in there]:
                found[part] = [
                    plain(self._legs[id_].view if part == "channels" else self._room_view(id_)) for id_ in new
                ]
            if gone := sorted(id_ for id_ in ids if id_ not in there):
                found[f"{part}_gone"] = gone
        if names := changed.get("endpoints"):
            views = {each.name: each for each in self.endpoints}
            found["endpoints"] = [plain(views[name]) for name in sorted(names & views.keys())]
            found["endpoints_gone"] = sorted(names - views.keys())
        if "queues" in changed or ("endpoints" in changed and self.queues):
            found["queues"] = [plain(each) for each in self.queues]
        if "registrations" in changed:
            found["registrations"] = [plain(each) for each in self.registrations]
        return found

    # --- channels ---------------------------------------------------------------------------------------

    def _see(self, channel: Channel, now: float, began_at: float | None = None) -> _Leg | None:
        """Take over what an event says of a channel; None where it has ended before."""
        id_ = channel.unique_id
        if id_ in self._ended:
            return None
        leg = self._legs.get(id_)
        if leg is None:
            began_at = now if began_at is None else began_at
            view = PbxChannel(
                id_, channel.name, ours=self._owned(id_), began_at=began_at, state_since_at=began_at,
                bridge_since_at=began_at, state=channel.state,
            )  # fmt: skip
            leg = self._legs[id_] = _Leg(view, self._number, self._number, 0)
        old = leg.view
        since = old.state_since_at if channel.state == old.state else now
        view = replace(
            old,
            name=channel.name,
            linked_id=channel.linked_id or old.linked_id,
            state=channel.state,
            caller=name_of_stranger(channel.caller) or old.caller,
            caller_name=name_of_stranger(channel.caller_name) or old.caller_name,
            connected=name_of_stranger(channel.connected) or old.connected,
            context=channel.context,
            exten=channel.exten,
            state_since_at=since,
        )
        leg.state = self._number
        if view != old or leg.began == self._number:
            self._put(leg, view)
        return leg

    def _put(self, leg: _Leg, view: PbxChannel) -> None:
        leg.view = view
        self._note("channels", (view.id,))
        self._note("endpoints", self._phones.channel(view.id, view.name, view.state))

    def _end(self, id_: str) -> None:
        if leg := self._legs.pop(id_, None):
            self._leave(id_, leg.view.bridge_id)
            self._note("channels", (id_,))
            self._note("endpoints", self._phones.channel(id_, leg.view.name, None))
        self._note("queues", self._queues.channel_ended(id_, self._number))

    def _list_channels(self, listed: Iterable[CoreShowChannel], now: float) -> None:
        there = {each.channel.unique_id: each for each in listed}
        for id_, leg in tuple(self._legs.items()):
            if id_ not in there and leg.began <= self._asked:
                self._end(id_)
        for id_, each in there.items():
            if self._ended.since(id_, self._asked):
                continue
            self._ended.discard(id_)
            known = self._legs.get(id_)
            began, state = (known.began, known.state) if known else (0, 0)
            channel = each.channel
            if known and state > self._asked:  # what changed while it was listed
                channel = replace(channel, state=known.view.state)
            seen = self._see(channel, now, now - each.age_s)
            assert seen is not None, "it has not ended"
            seen.began, seen.state = began, state
            if each.application != seen.view.application:
                self._put(seen, replace(seen.view, application=each.application))
            moved = seen.bridge
            if moved <= self._asked and each.bridge_id != seen.view.bridge_id:
                inside = each.bridge_id
                if not inside or self._open(Bridge(inside), now, 0):
                    self._move(seen, inside, now)
                    seen.bridge = moved
        self.complete = True

    def _owned(self, id_: str) -> Owned:
        return next((name for kind, name in _OWNED if is_ours(id_, self._app, kind)), "")

    # --- bridges ----------------------------------------------------------------------------------------

    def _open(self, bridge: Bridge, now: float, began: int | None = None) -> bool:
        """Take over what is said of a bridge; False where it has ended before."""
        id_ = bridge.unique_id
        if id_ in self._closed:
            return False
        room = self._rooms.get(id_)
        if room is None:
            view = PbxBridge(id_, ours=is_ours(id_, self._app, Kind.BRIDGE), changed_at=now)
            room = self._rooms[id_] = _Room(view, self._number if began is None else began)
            self._note("bridges", (id_,))
        if bridge.kind:
            view = replace(room.view, kind=bridge.kind, technology=bridge.technology, name=bridge.name)
            if view != room.view:
                room.view = view
                self._note("bridges", (id_,))
        return True

    def _close(self, id_: str, now: float) -> None:
        for channel in tuple(self._inside.get(id_, ())):
            leg = self._legs[channel]
            changed = leg.bridge  # where it really is, if what we knew is old, a list tells
            self._move(leg, "", now)
            leg.bridge = changed
        if self._rooms.pop(id_, None):
            self._note("bridges", (id_,))

    def _move(self, leg: _Leg, bridge_id: str, now: float) -> None:
        old = leg.view.bridge_id
        leg.bridge = self._number
        if old == bridge_id:
            return
        self._leave(leg.view.id, old, now)
        if bridge_id:
            self._inside.setdefault(bridge_id, set()).add(leg.view.id)
            self._touch(bridge_id, now)
        self._put(leg, replace(leg.view, bridge_id=bridge_id, bridge_since_at=now))

    def _leave(self, channel_id: str, bridge_id: str, now: float | None = None) -> None:
        if inside := self._inside.get(bridge_id):
            inside.discard(channel_id)
            if not inside:
                del self._inside[bridge_id]
            self._touch(bridge_id, now)

    def _touch(self, bridge_id: str, now: float | None) -> None:
        if room := self._rooms.get(bridge_id):
            if now is not None:
                room.view = replace(room.view, changed_at=now)
            self._note("bridges", (bridge_id,))

    def _room_view(self, id_: str) -> PbxBridge:
        return replace(self._rooms[id_].view, channels=tuple(sorted(self._inside.get(id_, ()))))

    def _list_bridges(self, listed: Iterable[Bridge], now: float) -> None:
        there = {each.unique_id: each for each in listed}
        for id_, room in tuple(self._rooms.items()):
            if id_ not in there and room.began <= self._asked:
                self._close(id_, now)
        for id_, each in there.items():
            if not self._closed.since(id_, self._asked):
                self._closed.discard(id_)
                self._open(each, now, 0)

    def _note(self, part: str, names: Iterable[str]) -> None:
        if names := set(names):
            self._changed.setdefault(part, set()).update(names)
