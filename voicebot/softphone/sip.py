"""SIP messages (RFC 3261, section 7): `parse()` and its symmetrical `serialise()`. Pure.

Only what a caller over UDP needs: one message a datagram, headers kept as text in their order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

SIP_VERSION = "SIP/2.0"
MAGIC_COOKIE = "z9hG4bK"
"""Every branch starts with it (RFC 3261, 8.1.1.7)."""

_COMPACT = {
    "i": "Call-ID", "m": "Contact", "e": "Content-Encoding", "l": "Content-Length", "c": "Content-Type",
    "f": "From", "s": "Subject", "k": "Supported", "t": "To", "v": "Via",
}  # fmt: skip
_LISTS = {"via", "route", "record-route", "contact", "allow", "supported", "require"}


class SipSyntaxError(ValueError):
    """The datagram is not a SIP message."""


class Headers:
    """Header fields in their order; names are matched without regard to case or compact form."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields: list[tuple[str, str]] = [(_full_name(name), value) for name, value in fields]

    def add(self, name: str, value: str) -> None:
        # A line break would let a value add headers of its own.
        if re.search(r"[\r\n\0]", name + value):
            raise ValueError(f"control characters in SIP header {name}")
        self._fields.append((_full_name(name), value))

    def get(self, name: str, default: str = "") -> str:
        """Return the first value of `name`, with a comma list not taken apart."""
        wanted = _full_name(name).lower()
        return next((value for key, value in self._fields if key.lower() == wanted), default)

    def all(self, name: str) -> list[str]:
        """Return every value of `name`; comma lists are taken apart where the header is a list (7.3.1)."""
        wanted = _full_name(name).lower()
        values = [value for key, value in self._fields if key.lower() == wanted]
        if wanted in _LISTS:
            return [part for value in values for part in split_list(value)]
        return values

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._fields == other._fields

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"


@dataclass(frozen=True, slots=True)
class Message:
    """What requests and responses share."""

    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """Sequence number and method."""
        number, _, method = self.headers.get("CSeq").strip().partition(" ")
        if not number.isdigit():
            raise SipSyntaxError("CSeq without a number")
        return int(number), method.strip()

    @property
    def branch(self) -> str:
        """Branch of the topmost Via: the id of the transaction (17.1.3)."""
        via = self.headers.all("Via")
        return parameter(via[0], "branch") if via else ""


@dataclass(frozen=True, slots=True)
class Request(Message):
    """A request: `method` and `uri` make its first line."""

    method: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Response(Message):
    """A response: `status` 100 to 699 and its `reason` phrase."""

    status: int = 0
    reason: str = ""


def parse(datagram: bytes) -> Request | Response:
    """Read one message. Raises SipSyntaxError. The body is cut at Content-Length (18.3)."""
    head, separator, body = datagram.lstrip(b"\r\n").partition(b"\r\n\r\n")
    if not separator:
        raise SipSyntaxError("no empty line after the headers")
    try:
        first, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode()).split("\r\n")
    except UnicodeDecodeError as error:
        raise SipSyntaxError("headers are not UTF-8") from error
    fields = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipSyntaxError(f"no colon in header line {line[:40]!r}")
        fields.append((name.strip(), value.strip()))
    headers = Headers(fields)
    length = headers.get("Content-Length")
    if length.isdigit():
        if int(length) > len(body):
            raise SipSyntaxError("body is shorter than Content-Length")
        body = body[: int(length)]
    parts = first.split(" ", 2)
    if len(parts) < 2:
        raise SipSyntaxError("bad first line")
    if parts[0] == SIP_VERSION:
        if not re.fullmatch(r"[1-6]\d\d", parts[1]):
            raise SipSyntaxError(f"bad status {parts[1][:10]!r}")
        return Response(headers, body, int(parts[1]), parts[2] if len(parts) > 2 else "")
    if len(parts) != 3 or parts[2] != SIP_VERSION:
        raise SipSyntaxError("neither a request nor a response")
    return Request(headers, body, parts[0], parts[1])


def serialise(message: Request | Response) -> bytes:
    """Write one message; Content-Length is always made from the body."""
    if isinstance(message, Request):
        lines = [f"{message.method} {message.uri} {SIP_VERSION}"]
    else:
        lines = [f"{SIP_VERSION} {message.status} {message.reason}"]
    lines += [f"{name}: {value}" for name, value in message.headers if name.lower() != "content-length"]
    lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + message.body


def parameter(value: str, name: str) -> str:
    """Return `;name=...` of a header value, outside of `<...>`; "" if it has none."""
    outside = re.sub(r'"(?:[^"\\]|\\.)*"|<[^>]*>', "", value)
    found = re.search(rf";\s*{re.escape(name)}\s*=\s*([^;,\s]+)", outside, re.IGNORECASE)
    return found[1] if found else ""


def uri_of(value: str) -> str:
    """Return the URI of a name-addr or addr-spec (20.10): `"Bob" <sip:bob@x>;tag=1` gives `sip:bob@x`."""
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", value)
    inside = re.search(r"<([^>]*)>", unquoted)
    return inside[1] if inside else unquoted.split(";", 1)[0].strip()


def split_list(value: str) -> list[str]:
    """Take a comma list apart, leaving commas inside quotes and angle brackets alone."""
    parts = re.findall(r'(?:"(?:[^"\\]|\\.)*"|<[^>]*>|[^,])+', value)
    return [part.strip() for part in parts if part.strip()]


def reply(request: Request, status: int, reason: str, tag: str, extra: Iterable[tuple[str, str]] = (),
          body: bytes = b"") -> Response:  # fmt: skip
    """Make a response (8.2.6): Via, From, To, Call-ID, CSeq and Record-Route copied, our `tag` put on To."""
    headers = Headers()
    for name in ("Via", "Record-Route", "From", "To", "Call-ID", "CSeq"):
        for key, value in request.headers:
            if key.lower() == name.lower():
                if name == "To" and status != 100 and not parameter(value, "tag"):
                    value = f"{value};tag={tag}"
                headers.add(name, value)
    for name, value in extra:
        headers.add(name, value)
    return Response(headers, body, status, reason)


def _full_name(name: str) -> str:
    return _COMPACT.get(name.lower(), name)
