"""Asterisk Manager Interface: messages to bytes and back, and the key of an MD5 login.

A message is lines of `Name: value` ended by an empty line (docs.asterisk.org, "Asterisk Manager Interface").
Asterisk answers an action with a `Response`, and lists as a series of `Event`s after it; both repeat the
`ActionID` of the action.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

BANNER = b"Asterisk Call Manager/"
"""What the server says first; the version of the protocol and CRLF follow."""
LONGEST_LINE = 1022
"""Bytes of `Name: value` that Asterisk reads; a longer line is refused or, worse, split."""
MOST_HEADERS = 127
"""Asterisk drops the headers of an action beyond this number without a word."""
LONGEST_MESSAGE = 1 << 20
"""Bytes; nothing that we ask for is longer."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Message:
    """Headers in the order of the wire. Names are compared without regard to case; some occur many times."""

    headers: tuple[tuple[str, str], ...]

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of `name`."""
        return next(iter(self.all(name)), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Return all values of `name`, for example the `Variable` headers of an action."""
        wanted = name.lower()
        return tuple(value for key, value in self.headers if key.lower() == wanted)

    @property
    def is_event(self) -> bool:
        """True for an event, even one that has a `Response` header as well (OriginateResponse)."""
        return bool(self.all("Event"))

    @property
    def succeeded(self) -> bool:
        """True for a response other than an error."""
        return not self.is_event and self.get("Response") in ("Success", "Goodbye", "Follows")


def message(kind: str, name: str, headers: Iterable[tuple[str, str]] = ()) -> Message:
    """Return a message such as message("Action", "Ping", [("ActionID", "1")])."""
    return Message(((kind, name), *headers))


def serialise(message: Message) -> bytes:
    """Return the message as it goes on the wire.

    Raises ValueError for a name that is none, for a control character (CR and LF would start another header,
    NUL would end the value), and for what Asterisk cannot read because of its length.
    """
    if not 0 < len(message.headers) <= MOST_HEADERS:
        raise ValueError(f"a message has 1 to {MOST_HEADERS} headers, not {len(message.headers)}")
    lines = []
    for name, value in message.headers:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not the name of a header: {name!r}")
        if _CONTROL.search(value):
            raise ValueError(f"the value of {name} has a control character")
        line = f"{name}: {value}".encode()
        if len(line) > LONGEST_LINE:
            raise ValueError(f"the value of {name} is too long: Asterisk reads {LONGEST_LINE} bytes a line")
        lines.append(line)
    return b"\r\n".join(lines) + b"\r\n\r\n"


def parse(block: bytes) -> Message:
    """Return the message of one block, without the empty line that ends it.

    A line without a colon is continued text of some responses; it becomes a header with an empty name.
    """
    headers = []
    for line in block.decode(errors="replace").split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and _NAME.fullmatch(name):
            headers.append((name, value.removeprefix(" ")))
        elif line:
            headers.append(("", line))
    return Message(tuple(headers))


class Splitter:
    """Cuts what the server sends into messages. `feed()` takes bytes as they come."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[Message]:
        """Return the messages that are complete now. Raises ValueError for one that never ends."""
        *blocks, self._pending = (self._pending + data).split(b"\r\n\r\n")
        if len(self._pending) > LONGEST_MESSAGE:
            raise ValueError(f"a message of more than {LONGEST_MESSAGE} bytes")
        return [parse(block) for block in blocks if block.strip()]


def login_key(challenge: str, secret: str) -> str:
    """Return the `Key` of an MD5 login: what proves that we know the secret, without sending it."""
    return hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
