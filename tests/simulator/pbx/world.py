"""What the simulated PBX has: channels, bridges, applications, and the events that come of changing them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import numpy as np

from tests.simulator.pbx.rtp import RtpSocket
from voicebot.audio.g711 import decode, encode

CAUSES = {
    16: "Normal Clearing",
    17: "User busy",
    21: "Call Rejected",
    34: "Circuit/channel congestion",
    41: "Failure",
}
Json = dict[str, Any]
FRAME_BYTES = 160
"""20 ms of mu-law."""
MIX_FRAMES = 4
"""That may wait for the mix of a bridge of more than two."""
LOUD = 1000
QUIET_FRAMES = 125
"""As Asterisk's TALK_DETECT: 2500 ms."""


class Refused(Exception):
    """A REST request is answered with this status and message."""

    def __init__(self, status: int, message: str) -> None:
        self.status, self.message = status, message
        super().__init__(message)


INTERNAL = Refused(500, "An internal error prevented this request from being handled")


@dataclass(eq=False)
class Channel:
    """`app` is the Stasis application it is in, "" for the dialplan; `on_gone(cause)` tells a caller.

    context, runs: where it is in the dialplan, and what it runs;  with_: whom that has joined it with
    """

    id: str
    name: str
    rtp: RtpSocket
    state: str = "Down"
    number: str = ""
    exten: str = "s"
    app: str = ""
    context: str = "voicebot-in"
    runs: str = ""
    with_: Channel | None = None
    bridge: Bridge | None = None
    variables: dict[str, str] = field(default_factory=dict)
    muted: bool = False
    played: list[str] = field(default_factory=list)
    heard: deque[bytes] = field(default_factory=lambda: deque(maxlen=MIX_FRAMES))
    mixed_at: int = 0
    talks: bool = False
    quiet_frames: int = 0
    created: str = field(default_factory=lambda: now())
    on_answer: Callable[[], None] = lambda: None
    on_gone: Callable[[int], None] = lambda cause: None

    @property
    def json(self) -> Json:
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "protocol_id": "",
            "caller": {"name": "", "number": self.number},
            "connected": {"name": "", "number": ""},
            "accountcode": "",
            "dialplan": {
                "context": self.context,
                "exten": self.exten,
                "priority": 2,
                "app_name": "Stasis" if self.app else self.runs,
                "app_data": self.app,
            },
            "creationtime": self.created,
            "language": "en",
        }


@dataclass(eq=False)
class Bridge:
    id: str
    name: str = ""
    kind: str = "stasis"
    channels: list[Channel] = field(default_factory=list)
    created: str = field(default_factory=lambda: now())

    @property
    def json(self) -> Json:
        return {
            "id": self.id,
            "technology": "simple_bridge" if len(self.channels) < 3 else "softmix",
            "bridge_type": "mixing",
            "bridge_class": self.kind,
            "creator": "Stasis" if self.kind == "stasis" else "",
            "name": self.name,
            "channels": [channel.id for channel in self.channels],
            "creationtime": self.created,
            "video_mode": "talker",
        }


@dataclass(eq=False)
class App:
    """A Stasis application: who listens (None: nobody) and what it follows.

    `implicit`: channels in Stasis, followed until they leave; `explicit`: followed until they are gone.
    """

    name: str
    send: Callable[[Json], None] | None = None
    implicit: set[str] = field(default_factory=set)
    explicit: set[str] = field(default_factory=set)
    disallowed: list[str] = field(default_factory=list)

    @property
    def followed(self) -> set[str]:
        return self.implicit | self.explicit


class World:
    """All state of one run of the PBX; a restart makes a new one."""

    def __init__(self) -> None:
        self.startup_time = now()
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.apps: dict[str, App] = {}
        self.handed_over: list[tuple[str, str, str, dict[str, str]]] = []
        self._numbers = count()

    # --- applications -----------------------------------------------------------------------------------

    def register(self, name: str, send: Callable[[Json], None]) -> None:
        """A websocket opens. Who had the name is told, and gets nothing more."""
        app = self.apps.setdefault(name, App(name))
        if app.send is not None:
            self._tell(app, {"type": "ApplicationReplaced"})
        app.send = send

    def unregister(self, name: str, send: Callable[[Json], None]) -> None:
        """A websocket closes. Channels stay; an application that follows something stays listed for good."""
        app = self.apps.get(name)
        if app is not None and app.send is send:
            app.send = None
            if not app.followed:
                del self.apps[name]

    def app(self, name: str) -> App:
        try:
            return self.apps[name]
        except KeyError:
            raise Refused(404, "Application not found") from None

    def follow(self, name: str, sources: str, on: bool) -> App:
        app = self.app(name)
        for source in sources.split(","):
            kind, _, id_ = source.partition(":")
            there: dict[str, Any] = self.channels if kind == "channel" else self.bridges
            if on and id_ not in there:
                raise Refused(422, "One or more event sources do not exist")
            if not on and id_ not in app.followed:
                raise Refused(409, "Application not subscribed to event source")
            (app.explicit.add if on else app.explicit.discard)(id_)
        return app

    def user_event(self, name: str, event: str, variables: Json) -> None:
        body = {
            "type": "ChannelUserevent",
            "eventname": event,
            "userevent": {**variables, "eventname": event},
        }
        self._tell(self.app(name), body)

    def emit(self, event: Json, *ids: str) -> None:
        """Send an event to every application that follows one of the ids; nobody there, nobody told."""
        for app in self.apps.values():
            if app.followed.intersection(ids) and event["type"] not in app.disallowed:
                self._tell(app, event)

    def _tell(self, app: App, event: Json) -> None:
        if app.send is not None:
            head = {"timestamp": now(), "asterisk_id": "02:00:00:00:00:01", "application": app.name}
            app.send({**head, **event})

    # --- channels ---------------------------------------------------------------------------------------

    def new_id(self) -> str:
        return f"{int(time.time())}.{next(self._numbers)}"

    def channel(self, id_: str, status: int = 404) -> Channel:
        try:
            return self.channels[id_]
        except KeyError:
            raise Refused(status, "Channel not found") from None

    def check_new_id(self, id_: str) -> None:
        """An id that begins a live channel's id, whatever the case, counts as taken."""
        if any(other.lower().startswith(id_.lower()) for other in self.channels):
            raise INTERNAL

    def enter(self, channel: Channel, name: str, *args: str, made_by_app: bool = False) -> bool:
        """A channel runs `Stasis(name)`; False where nobody listens. An app follows its own to the end."""
        app = self.apps.get(name)
        if app is None or app.send is None:
            return False
        channel.app = name
        app.implicit.add(channel.id)
        if made_by_app:
            app.explicit.add(channel.id)
        self.emit({"type": "StasisStart", "args": list(args), "channel": channel.json}, channel.id)
        return True

    def answer(self, channel: Channel) -> None:
        if channel.state != "Up":
            channel.state = "Up"
            channel.on_answer()
            self.emit({"type": "ChannelStateChange", "channel": channel.json}, channel.id)

    def leave(self, channel: Channel) -> None:
        """A channel leaves its application, and the bridge first."""
        if channel.bridge is not None:
            self.part(channel)
        if channel.app:
            app = self.apps.get(channel.app)
            self.emit({"type": "StasisEnd", "channel": channel.json}, channel.id)
            channel.app = ""
            if app is not None:
                app.implicit.discard(channel.id)

    def hang_up(self, channel: Channel, cause: int, soft: bool) -> None:
        request: Json = {"type": "ChannelHangupRequest", "channel": channel.json}
        self.emit(request | ({"cause": 32, "soft": True} if soft else {}), channel.id)
        self.leave(channel)
        self.channels.pop(channel.id, None)
        self.emit(
            {
                "type": "ChannelDestroyed",
                "cause": cause,
                "cause_txt": CAUSES.get(cause, "Unknown"),
                "channel": channel.json,
            },
            channel.id,
        )
        for app in self.apps.values():
            app.explicit.discard(channel.id)
        channel.rtp.close()
        channel.on_gone(cause)
        if (other := channel.with_) is not None:
            self._part_in_dialplan(channel, other)

    # --- the dialplan's [voicebot-talk] -----------------------------------------------------------------

    def talk(self, channel: Channel) -> None:
        """Run `talk`, which joins the channel with the one that is named to it; `wait` does nothing."""
        person = self.channels.get(channel.variables.get("VOICEBOT_WITH", ""))
        if person is None or person.app:
            self.hang_up(channel, 16, soft=True)
            return
        bridge = Bridge(self.new_id(), kind="basic")
        self.bridges[bridge.id] = bridge
        channel.with_, person.with_ = person, channel
        for each in (channel, person):
            self.join(bridge, each)

    def _part_in_dialplan(self, channel: Channel, other: Channel) -> None:
        """One of two has hung up: the bridge goes, and so does the other, unless they go on `afterwards`."""
        channel.with_ = other.with_ = None
        if (bridge := other.bridge) is not None:
            self.delete_bridge(bridge)
        if place := other.variables.get("VOICEBOT_AFTERWARDS"):
            self.handed_over.append((other.id, "voicebot-handover", place, dict(other.variables)))
        else:
            self.hang_up(other, 16, soft=True)

    def key(self, channel: Channel, digit: str, ms: int) -> None:
        event = {"type": "ChannelDtmfReceived", "digit": digit, "duration_ms": ms, "channel": channel.json}
        self.emit(event, channel.id)

    # --- bridges ----------------------------------------------------------------------------------------

    def bridge(self, id_: str) -> Bridge:
        try:
            return self.bridges[id_]
        except KeyError:
            raise Refused(404, "Bridge not found") from None

    def join(self, bridge: Bridge, channel: Channel) -> None:
        if channel.bridge is not None:
            self.part(channel)
        bridge.channels.append(channel)
        channel.bridge = bridge
        event = {"type": "ChannelEnteredBridge", "bridge": bridge.json, "channel": channel.json}
        self.emit(event, channel.id, bridge.id)

    def part(self, channel: Channel) -> None:
        bridge = channel.bridge
        if bridge is not None:
            bridge.channels.remove(channel)
            channel.bridge = None
            event = {"type": "ChannelLeftBridge", "bridge": bridge.json, "channel": channel.json}
            self.emit(event, channel.id, bridge.id)

    def delete_bridge(self, bridge: Bridge) -> None:
        for channel in list(bridge.channels):
            self.part(channel)
        del self.bridges[bridge.id]
        self.emit({"type": "BridgeDestroyed", "bridge": bridge.json}, bridge.id)
        for app in self.apps.values():
            app.explicit.discard(bridge.id)

    def pass_on(self, channel: Channel, payload: bytes, timestamp: int, marker: bool) -> None:
        """Audio of a channel goes to the others in its bridge; without a bridge it is lost."""
        self._notice_talking(channel, payload)
        if channel.bridge is None or channel.muted:
            return
        if len(channel.bridge.channels) > 2:
            channel.heard.append(payload)
            return
        for other in channel.bridge.channels:
            if other is not channel:
                other.rtp.send(payload, timestamp, marker)

    def mix(self) -> None:
        """Every 20 ms: in a bridge of more than two each hears the sum of the others."""
        for bridge in self.bridges.values():
            if len(bridge.channels) < 3:
                continue
            frames = {
                channel.id: decode(np.frombuffer(channel.heard.popleft(), np.uint8)).astype(np.int32)
                for channel in bridge.channels
                if channel.heard and len(channel.heard[0]) == FRAME_BYTES
            }
            total = sum(frames.values(), np.zeros(FRAME_BYTES, dtype=np.int32))
            for channel in bridge.channels:
                others = np.clip(total - frames.get(channel.id, 0), -32768, 32767).astype(np.int16)
                channel.mixed_at += FRAME_BYTES
                channel.rtp.send(encode(others).tobytes(), channel.mixed_at & 0xFFFFFFFF, False)

    def _notice_talking(self, channel: Channel, payload: bytes) -> None:
        """TALK_DETECT: who is loud begins to talk, who is quiet for some time has finished."""
        if "TALK_DETECT(set)" not in channel.variables or "TALK_DETECT(remove)" in channel.variables:
            return
        loud = (
            len(payload) == FRAME_BYTES
            and int(np.abs(decode(np.frombuffer(payload, np.uint8)).astype(np.int32)).max()) > LOUD
        )
        channel.quiet_frames = 0 if loud else channel.quiet_frames + 1
        if loud and not channel.talks:
            channel.talks = True
            self.emit({"type": "ChannelTalkingStarted", "channel": channel.json}, channel.id)
        elif channel.talks and channel.quiet_frames > QUIET_FRAMES:
            channel.talks = False
            event = {"type": "ChannelTalkingFinished", "channel": channel.json, "duration": 0}
            self.emit(event, channel.id)


def now() -> str:
    stamp = datetime.now(UTC)
    return f"{stamp:%Y-%m-%dT%H:%M:%S}.{stamp.microsecond // 1000:03}+0000"
