"""Events beyond single channels: bridges, telephones, queues, registrations, recordings.

Some come both by themselves and in a list that an action asks for: then one type serves both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from voicebot.ami.fields import Channel, Headers, channel, known, number


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge. `kind` is its BridgeType (`basic`, `base`, `stasis`, ...); `size` the channels in it."""

    unique_id: str
    kind: str = ""
    technology: str = ""
    name: str = ""
    size: int = 0


@dataclass(frozen=True, slots=True)
class BridgeCreate:
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class BridgeEnter:
    bridge: Bridge
    channel: Channel


@dataclass(frozen=True, slots=True)
class BridgeLeave:
    bridge: Bridge
    channel: Channel


@dataclass(frozen=True, slots=True)
class BridgeDestroy:
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class BridgeMerge:
    """All of bridge `gone` are in bridge `into` now."""

    into: str
    gone: str


@dataclass(frozen=True, slots=True)
class BridgeListItem:
    """One bridge of the list that BridgeList asks for."""

    bridge: Bridge


@dataclass(frozen=True, slots=True)
class Rename:
    """A channel has another name; its id stays."""

    unique_id: str
    name: str


@dataclass(frozen=True, slots=True)
class DeviceStateChange:
    """What a telephone does: `NOT_INUSE`, `INUSE`, `UNAVAILABLE`, ... Also one of DeviceStateList."""

    device: str
    state: str


@dataclass(frozen=True, slots=True)
class PresenceStateChange:
    """What a person says of themselves: `available`, `away`, `dnd`, ..."""

    presentity: str
    status: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class EndpointList:
    """One endpoint of PJSIPShowEndpoints."""

    name: str
    state: str
    contacts: tuple[str, ...] = ()
    channels: int = 0


@dataclass(frozen=True, slots=True)
class ContactList:
    """One contact of PJSIPShowContacts."""

    endpoint: str
    uri: str
    status: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """We registered at a provider, or failed to."""

    server: str
    user: str
    status: str


@dataclass(frozen=True, slots=True)
class OutboundRegistration:
    """One of PJSIPShowRegistrationsOutbound."""

    name: str
    server: str
    user: str
    status: str


@dataclass(frozen=True, slots=True)
class QueueParams:
    """A queue, first of its part of QueueStatus."""

    queue: str
    waiting: int = 0
    answered: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class QueueMember:
    """Who answers a queue: one of QueueStatus, or what QueueMemberStatus, -Added and -Pause tell.

    status: the device's state as a number (1: not in use, 2: in use, 5: unavailable, 6: rings, ...)
    """

    queue: str
    interface: str
    name: str = ""
    status: int = 0
    paused: bool = False
    reason: str = ""
    in_call: bool = False
    answered: int = 0


@dataclass(frozen=True, slots=True)
class QueueMemberRemoved:
    queue: str
    interface: str


@dataclass(frozen=True, slots=True)
class QueueEntry:
    """Who waits in a queue: one of QueueStatus. `waited_s` in seconds."""

    queue: str
    channel: str
    unique_id: str
    position: int
    caller: str = ""
    waited_s: int = 0


@dataclass(frozen=True, slots=True)
class QueueCallerJoin:
    queue: str
    channel: Channel
    position: int


@dataclass(frozen=True, slots=True)
class QueueCallerLeave:
    """A caller has left: to somebody who answers, or not."""

    queue: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class QueueCallerAbandon:
    """A caller has hung up; QueueCallerLeave comes as well."""

    queue: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class MixMonitor:
    """A recording began, ended, or was muted: `what` is `start`, `stop`, `mute` or `unmute`."""

    channel: Channel
    what: str


PbxEvent = (
    BridgeCreate
    | BridgeEnter
    | BridgeLeave
    | BridgeDestroy
    | BridgeMerge
    | BridgeListItem
    | Rename
    | DeviceStateChange
    | PresenceStateChange
    | EndpointList
    | ContactList
    | Registry
    | OutboundRegistration
    | QueueParams
    | QueueMember
    | QueueMemberRemoved
    | QueueEntry
    | QueueCallerJoin
    | QueueCallerLeave
    | QueueCallerAbandon
    | MixMonitor
)


def _bridge(get: Headers) -> Bridge:
    return Bridge(
        get["bridgeuniqueid"],
        get.get("bridgetype", ""),
        get.get("bridgetechnology", ""),
        known(get, "bridgename"),
        number(get, "bridgenumchannels"),
    )


def _member(get: Headers) -> QueueMember:
    return QueueMember(
        get["queue"],
        get["interface"] if "interface" in get else get["location"],
        get.get("membername") or get.get("name", ""),
        number(get, "status"),
        get.get("paused") == "1",
        get.get("pausedreason", ""),
        get.get("incall") == "1",
        number(get, "callstaken"),
    )


def _entry(get: Headers) -> QueueEntry:
    return QueueEntry(
        get["queue"],
        get["channel"],
        get["uniqueid"],
        number(get, "position"),
        known(get, "calleridnum"),
        number(get, "wait"),
    )


def _contacts(get: Headers) -> tuple[str, ...]:
    """Such as `person/sip:a@192.0.2.1:5060,person/sip:b@192.0.2.1:5062,`: the addresses."""
    return tuple(one.partition("/")[2] or one for one in get.get("contacts", "").split(",") if one)


MAKERS: Mapping[str, Callable[[Headers], PbxEvent]] = {
    "BridgeCreate": lambda get: BridgeCreate(_bridge(get)),
    "BridgeEnter": lambda get: BridgeEnter(_bridge(get), channel(get)),
    "BridgeLeave": lambda get: BridgeLeave(_bridge(get), channel(get)),
    "BridgeDestroy": lambda get: BridgeDestroy(_bridge(get)),
    "BridgeMerge": lambda get: BridgeMerge(get["tobridgeuniqueid"], get["frombridgeuniqueid"]),
    "BridgeListItem": lambda get: BridgeListItem(_bridge(get)),
    "Rename": lambda get: Rename(get["uniqueid"], get["newname"]),
    "DeviceStateChange": lambda get: DeviceStateChange(get["device"], get["state"]),
    "PresenceStateChange": lambda get: PresenceStateChange(
        get["presentity"], get["status"], get.get("message", "")
    ),
    "EndpointList": lambda get: EndpointList(
        get["objectname"], get["devicestate"], _contacts(get), number(get, "activechannels")
    ),
    "ContactList": lambda get: ContactList(get.get("endpoint", ""), get["uri"], get.get("status", "")),
    "Registry": lambda get: Registry(get.get("domain", ""), get.get("username", ""), get["status"]),
    "OutboundRegistrationDetail": lambda get: OutboundRegistration(
        get["objectname"], get.get("serveruri", ""), get.get("clienturi", ""), get.get("status", "")
    ),
    "QueueParams": lambda get: QueueParams(
        get["queue"], number(get, "calls"), number(get, "completed"), number(get, "abandoned")
    ),
    "QueueMember": _member,
    "QueueMemberStatus": _member,
    "QueueMemberAdded": _member,
    "QueueMemberPause": _member,
    "QueueMemberRemoved": lambda get: QueueMemberRemoved(get["queue"], get["interface"]),
    "QueueEntry": _entry,
    "QueueCallerJoin": lambda get: QueueCallerJoin(get["queue"], channel(get), number(get, "position")),
    "QueueCallerLeave": lambda get: QueueCallerLeave(get["queue"], channel(get)),
    "QueueCallerAbandon": lambda get: QueueCallerAbandon(get["queue"], channel(get)),
    "MixMonitorStart": lambda get: MixMonitor(channel(get), "start"),
    "MixMonitorStop": lambda get: MixMonitor(channel(get), "stop"),
    "MixMonitorMute": lambda get: MixMonitor(channel(get), "mute" if get["state"] == "1" else "unmute"),
}
