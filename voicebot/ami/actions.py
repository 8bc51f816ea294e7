"""Actions of the manager interface that we ask for, each with what must never be in it.

Every action has a `name` and `headers()`; the session adds the ActionID. `headers()` raises ValueError for
what Asterisk would read as something else: a comma that starts another variable, a `/` that makes a regular
expression of a channel's name. Control characters and lines that are too long are refused for all of them
(`messages.serialise`). No action here runs an application by name: an Originate always goes to the dialplan.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

Headers = list[tuple[str, str]]

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,79}")
_SPLITS = re.compile(r'[,"\\]')
"""A comma in a value starts another variable; quotes and backslashes are taken away."""
_DIALLED = re.compile(r"[A-Za-z0-9]{1,20}/[A-Za-z0-9_.@:+*#/;=-]{1,200}")
_PLACE = re.compile(r"[A-Za-z0-9_+*#.-]{1,79}")
CHANNEL = re.compile(r"[A-Za-z0-9]{1,20}/[^/\s][^\s]{0,200}")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,149}")
_NUMBER = re.compile(r"\+?[0-9]{3,15}|")
_NAME_REFUSED = re.compile(r'["<>\\]')


class Action(Protocol):
    """What can be asked."""

    @property
    def name(self) -> str: ...

    def headers(self) -> Headers: ...


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? Needs no right."""

    name: ClassVar[str] = "Ping"

    def headers(self) -> Headers:
        return []


@dataclass(frozen=True, slots=True)
class Challenge:
    """Ask for the challenge of an MD5 login."""

    name: ClassVar[str] = "Challenge"

    def headers(self) -> Headers:
        return [("AuthType", "MD5")]


@dataclass(frozen=True, slots=True)
class Login:
    """Log in with the key of an MD5 login."""

    name: ClassVar[str] = "Login"
    user: str
    key: str
    events: bool = True

    def headers(self) -> Headers:
        mask = "on" if self.events else "off"
        return [("AuthType", "MD5"), ("Username", self.user), ("Key", self.key), ("Events", mask)]


@dataclass(frozen=True, slots=True)
class Logoff:
    """Leave."""

    name: ClassVar[str] = "Logoff"

    def headers(self) -> Headers:
        return []


@dataclass(frozen=True, slots=True)
class Originate:
    """Make a channel and, when it is answered, send it into the dialplan; asynchronous. Needs `originate`.

    Asterisk answers at once that it has queued it; an OriginateResponse with the ActionID tells how it went.

    timeout_ms:  how long `channel` may take to answer
    variables:   set on the channel, and inherited by the other half of a Local channel
    ids:         unique ids of the new channel and of its other half; none of them may be the beginning of a
                 live channel's id in any case, or Asterisk refuses
    """

    name: ClassVar[str] = "Originate"
    channel: str
    context: str
    exten: str
    priority: int = 1
    timeout_ms: int = 30_000
    caller_number: str = ""
    caller_name: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, str] | None = None

    def headers(self) -> Headers:
        must("channel", _DIALLED, self.channel)
        must("context", _PLACE, self.context)
        must("extension", _PLACE, self.exten)
        must("caller's number", _NUMBER, self.caller_number)
        if _NAME_REFUSED.search(self.caller_name):
            raise ValueError("the caller's name has a quote, backslash or angle bracket")
        if not 1 <= self.timeout_ms <= 3_600_000:
            raise ValueError(f"no time-out of an Originate: {self.timeout_ms} ms")
        given = [
            ("Channel", self.channel),
            ("Context", self.context),
            ("Exten", self.exten),
            ("Priority", str(self.priority)),
            ("Timeout", str(self.timeout_ms)),
            ("Async", "true"),
        ]
        if self.caller_number or self.caller_name:
            given.append(("CallerID", f'"{self.caller_name}" <{self.caller_number}>'))
        if self.ids:
            for header, id_ in zip(("ChannelId", "OtherChannelId"), self.ids, strict=True):
                must("channel id", _ID, id_)
                given.append((header, id_))
        return given + [("Variable", assignment(name, value)) for name, value in self.variables.items()]


@dataclass(frozen=True, slots=True)
class Hangup:
    """End one channel, by its whole name. Needs `call`, which the dialler's user does not hold."""

    name: ClassVar[str] = "Hangup"
    channel: str
    cause: int = 16

    def headers(self) -> Headers:
        must("channel", CHANNEL, self.channel)
        if not 1 <= self.cause <= 127:
            raise ValueError(f"no cause of Q.850: {self.cause}")
        return [("Channel", self.channel), ("Cause", str(self.cause))]


@dataclass(frozen=True, slots=True)
class CoreShowChannels:
    """List the channels that live now. Needs `reporting`."""

    name: ClassVar[str] = "CoreShowChannels"

    def headers(self) -> Headers:
        return []


@dataclass(frozen=True, slots=True)
class ShowDialPlan:
    """List the dialplan, or one context of it. Needs `reporting`."""

    name: ClassVar[str] = "ShowDialPlan"
    context: str = ""

    def headers(self) -> Headers:
        return [("Context", self.context)] if self.context else []


@dataclass(frozen=True, slots=True)
class ListCommands:
    """Which actions our user may ask for. Needs no right."""

    name: ClassVar[str] = "ListCommands"

    def headers(self) -> Headers:
        return []


@dataclass(frozen=True, slots=True)
class Getvar:
    """Read a variable of a channel, or a global one. Needs `reporting` or `call`."""

    name: ClassVar[str] = "Getvar"
    variable: str
    channel: str = ""

    def headers(self) -> Headers:
        return [*_on(self.channel), ("Variable", self.variable)]


@dataclass(frozen=True, slots=True)
class Setvar:
    """Set a variable of a channel, or a global one; never a function such as FILE(). Needs `call`."""

    name: ClassVar[str] = "Setvar"
    variable: str
    value: str
    channel: str = ""

    def headers(self) -> Headers:
        must("variable", VARIABLE, self.variable)
        return [*_on(self.channel), ("Variable", self.variable), ("Value", self.value)]


@dataclass(frozen=True, slots=True)
class EventMask:
    """Which classes of events to send from now on: `on`, `off`, or such as `call,dialplan`."""

    name: ClassVar[str] = "Events"
    mask: str

    def headers(self) -> Headers:
        must("mask", re.compile("[a-z]+(,[a-z]+)*"), self.mask)
        return [("EventMask", self.mask)]


@dataclass(frozen=True, slots=True)
class Filter:
    """Add an event filter to this session. Needs `system`: better give the user filters in manager.conf."""

    name: ClassVar[str] = "Filter"
    filter: str

    def headers(self) -> Headers:
        return [("Operation", "Add"), ("Filter", self.filter)]


def must(what: str, pattern: re.Pattern[str], value: str) -> None:
    """Raise ValueError unless all of `value` is as `pattern` says."""
    if not pattern.fullmatch(value):
        raise ValueError(f"no {what}: {value[:80]!r}")


def _on(channel: str) -> Headers:
    if not channel:
        return []
    must("channel", CHANNEL, channel)
    return [("Channel", channel)]


def assignment(name: str, value: str) -> str:
    """Return a variable as the value of a Variable header. Raises ValueError for what would not arrive."""
    must("variable", VARIABLE, name)
    if found := _SPLITS.search(value):
        raise ValueError(f"the value of {name} has a {found[0]}, which Asterisk would not keep")
    return f"{name}={value}"
