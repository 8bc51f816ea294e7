"""Commands of AGI that steer a call, and those of variables and the database (res_agi of Asterisk 22).

What is played and asked stands in `media.py`, recognition by Asterisk's own engines in `speech.py`;
`catalogue.py` has all of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from voicebot.agi.command import Command, CommandFailed, Refused, succeeded
from voicebot.agi.messages import Malformed, Reply
from voicebot.agi.permissions import check_application, check_expression, check_readable, check_settable

_PLACE = re.compile(r"[A-Za-z0-9_+*#.-]{1,79}")
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,79}")
_CHANNEL = re.compile(r"[^\s\"\\]{1,200}")
NO_APPLICATION = "-2"


class ChannelState(IntEnum):
    """The state of a channel, as CHANNEL STATUS tells it."""

    DOWN = 0
    RESERVED = 1
    OFF_HOOK = 2
    DIALLED = 3
    RING = 4
    RINGING = 5
    UP = 6
    BUSY = 7
    DIALLING_OFF_HOOK = 8
    PRE_RING = 9


def _place(what: str, text: str) -> str:
    if not _PLACE.fullmatch(text):
        raise Refused(f"{text[:40]!r} is no {what} of the dialplan")
    return text


@dataclass(frozen=True)
class Answer(Command[None]):
    """Answer the call."""

    name: ClassVar[str] = "ANSWER"

    def read(self, reply: Reply) -> None:
        succeeded(self, reply)


@dataclass(frozen=True)
class AsyncAgiBreak(Command[None]):
    """End AsyncAGI, give the call back to the dialplan."""

    name: ClassVar[str] = "ASYNCAGI BREAK"
    after: ClassVar[bool] = True

    def read(self, reply: Reply) -> None:
        succeeded(self, reply)


@dataclass(frozen=True)
class ChannelStatus(Command[ChannelState]):
    """The state of this channel, or of another one by its name. CommandFailed: there is none."""

    name: ClassVar[str] = "CHANNEL STATUS"
    channel: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (_channel(self.channel),) if self.channel else ()

    def read(self, reply: Reply) -> ChannelState:
        succeeded(self, reply)
        try:
            return ChannelState(reply.number & 0xFFFF)  # the upper bits are flags
        except ValueError:
            raise Malformed("an unknown state of a channel") from None


def _channel(name: str) -> str:
    if not _CHANNEL.fullmatch(name):
        raise Refused("not the name of a channel")
    return name


@dataclass(frozen=True)
class Hangup(Command[None]):
    """Hang up this channel, or another one by its name. CommandFailed: there is none."""

    name: ClassVar[str] = "HANGUP"
    channel: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (_channel(self.channel),) if self.channel else ()

    def read(self, reply: Reply) -> None:
        succeeded(self, reply)


@dataclass(frozen=True)
class NoOp(Command[None]):
    """Do nothing; `text` shows in Asterisk's debugging."""

    name: ClassVar[str] = "NOOP"
    after: ClassVar[bool] = True
    text: str = ""

    def words(self) -> tuple[str | int, ...]:
        return (self.text,) if self.text else ()

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class Verbose(Command[None]):
    """Write a text to Asterisk's console, seen from this level of verbosity on (1 to 4)."""

    name: ClassVar[str] = "VERBOSE"
    after: ClassVar[bool] = True
    text: str
    level: int = 3

    def words(self) -> tuple[str | int, ...]:
        return self.text, self.level

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class Exec(Command[int]):
    """Run an application of the dialplan, such as Exec("Playback", "hello"). The result is the application's.

    Only what `permissions.APPLICATIONS` holds; `permitted` names others. Raises Refused for what is on
    neither list, and always for what runs commands of the machine or other applications by name.
    """

    name: ClassVar[str] = "EXEC"
    after: ClassVar[bool] = True
    application: str
    options: str = ""
    permitted: frozenset[str] = frozenset()

    def words(self) -> tuple[str | int, ...]:
        check_application(self.application, self.permitted)
        check_expression(self.options)  # where AGIEXECFULL is set, Asterisk puts variables in
        return (self.application, self.options) if self.options else (self.application,)

    def read(self, reply: Reply) -> int:
        if reply.result == NO_APPLICATION:
            raise CommandFailed(f"Asterisk has no application {self.application}", reply)
        succeeded(self, reply)
        return reply.number

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class Gosub(Command[None]):
    """Run a subroutine of the dialplan, which ends with Return(). Its value is in GOSUB_RETVAL."""

    name: ClassVar[str] = "GOSUB"
    context: str
    extension: str = "s"
    priority: str = "1"
    argument: str = ""

    def words(self) -> tuple[str | int, ...]:
        place = (_place("context", self.context), _place("extension", self.extension))
        priority = _place("priority", self.priority)
        return (*place, priority, self.argument) if self.argument else (*place, priority)

    def read(self, reply: Reply) -> None:
        if reply.result != "0":
            raise CommandFailed(f"GOSUB {self.context}: {reply.text or 'failed'}", reply)

    def takes_ms(self) -> int | None:
        return None


@dataclass(frozen=True)
class SetVariable(Command[None]):
    """Set a variable of the channel; of functions only harmless ones, see `permissions`."""

    name: ClassVar[str] = "SET VARIABLE"
    after: ClassVar[bool] = True
    variable: str
    value: str

    def words(self) -> tuple[str | int, ...]:
        check_settable(self.variable)
        return self.variable, self.value

    def read(self, reply: Reply) -> None:
        if reply.result != "1":
            raise CommandFailed(f"SET VARIABLE {self.variable} failed", reply)


@dataclass(frozen=True)
class GetVariable(Command[str | None]):
    """A variable, or a harmless function such as CHANNEL(language); None where it is not set.

    Asterisk cuts what functions return after 1023 bytes.
    """

    name: ClassVar[str] = "GET VARIABLE"
    after: ClassVar[bool] = True
    variable: str

    def words(self) -> tuple[str | int, ...]:
        check_readable(self.variable)
        return (self.variable,)

    def read(self, reply: Reply) -> str | None:
        return _value(reply)


@dataclass(frozen=True)
class GetFullVariable(Command[str | None]):
    """The value of an expression such as ${CALLERID(num)}, here or on another channel; None: not there."""

    name: ClassVar[str] = "GET FULL VARIABLE"
    after: ClassVar[bool] = True
    expression: str
    channel: str = ""

    def words(self) -> tuple[str | int, ...]:
        check_expression(self.expression)
        return (self.expression, _channel(self.channel)) if self.channel else (self.expression,)

    def read(self, reply: Reply) -> str | None:
        return _value(reply)


def _value(reply: Reply) -> str | None:
    return (reply.value or "") if reply.result == "1" else None


@dataclass(frozen=True)
class DatabaseGet(Command[str | None]):
    """A value of Asterisk's own database; None where there is none."""

    name: ClassVar[str] = "DATABASE GET"
    after: ClassVar[bool] = True
    family: str
    key: str

    def words(self) -> tuple[str | int, ...]:
        return self.family, self.key

    def read(self, reply: Reply) -> str | None:
        return _value(reply)


@dataclass(frozen=True)
class DatabasePut(Command[None]):
    """Write a value of Asterisk's own database."""

    name: ClassVar[str] = "DATABASE PUT"
    after: ClassVar[bool] = True
    family: str
    key: str
    value: str

    def words(self) -> tuple[str | int, ...]:
        return self.family, self.key, self.value

    def read(self, reply: Reply) -> None:
        if reply.result != "1":
            raise CommandFailed("DATABASE PUT failed", reply)


@dataclass(frozen=True)
class DatabaseDel(Command[bool]):
    """Delete a value of Asterisk's own database; False where there was none."""

    name: ClassVar[str] = "DATABASE DEL"
    after: ClassVar[bool] = True
    family: str
    key: str

    def words(self) -> tuple[str | int, ...]:
        return self.family, self.key

    def read(self, reply: Reply) -> bool:
        return reply.result == "1"


@dataclass(frozen=True)
class DatabaseDelTree(Command[None]):
    """Delete a family of Asterisk's own database, or what is below a key of it.

    What Asterisk answers tells nothing: it is the same whether something was deleted or not, by version.
    """

    name: ClassVar[str] = "DATABASE DELTREE"
    after: ClassVar[bool] = True
    family: str
    key: str = ""

    def words(self) -> tuple[str | int, ...]:
        if not self.family:
            raise Refused("a family must be named: without one everything would be deleted")
        return (self.family, self.key) if self.key else (self.family,)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetAutoHangup(Command[None]):
    """Hang up so many seconds from now; 0: not."""

    name: ClassVar[str] = "SET AUTOHANGUP"
    seconds: int

    def words(self) -> tuple[str | int, ...]:
        return (max(0, self.seconds),)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetCallerId(Command[None]):
    """Set the caller's number, and the name with it."""

    name: ClassVar[str] = "SET CALLERID"
    number: str
    caller_name: str = ""

    def words(self) -> tuple[str | int, ...]:
        if any(each in self.number + self.caller_name for each in '"<>\\'):
            raise Refused("a quote or an angle bracket would end the number or the name")
        return (f'"{self.caller_name}" <{self.number}>' if self.caller_name else self.number,)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetContext(Command[None]):
    """Where the dialplan goes on when the session ends. Asterisk does not look whether it is there."""

    name: ClassVar[str] = "SET CONTEXT"
    context: str

    def words(self) -> tuple[str | int, ...]:
        return (_place("context", self.context),)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetExtension(Command[None]):
    """Where the dialplan goes on when the session ends."""

    name: ClassVar[str] = "SET EXTENSION"
    extension: str

    def words(self) -> tuple[str | int, ...]:
        return (_place("extension", self.extension),)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetPriority(Command[None]):
    """Where the dialplan goes on when the session ends: a number, or a label, which must be there."""

    name: ClassVar[str] = "SET PRIORITY"
    priority: int | str

    def words(self) -> tuple[str | int, ...]:
        if not _LABEL.fullmatch(str(self.priority)):
            raise Refused("neither a priority nor a label")
        return (self.priority,)

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class SetMusic(Command[None]):
    """Start music on hold, of a class or the channel's own; or end it."""

    name: ClassVar[str] = "SET MUSIC"
    on: bool
    music_class: str = ""

    def words(self) -> tuple[str | int, ...]:
        return ("on" if self.on else "off", *((self.music_class,) if self.music_class else ()))

    def read(self, reply: Reply) -> None:
        return None


@dataclass(frozen=True)
class TddMode(Command[bool]):
    """Talk to a telecommunications device for the deaf, on or off; False: the channel cannot."""

    name: ClassVar[str] = "TDD MODE"
    mode: str = "on"

    def words(self) -> tuple[str | int, ...]:
        if self.mode not in ("on", "off", "mate", "tdd"):
            raise Refused("the mode is on, off, mate or tdd")
        return (self.mode,)

    def read(self, reply: Reply) -> bool:
        succeeded(self, reply)
        return reply.result == "1"
