"""How a PBX looks at one moment: what people who watch it are shown. Immutable, ready for JSON.

Names are those of Asterisk's manager interface. `*_at` are seconds of the epoch, `*_ms` durations.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Literal

Owned = Literal["", "media", "person", "snoop"]
"""What a leg of the gateway's own is for; "": it is none of ours."""

Recording = Literal["off", "on", "paused"]

WarningCode = Literal["old", "idle", "unowned", "lonely_bridge", "half_answered"]


@dataclass(frozen=True, slots=True)
class PbxChannel:
    """A channel.

    id, linked_id: its own, and that of the oldest channel it was ever connected with: one for all of a call
    state:         `Down`, `Ring`, `Ringing`, `Up`, ... and since when; as far back as we know
    connected:     number of the other side, as Asterisk knows it
    application:   of the dialplan, "" where it is not known; it is learnt when channels are listed
    bridge_id:     the bridge it is in, "", and since when
    recording:     what MixMonitor does with it: `off`, `on`, `paused`; `off` where it began before we looked
    """

    id: str
    name: str
    linked_id: str = ""
    state: str = ""
    caller: str = ""
    caller_name: str = ""
    connected: str = ""
    context: str = ""
    exten: str = ""
    application: str = ""
    bridge_id: str = ""
    ours: Owned = ""
    recording: Recording = "off"
    began_at: float = 0.0
    state_since_at: float = 0.0
    bridge_since_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PbxBridge:
    """A bridge. `kind` is Asterisk's BridgeType (`basic`, `base`, `stasis`); `channels` are ids."""

    id: str
    kind: str = ""
    technology: str = ""
    name: str = ""
    channels: tuple[str, ...] = ()
    ours: bool = False
    changed_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A telephone or trunk: `PJSIP/anna`.

    state:    as devices have it: `not_inuse`, `inuse`, `ringing`, `ringinuse`, `unavailable`, `invalid`,
              `busy`, `onhold`, `unknown`. What it does is taken from its channels, the rest from Asterisk
    contacts: addresses that are registered; None where we may not ask for them
    """

    name: str
    state: str = "unknown"
    contacts: tuple[str, ...] | None = None
    since_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PbxMember:
    """Who answers one of Asterisk's own queues. `state` as of an Endpoint."""

    interface: str
    name: str = ""
    state: str = "unknown"
    paused: bool = False
    reason: str = ""
    in_call: bool = False
    answered: int = 0


@dataclass(frozen=True, slots=True)
class PbxWaiting:
    """Who waits in one of Asterisk's own queues."""

    channel_id: str
    channel: str
    position: int
    caller: str = ""
    since_at: float = 0.0


@dataclass(frozen=True, slots=True)
class PbxQueue:
    """One of Asterisk's own queues (app_queue); those of the gateway are `voicebot.switchboard.queues`'."""

    name: str
    members: tuple[PbxMember, ...] = ()
    waiting: tuple[PbxWaiting, ...] = ()
    answered: int = 0
    abandoned: int = 0


@dataclass(frozen=True, slots=True)
class Registration:
    """We at a provider. `state` as Asterisk says it: `Registered`, `Unregistered`, `Rejected`, ..."""

    name: str
    server: str = ""
    state: str = ""
    since_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stuck:
    """Something that should be over.

    channel: its name; of a bridge the bridge's id
    why:     a sentence for people; `code` is its kind
    age_ms:  how long it has been so
    """

    channel: str
    why: str
    age_ms: int
    code: WarningCode = "old"
    id: str = ""


@dataclass(frozen=True, slots=True)
class PbxState:
    """All of it.

    configured: False where voicebot.toml names no user for supervision: then all else is empty
    connected:  whether it is live; otherwise it is what was known when the connection was lost
    since_at:   since when it is (or is not) connected
    trouble:    why it is not connected, ""
    version:    Asterisk's own, such as 22.10.1
    events:     of AMI that came so far
    hidden:     what the user of manager.conf may not see: `registrations`, `contacts`
    """

    configured: bool = True
    connected: bool = False
    since_at: float = 0.0
    trouble: str = ""
    version: str = ""
    started_at: float = 0.0
    events: int = 0
    channels: tuple[PbxChannel, ...] = ()
    bridges: tuple[PbxBridge, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    queues: tuple[PbxQueue, ...] = ()
    registrations: tuple[Registration, ...] = ()
    warnings: tuple[Stuck, ...] = ()
    hidden: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return plain(self)


_GETTERS: dict[type, tuple[tuple[str, ...], Any]] = {}


def plain(view: Any) -> dict[str, Any]:
    """Return a dataclass of this module as a dict, its parts too: `asdict`, five times as fast."""
    kind = type(view)
    if kind not in _GETTERS:
        names = tuple(kind.__dataclass_fields__)
        _GETTERS[kind] = names, attrgetter(*names)
    names, get = _GETTERS[kind]
    return {
        name: tuple(plain(each) if hasattr(each, "__dataclass_fields__") else each for each in value)
        if type(value) is tuple
        else value
        for name, value in zip(names, get(view), strict=True)
    }
