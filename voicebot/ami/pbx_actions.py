"""Actions by which a PBX is looked after: lists, queues, recordings, and any other by its name.

As in `actions`, `headers()` raises ValueError for what Asterisk would read as something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Literal

from voicebot.ami.actions import CHANNEL, VARIABLE, Headers, assignment, must

_PLACE = re.compile(r"[A-Za-z0-9_+*#.-]{1,79}")
_QUEUE = re.compile(r"[A-Za-z0-9_.-]{1,79}")
_INTERFACE = re.compile(r"[A-Za-z0-9]{1,20}/[A-Za-z0-9_.@:+*#/-]{1,120}")
_BRIDGE = re.compile(r"[A-Za-z0-9_.-]{1,149}")
_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,120}\.(wav|gsm|ulaw|alaw|sln)")
_PROVIDER = re.compile(r"[A-Za-z0-9_.-]{1,40}:[A-Za-z0-9_.@/-]{1,80}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")

DANGEROUS: dict[str, str] = {
    "Command": "runs any command of Asterisk's command line",
    "CreateConfig": "writes configuration files",
    "DBDel": "changes Asterisk's database",
    "DBDelTree": "changes Asterisk's database",
    "DBPut": "changes Asterisk's database",
    "DialplanExtensionAdd": "changes the dialplan",
    "DialplanExtensionRemove": "changes the dialplan",
    "Filter": "changes which events are sent",
    "GetConfig": "reads configuration files with their passwords",
    "GetConfigJSON": "reads configuration files with their passwords",
    "ModuleLoad": "loads, unloads and reloads modules",
    "Reload": "reloads the configuration",
    "Setvar": "calls a function, where the variable is one",
    "UpdateConfig": "rewrites configuration files",
    "AGI": "runs programs",
    "MixMonitor": "runs a program, where Command is given",
}
"""What whoever types it should know; only the rights in manager.conf decide whether Asterisk does it."""
_HARMFUL_APPLICATION = re.compile(r"(try)?system|e?agi|deadagi|externalivr|originate|exec(if)?|tryexec", re.I)


@dataclass(frozen=True, slots=True)
class _Bare:
    """An action without headers."""

    name: ClassVar[str]

    def headers(self) -> Headers:
        return []


@dataclass(frozen=True, slots=True)
class BridgeList(_Bare):
    """List the bridges. Needs no right."""

    name: ClassVar[str] = "BridgeList"


@dataclass(frozen=True, slots=True)
class DeviceStateList(_Bare):
    """List the state of all telephones. Needs `call` or `reporting`."""

    name: ClassVar[str] = "DeviceStateList"


@dataclass(frozen=True, slots=True)
class PJSIPShowEndpoints(_Bare):
    """List endpoints with their contacts. Needs `system`, which lets its holder run programs: do without."""

    name: ClassVar[str] = "PJSIPShowEndpoints"


@dataclass(frozen=True, slots=True)
class PJSIPShowContacts(_Bare):
    """List contacts; refused where there is none. Needs `system`: see PJSIPShowEndpoints."""

    name: ClassVar[str] = "PJSIPShowContacts"


@dataclass(frozen=True, slots=True)
class PJSIPShowRegistrationsOutbound(_Bare):
    """List our registrations at providers. Needs `reporting`."""

    name: ClassVar[str] = "PJSIPShowRegistrationsOutbound"


@dataclass(frozen=True, slots=True)
class CoreSettings(_Bare):
    """Asterisk's version and limits. Needs `reporting`."""

    name: ClassVar[str] = "CoreSettings"


@dataclass(frozen=True, slots=True)
class CoreStatus(_Bare):
    """When Asterisk started, and how many calls there are. Needs `reporting`."""

    name: ClassVar[str] = "CoreStatus"


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """List queues, who answers them and who waits in them. Needs no right."""

    name: ClassVar[str] = "QueueStatus"
    queue: str = ""

    def headers(self) -> Headers:
        return _queue(self.queue)


@dataclass(frozen=True, slots=True)
class QueueSummary:
    """List queues in figures. Needs no right."""

    name: ClassVar[str] = "QueueSummary"
    queue: str = ""

    def headers(self) -> Headers:
        return _queue(self.queue)


@dataclass(frozen=True, slots=True)
class QueuePause:
    """Pause a member of a queue, or of all where `queue` is empty. Needs `agent`."""

    name: ClassVar[str] = "QueuePause"
    interface: str
    paused: bool
    queue: str = ""
    reason: str = ""

    def headers(self) -> Headers:
        must("member of a queue", _INTERFACE, self.interface)
        given = [("Interface", self.interface), ("Paused", "true" if self.paused else "false")]
        return given + _queue(self.queue) + ([("Reason", self.reason[:200])] if self.reason else [])


@dataclass(frozen=True, slots=True)
class MixMonitor:
    """Record a channel into a file of Asterisk's spool folder `monitor`. Needs `system`: do without.

    A file's name, never a path, and never a command to run afterwards.
    """

    name: ClassVar[str] = "MixMonitor"
    channel: str
    file: str

    def headers(self) -> Headers:
        must("channel", CHANNEL, self.channel)
        must("name of a recording", _FILE, self.file)
        return [("Channel", self.channel), ("File", self.file)]


@dataclass(frozen=True, slots=True)
class StopMixMonitor:
    """End the recordings of a channel. Needs `call`."""

    name: ClassVar[str] = "StopMixMonitor"
    channel: str

    def headers(self) -> Headers:
        must("channel", CHANNEL, self.channel)
        return [("Channel", self.channel)]


@dataclass(frozen=True, slots=True)
class MixMonitorMute:
    """Put silence into a channel's recording instead of what is said, or no more. Needs `call`."""

    name: ClassVar[str] = "MixMonitorMute"
    channel: str
    muted: bool
    direction: Literal["both", "read", "write"] = "both"

    def headers(self) -> Headers:
        must("channel", CHANNEL, self.channel)
        state = "1" if self.muted else "0"
        return [("Channel", self.channel), ("Direction", self.direction), ("State", state)]


@dataclass(frozen=True, slots=True)
class BridgeDestroy:
    """End a bridge; who is in it goes on in the dialplan. Needs no right."""

    name: ClassVar[str] = "BridgeDestroy"
    bridge: str

    def headers(self) -> Headers:
        must("bridge", _BRIDGE, self.bridge)
        return [("BridgeUniqueid", self.bridge)]


@dataclass(frozen=True, slots=True)
class ExtensionState:
    """What the telephones behind a hint do. Needs `call` or `reporting`."""

    name: ClassVar[str] = "ExtensionState"
    exten: str
    context: str

    def headers(self) -> Headers:
        must("extension", _PLACE, self.exten)
        must("context", _PLACE, self.context)
        return [("Exten", self.exten), ("Context", self.context)]


@dataclass(frozen=True, slots=True)
class PresenceState:
    """What a person says of themselves, by `CustomPresence:anna`. Needs `call` or `reporting`."""

    name: ClassVar[str] = "PresenceState"
    provider: str

    def headers(self) -> Headers:
        must("provider of presence", _PROVIDER, self.provider)
        return [("Provider", self.provider)]


@dataclass(frozen=True, slots=True)
class AnyAction:
    """Any action, as somebody typed it; `variables` become Variable headers, with their values checked."""

    name: str
    given: tuple[tuple[str, str], ...] = ()
    variables: tuple[tuple[str, str], ...] = ()

    def headers(self) -> Headers:
        must("name of an action", _NAME, self.name)
        for header, value in self.given:
            must("header", _HEADER, header)
            if header.lower() in ("action", "actionid"):
                raise ValueError(f"{header} is set by us")
            if header.lower() == "variable":
                must("variable", VARIABLE, value.partition("=")[0])
            if self.name.lower() == "hangup" and header.lower() == "channel":
                must("channel", CHANNEL, value)
        return [*self.given, *(("Variable", assignment(name, value)) for name, value in self.variables)]

    @property
    def danger(self) -> str:
        """What harm it can do, for a warning; "" for none."""
        known = {name.lower(): why for name, why in DANGEROUS.items()}
        if why := known.get(self.name.lower()):
            return why
        application = next((value for name, value in self.given if name.lower() == "application"), "")
        if self.name.lower() == "originate" and _HARMFUL_APPLICATION.fullmatch(application.strip()):
            return f"of {application} runs programs"
        return ""


def _queue(queue: str) -> Headers:
    if not queue:
        return []
    must("queue", _QUEUE, queue)
    return [("Queue", queue)]
