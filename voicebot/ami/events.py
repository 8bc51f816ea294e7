"""Events of the manager interface, typed.

`parse()` takes any event message: headers we do not know are left out, and events we do not know (or that
lack what their name promises) become an `UnknownEvent` with all their headers, so that a newer Asterisk never
stops the reader. Names and meanings: docs.asterisk.org, "AMI Events", and `manager show event Hangup` on
Asterisk's command line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from voicebot.ami.fields import Channel as Channel
from voicebot.ami.fields import Headers, channel, number, seconds
from voicebot.ami.messages import Message
from voicebot.ami.pbx_events import MAKERS as PBX_MAKERS
from voicebot.ami.pbx_events import PbxEvent


@dataclass(frozen=True, slots=True)
class Newchannel:
    channel: Channel


@dataclass(frozen=True, slots=True)
class Newstate:
    channel: Channel


@dataclass(frozen=True, slots=True)
class VarSet:
    """A variable was set; without a channel it is a global one."""

    variable: str
    value: str
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class DialBegin:
    """`dest` is being called; `channel` asked for it, None where Asterisk itself did (an Originate)."""

    dest: Channel
    dial_string: str = ""
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class DialState:
    """What the far side says before it answers: RINGING, PROGRESS, PROCEEDING."""

    dest: Channel
    status: str
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class DialEnd:
    """`status` is ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL, ..."""

    dest: Channel
    status: str
    channel: Channel | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """A channel is gone. `cause` as in ITU-T Q.850, 0 where nobody named one; `sip`: the SIP status."""

    channel: Channel
    cause: int = 0
    cause_text: str = ""
    sip: int | None = None


@dataclass(frozen=True, slots=True)
class OriginateResponse:
    """An asynchronous Originate was answered, or failed. `channel` is a name, or what was asked for."""

    action_id: str
    succeeded: bool
    reason: int = 0
    channel: str = ""
    exten: str = ""
    unique_id: str = ""


@dataclass(frozen=True, slots=True)
class LocalBridge:
    """The two halves of a Local channel, by their unique ids."""

    one: str
    two: str
    context: str = ""
    exten: str = ""


@dataclass(frozen=True, slots=True)
class CoreShowChannel:
    """One channel of the list that the action CoreShowChannels asks for. `age_s`: seconds it lives."""

    channel: Channel
    application: str = ""
    bridge_id: str = ""
    age_s: int = 0


@dataclass(frozen=True, slots=True)
class FullyBooted:
    """Asterisk takes calls; sent after each login as well, to those who may read `system`."""

    uptime_s: int = 0


@dataclass(frozen=True, slots=True)
class Shutdown:
    """Asterisk ends."""

    clean: bool = False
    restart: bool = False


@dataclass(frozen=True, slots=True)
class PeerStatus:
    """A peer registered, left, or changed its address."""

    peer: str
    status: str


@dataclass(frozen=True, slots=True)
class ContactStatus:
    """What a qualified contact of a PJSIP endpoint is worth: Reachable, Unreachable, Removed, ..."""

    endpoint: str
    uri: str
    status: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event that we have no type for."""

    message: Message

    @property
    def name(self) -> str:
        return self.message.get("Event")


@dataclass(frozen=True, slots=True)
class Missed:
    """Never sent by Asterisk: here events are missing, `count` of them, None where nobody can know.

    Whoever follows channels gets the list of those that live now, a little later.
    """

    why: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class LiveChannels:
    """Never sent as one event: the whole list that CoreShowChannels gave, after events were missed."""

    channels: tuple[CoreShowChannel, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """Never sent as one event: the whole list that `action` gave, after events were missed.

    refused: why there is none; Asterisk refuses some lists that would be empty, too
    """

    action: str
    events: tuple[Event, ...]
    refused: str = ""


Event = (
    Newchannel
    | Newstate
    | VarSet
    | DialBegin
    | DialState
    | DialEnd
    | Hangup
    | OriginateResponse
    | LocalBridge
    | CoreShowChannel
    | FullyBooted
    | Shutdown
    | PeerStatus
    | ContactStatus
    | UnknownEvent
    | Missed
    | LiveChannels
    | Listed
    | PbxEvent
)


def parse(message: Message) -> Event:
    """Return the typed event of a message that is one."""
    get = {name.lower(): value for name, value in reversed(message.headers)}
    make = _MAKERS.get(get.get("event", ""))
    if make is None:
        return UnknownEvent(message)
    try:
        return make(get)
    except (KeyError, ValueError):
        return UnknownEvent(message)


# --- from headers (see fields) --------------------------------------------------------------------------


def _caller(get: Headers) -> Channel | None:
    return channel(get) if get.get("channel") else None


def _sip(get: Headers) -> int | None:
    """The SIP status; 0 or nothing where the channel is no SIP or nobody sent one."""
    status = get.get("techcause", "")
    return int(status) if status.isdigit() and int(status) >= 100 else None


_MAKERS: dict[str, Callable[[Headers], Event]] = {
    **PBX_MAKERS,
    "Newchannel": lambda get: Newchannel(channel(get)),
    "Newstate": lambda get: Newstate(channel(get)),
    "VarSet": lambda get: VarSet(get["variable"], get.get("value", ""), _caller(get)),
    "DialBegin": lambda get: DialBegin(channel(get, "dest"), get.get("dialstring", ""), _caller(get)),
    "DialState": lambda get: DialState(channel(get, "dest"), get["dialstatus"], _caller(get)),
    "DialEnd": lambda get: DialEnd(channel(get, "dest"), get["dialstatus"], _caller(get)),
    "Hangup": lambda get: Hangup(channel(get), number(get, "cause"), get.get("cause-txt", ""), _sip(get)),
    "OriginateResponse": lambda get: OriginateResponse(
        get.get("actionid", ""),
        get["response"] == "Success",
        number(get, "reason"),
        get.get("channel", ""),
        get.get("exten", ""),
        get.get("uniqueid", "").removeprefix("<null>"),
    ),
    "LocalBridge": lambda get: LocalBridge(
        get["localoneuniqueid"], get["localtwouniqueid"], get.get("context", ""), get.get("exten", "")
    ),
    "CoreShowChannel": lambda get: CoreShowChannel(
        channel(get), get.get("application", ""), get.get("bridgeid", ""), seconds(get, "duration")
    ),
    "FullyBooted": lambda get: FullyBooted(number(get, "uptime")),
    "Shutdown": lambda get: Shutdown(get.get("shutdown") == "Cleanly", get.get("restart") == "True"),
    "PeerStatus": lambda get: PeerStatus(get["peer"], get["peerstatus"]),
    "ContactStatus": lambda get: ContactStatus(
        get.get("endpointname", ""), get.get("uri", ""), get["contactstatus"]
    ),
}
