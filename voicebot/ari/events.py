"""Events of Asterisk's REST interface (ARI), as its `/ari/events` websocket sends them.

`parse()` takes any JSON object: fields we do not know are left out, and event types we do not know (or that
lack what their type promises) become an `UnknownEvent`, so that a newer Asterisk never stops the reader.
`serialise()` is its mirror. Names and meanings: Asterisk's `rest-api/api-docs/events.json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json, to_json

# --- what events carry ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerId:
    """A party's name and number, "" where unknown."""

    name: str = ""
    number: str = ""


@dataclass(frozen=True, slots=True)
class DialplanPlace:
    """Where in the dialplan a channel is (ARI: DialplanCEP)."""

    context: str = ""
    exten: str = ""
    priority: int = 0
    app_name: str = ""
    app_data: str = ""


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `state` is `Down`, `Ring`, `Ringing`, `Up`, ...; `protocol_id` is the SIP Call-ID."""

    id: str
    name: str = ""
    state: str = ""
    protocol_id: str = ""
    caller: CallerId = CallerId()
    connected: CallerId = CallerId()
    accountcode: str = ""
    dialplan: DialplanPlace = DialplanPlace()
    creationtime: datetime | None = None
    language: str = ""
    channelvars: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge and the ids of the channels in it."""

    id: str
    technology: str = ""
    bridge_type: str = ""
    bridge_class: str = ""
    creator: str = ""
    name: str = ""
    channels: tuple[str, ...] = ()
    creationtime: datetime | None = None


@dataclass(frozen=True, slots=True)
class Playback:
    """A sound being played; `target_uri` is `channel:<id>` or `bridge:<id>`."""

    id: str
    media_uri: str = ""
    target_uri: str = ""
    state: str = ""


# --- the events -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event has; `timestamp` is Asterisk's clock, to the millisecond."""

    type: str
    application: str = ""
    timestamp: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event that we have no type for; `body` is all of it, `fault` why a known type did not fit."""

    body: Mapping[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StasisStart(Event):
    """A channel entered our application, with the arguments that the dialplan gave to `Stasis()`."""

    type: Literal["StasisStart"] = "StasisStart"
    channel: Channel
    args: tuple[str, ...] = ()
    replace_channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StasisEnd(Event):
    """A channel left our application: hung up, or went on in the dialplan."""

    type: Literal["StasisEnd"] = "StasisEnd"
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelStateChange(Event):
    """A channel's `state` changed."""

    type: Literal["ChannelStateChange"] = "ChannelStateChange"
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelHangupRequest(Event):
    """Somebody wants the channel gone; `soft` marks a request from this side of the channel."""

    type: Literal["ChannelHangupRequest"] = "ChannelHangupRequest"
    channel: Channel
    cause: int | None = None
    soft: bool = False
    tech_cause: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDestroyed(Event):
    """A channel is gone. `cause` as in ITU-T Q.850, `tech_cause` the SIP status where there is one."""

    type: Literal["ChannelDestroyed"] = "ChannelDestroyed"
    channel: Channel
    cause: int = 0
    cause_txt: str = ""
    tech_cause: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDtmfReceived(Event):
    """A key (0-9 * # A-D), told when it is released."""

    type: Literal["ChannelDtmfReceived"] = "ChannelDtmfReceived"
    channel: Channel
    digit: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTalkingStarted(Event):
    """Somebody begins to talk; told where `requests.detect_talking` asked for it."""

    type: Literal["ChannelTalkingStarted"] = "ChannelTalkingStarted"
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelTalkingFinished(Event):
    """They have been silent for some time; `duration` in ms, the silence included."""

    type: Literal["ChannelTalkingFinished"] = "ChannelTalkingFinished"
    channel: Channel
    duration: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelEnteredBridge(Event):
    type: Literal["ChannelEnteredBridge"] = "ChannelEnteredBridge"
    bridge: Bridge
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelLeftBridge(Event):
    type: Literal["ChannelLeftBridge"] = "ChannelLeftBridge"
    bridge: Bridge
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeCreated(Event):
    type: Literal["BridgeCreated"] = "BridgeCreated"
    bridge: Bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeDestroyed(Event):
    type: Literal["BridgeDestroyed"] = "BridgeDestroyed"
    bridge: Bridge


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelVarset(Event):
    """A channel variable was set; without a channel it is a global one."""

    type: Literal["ChannelVarset"] = "ChannelVarset"
    variable: str
    value: str = ""
    channel: Channel | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial(Event):
    """Progress of a dialled `peer`; `dialstatus` is "" until there is one (ANSWER, BUSY, ...)."""

    type: Literal["Dial"] = "Dial"
    peer: Channel
    caller: Channel | None = None
    forwarded: Channel | None = None
    dialstatus: str = ""
    dialstring: str = ""
    forward: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackStarted(Event):
    type: Literal["PlaybackStarted"] = "PlaybackStarted"
    playback: Playback


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaybackFinished(Event):
    """A sound ended; `playback.state` is `done` or `failed`."""

    type: Literal["PlaybackFinished"] = "PlaybackFinished"
    playback: Playback


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelUserevent(Event):
    """An event that somebody made up, with its variables; gateways greet each other so."""

    type: Literal["ChannelUserevent"] = "ChannelUserevent"
    eventname: str
    userevent: Mapping[str, Any] = field(default_factory=dict)
    channel: Channel | None = None
    bridge: Bridge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationReplaced(Event):
    """Another client took our application's name: no more events will come to us."""

    type: Literal["ApplicationReplaced"] = "ApplicationReplaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vanished(Event):
    """Never sent by Asterisk: what we held under `id` is no longer there, and its last events were missed.

    reason: `hung_up` (it ended while we were disconnected), `asterisk_lost` (Asterisk died or restarted),
            `app_taken` (another gateway took the application's name)
    """

    type: Literal["Vanished"] = "Vanished"
    id: str
    reason: str


_TYPES: dict[str, type[Event]] = {
    cls.__name__: cls for cls in Event.__subclasses__() if cls not in (UnknownEvent, Vanished)
}
_ADAPTERS: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in _TYPES.items()}
_HEAD = TypeAdapter(Event)
_CHANNEL = TypeAdapter(Channel)


def parse(message: bytes | str | Mapping[str, Any]) -> Event:
    """Return the event in one websocket message (or in its decoded JSON object).

    Raises ValueError where the message is not a JSON object at all.
    """
    body = message if isinstance(message, Mapping) else from_json(message)
    if not isinstance(body, dict):
        raise ValueError(f"an ARI event is a JSON object, not {type(body).__name__}")
    name = body.get("type")
    adapter = _ADAPTERS.get(name) if isinstance(name, str) else None
    if adapter is None:
        return _unknown(body)
    try:
        event: Event = adapter.validate_python(body)
    except ValidationError as error:
        return _unknown(body, str(error.errors(include_url=False)[0]["msg"]))
    return event


def serialise(event: Event) -> bytes:
    """Return the JSON that `parse` reads back as an equal event; fields without a value are left out."""
    if isinstance(event, UnknownEvent):
        return to_json(event.body)
    body = _ADAPTERS[event.type].dump_json(event, exclude_none=True)
    return bytes(body)


def parse_channel(body: Any) -> Channel:
    """Return the channel that a REST reply describes. Raises ValueError where it does not."""
    return _CHANNEL.validate_python(body)


def ids_of(event: Event) -> tuple[str, ...]:
    """Return the ids of the channels and bridges that an event is about, each once."""
    match event:
        case Vanished(id=id_):
            return (id_,)
        case Dial():
            parties = (event.caller, event.peer, event.forwarded)
            return tuple(dict.fromkeys(party.id for party in parties if party))
        case PlaybackStarted() | PlaybackFinished():
            return (event.playback.target_uri.partition(":")[2],)
        case UnknownEvent(body=body):
            parts = (body.get("channel"), body.get("bridge"))
            return tuple(str(part["id"]) for part in parts if isinstance(part, Mapping) and "id" in part)
    channel, bridge = getattr(event, "channel", None), getattr(event, "bridge", None)
    return tuple(part.id for part in (channel, bridge) if part is not None)


def is_end_of(event: Event, id_: str) -> bool:
    """Tell whether the channel or bridge of this id is no longer ours after the event."""
    match event:
        case Vanished():
            return event.id == id_
        case BridgeDestroyed():
            return event.bridge.id == id_
        case StasisEnd() | ChannelDestroyed():
            return event.channel.id == id_
    return False


def _unknown(body: dict[str, Any], fault: str = "") -> UnknownEvent:
    try:
        head = _HEAD.validate_python(body)
    except ValidationError:
        head = Event(type=str(body.get("type", "")))
    return UnknownEvent(
        type=head.type, application=head.application, timestamp=head.timestamp, body=body, fault=fault
    )
