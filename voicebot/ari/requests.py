"""Requests of Asterisk's REST interface that a gateway makes, as data: who sends them is another matter.

Every value is checked: control characters are refused everywhere, variable names and dialplan places must
look like ones (a variable such as `FILE(/etc/x)` or `SHELL(...)` would let a value act on the machine).
Raises ValueError. Names: Asterisk's `rest-api/api-docs/*.json`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

NORMAL_CLEARING = 16
"""Q.850 cause of an ordinary hangup."""

FORMATS = frozenset({"ulaw", "alaw", "slin", "g722"})
"""Formats that pass both ways over RTP: those with a static payload type (RFC 3551, section 6)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_VARIABLE = re.compile(r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,78}")
_PLACE = re.compile(r"[A-Za-z0-9_.+*#@-]{1,80}")
_ENDPOINT = re.compile(r"[A-Za-z0-9]+/[A-Za-z0-9_./@:+*#-]{1,200}")
_ENDPOINT_PART = re.compile(r"[A-Za-z0-9_.:+*#-]{1,120}")
_HOST = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")


Direction = Literal["none", "in", "out", "both"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `path` below `/ari`, quoted; `params` of the query; `json` body or None."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


# --- channels -------------------------------------------------------------------------------------------


def answer(channel_id: str) -> Request:
    return Request("POST", f"/channels/{_id(channel_id)}/answer")


def hang_up(channel_id: str, cause: int = NORMAL_CLEARING) -> Request:
    """`cause` is a Q.850 cause, 1 to 127."""
    if not 1 <= cause <= 127:
        raise ValueError(f"a hangup cause is 1 to 127 (Q.850), not {cause}")
    return Request("DELETE", f"/channels/{_id(channel_id)}", (("reason_code", str(cause)),))


def external_media(*, app: str, channel_id: str, host: str, port: int, format: str) -> Request:
    """A channel that sends RTP to `host:port`; the reply's channelvars say where it listens itself."""
    if format not in FORMATS:
        raise ValueError(f"format {format!r} does not pass both ways over RTP; use one of {sorted(FORMATS)}")
    if not _HOST.fullmatch(host) or not 0 < port < 65536:
        raise ValueError(f"{host!r}:{port} is no media address")
    return Request(
        "POST",
        "/channels/externalMedia",
        (
            ("app", _text("app", app)),
            ("channelId", _text("channelId", channel_id)),
            ("external_host", f"{host}:{port}"),
            ("encapsulation", "rtp"),
            ("transport", "udp"),
            ("connection_type", "client"),
            ("format", format),
            ("direction", "both"),
        ),
    )


def continue_in_dialplan(
    channel_id: str, context: str = "", extension: str = "", priority: int | None = None
) -> Request:
    """Leave the application; without a place the channel goes on after its `Stasis()`."""
    params = []
    for name, value in (("context", context), ("extension", extension)):
        if value:
            if not _PLACE.fullmatch(value):
                raise ValueError(f"{name} {value!r} is no dialplan {name}")
            params.append((name, value))
    if priority is not None:
        if priority < 1:
            raise ValueError(f"a dialplan priority counts from 1, not {priority}")
        params.append(("priority", str(priority)))
    return Request("POST", f"/channels/{_id(channel_id)}/continue", tuple(params))


def set_variable(channel_id: str, name: str, value: str) -> Request:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a channel variable that may be set")
    # As a body: Asterisk does not answer a request line of some thousand bytes.
    body = {"variable": name, "value": _text(name, value)}
    return Request("POST", f"/channels/{_id(channel_id)}/variable", json=body)


def dialplan_has(channel_id: str, context: str, extension: str) -> Request:
    """Ask whether the dialplan has this place; the reply's `value` is `1` where it has.

    Refused (500) where Asterisk lacks func_dialplan.so.
    """
    for value in (context, extension):
        if not _PLACE.fullmatch(value):
            raise ValueError(f"{value!r} is no place in a dialplan")
    question = f"DIALPLAN_EXISTS({context},{extension},1)"
    return Request("GET", f"/channels/{_id(channel_id)}/variable", (("variable", question),))


def originate(
    *,
    app: str,
    channel_id: str,
    endpoint: str,
    timeout_s: int,
    caller_number: str = "",
    caller_name: str = "",
    args: str = "",
    formats: str = "",
) -> Request:
    """Ring a telephone: the channel enters `app` once somebody answers; until then its events come as well.

    endpoint: `PJSIP/anna`, without options; timeout_s: Asterisk stops ringing by itself then.
    """
    if not _ENDPOINT.fullmatch(endpoint):
        raise ValueError(f"{endpoint!r} is no channel such as PJSIP/anna")
    name = "".join(c for c in caller_name if c.isprintable() and c not in '<>"\\')[:80]
    number = "".join(c for c in caller_number if c in "+*#0123456789")[:32]
    params = [
        ("endpoint", endpoint),
        ("app", _text("app", app)),
        ("timeout", str(max(1, timeout_s))),
    ]
    if args:
        params.append(("appArgs", _text("appArgs", args)))
    if number or name:
        params.append(("callerId", f'"{name}" <{number}>' if name else number))
    if formats:
        params.append(("formats", _text("formats", formats)))
    return Request("POST", f"/channels/{_id(channel_id)}", tuple(params))


def get_endpoint(technology: str, resource: str) -> Request:
    """Ask how a telephone or trunk is; replies with its `state`: `online`, `offline` or `unknown`."""
    for part in (technology, resource):
        if not _ENDPOINT_PART.fullmatch(part):
            raise ValueError(f"{part!r} is no part of an endpoint such as PJSIP/anna")
    return Request("GET", f"/endpoints/{technology}/{quote(resource, safe='')}")


def mute(channel_id: str, on: bool) -> Request:
    """Let others not hear a channel, or hear it again; its keys and its picture go on."""
    return Request("POST" if on else "DELETE", f"/channels/{_id(channel_id)}/mute", (("direction", "in"),))


def detect_talking(channel_id: str, on: bool) -> Request:
    """Have Asterisk tell when a channel begins and ceases to talk (its function TALK_DETECT)."""
    body = {"variable": f"TALK_DETECT({'set' if on else 'remove'})", "value": ""}
    return Request("POST", f"/channels/{_id(channel_id)}/variable", json=body)


def video_formats(channel_id: str) -> Request:
    """Ask in which formats a channel sends its picture; the reply's `value` is `(nothing)` without one."""
    return Request(
        "GET", f"/channels/{_id(channel_id)}/variable", (("variable", "CHANNEL(videonativeformat)"),)
    )


def play(channel_id: str, sound: str) -> Request:
    """Play one of Asterisk's own sounds to a channel alone, also while it is in a bridge."""
    if not re.fullmatch(r"[A-Za-z0-9_/-]{1,80}", sound):
        raise ValueError(f"{sound!r} is no sound such as voicebot/called")
    return Request("POST", f"/channels/{_id(channel_id)}/play", (("media", f"sound:{sound}"),))


def snoop(
    channel_id: str,
    *,
    app: str,
    snoop_id: str,
    spy: Direction = "none",
    whisper: Direction = "none",
) -> Request:
    """A channel that hears another one, and speaks into it: it enters `app`, and its bridge is its line.

    spy:     what is heard: `in` is what comes from the channel's party, `out` what goes to them
    whisper: whom it speaks to: `out` is the party, `in` are all whom they talk to
    """
    return Request(
        "POST",
        f"/channels/{_id(channel_id)}/snoop/{_id(snoop_id)}",
        (("app", _text("app", app)), ("spy", spy), ("whisper", whisper)),
    )


def get_channel(channel_id: str) -> Request:
    return Request("GET", f"/channels/{_id(channel_id)}")


def get_channels() -> Request:
    return Request("GET", "/channels")


# --- bridges --------------------------------------------------------------------------------------------


def create_bridge(bridge_id: str, name: str = "", *, video: bool = False) -> Request:
    """A mixing bridge. `dtmf_events`: without it two RTP legs are joined below the level that sees keys.

    `video`: everybody gets the pictures of all others, each as it is (a selective forwarding unit).
    """
    params = [("type", "mixing,video_sfu,dtmf_events" if video else "mixing,dtmf_events")]
    if name:
        params.append(("name", _text("name", name)))
    return Request("POST", f"/bridges/{_id(bridge_id)}", tuple(params))


def add_channels(bridge_id: str, *channel_ids: str) -> Request:
    return Request("POST", f"/bridges/{_id(bridge_id)}/addChannel", (("channel", _list(channel_ids)),))


def remove_channels(bridge_id: str, *channel_ids: str) -> Request:
    return Request("POST", f"/bridges/{_id(bridge_id)}/removeChannel", (("channel", _list(channel_ids)),))


def delete_bridge(bridge_id: str) -> Request:
    return Request("DELETE", f"/bridges/{_id(bridge_id)}")


def get_bridges() -> Request:
    return Request("GET", "/bridges")


# --- applications and Asterisk itself -------------------------------------------------------------------


def get_applications() -> Request:
    return Request("GET", "/applications")


def get_application(app: str) -> Request:
    return Request("GET", f"/applications/{_id(app)}")


def subscribe(app: str, *sources: str) -> Request:
    """Follow `channel:<id>` or `bridge:<id>` to the end.

    Without this a channel's events stop with its StasisEnd, before the ChannelDestroyed that has the hangup
    cause, and a bridge's with the last of our channels in it, perhaps before its BridgeDestroyed.
    """
    return Request("POST", f"/applications/{_id(app)}/subscription", (("eventSource", _list(sources)),))


def unsubscribe(app: str, *sources: str) -> Request:
    return Request("DELETE", f"/applications/{_id(app)}/subscription", (("eventSource", _list(sources)),))


def filter_events(app: str, disallowed: Iterable[str]) -> Request:
    """Have Asterisk keep these event types to itself."""
    body = {"disallowed": [{"type": _text("type", name)} for name in disallowed]}
    return Request("PUT", f"/applications/{_id(app)}/eventFilter", json=body)


def user_event(app: str, name: str, variables: Mapping[str, str]) -> Request:
    """Send an event of our own making to whoever holds this application."""
    body = {"variables": {key: _text(key, value) for key, value in variables.items()}}
    return Request("POST", f"/events/user/{_id(name)}", (("application", _text("app", app)),), json=body)


def asterisk_info() -> Request:
    return Request("GET", "/asterisk/info")


# --- checks ---------------------------------------------------------------------------------------------


def _text(name: str, value: str) -> str:
    if found := _CONTROL.search(value):
        raise ValueError(f"{name}: control character {found[0]!r} is refused")
    return value


def _id(value: str) -> str:
    if not value:
        raise ValueError("an id is empty")
    return quote(_text("id", value), safe="")


def _list(ids: tuple[str, ...]) -> str:
    for one in ids:
        if not one or "," in _text("id", one):
            raise ValueError(f"{one!r} is no id of a list")
    return ",".join(ids)
