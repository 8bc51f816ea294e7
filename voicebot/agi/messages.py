"""Asterisk Gateway Interface: the environment and the replies, from the wire and back.

A session begins with lines of `agi_name: value` and an empty line. Then each command is a line, and each is
answered with `200 result=...`, `510 ...` (unknown), `511 ...` (the caller is gone), or several lines of 520
(wrong use). `HANGUP` may stand between (res_agi of Asterisk 22; docs.asterisk.org, "Asterisk Gateway
Interface").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, unquote, urlsplit

HANGUP = "HANGUP"
"""The line by which Asterisk tells a FastAGI server that the caller has hung up."""
UNKNOWN = "unknown"
"""What stands for a number or a name that Asterisk does not know."""
OK = 200
NOT_A_COMMAND = 510
CALLER_IS_GONE = 511
WRONG_USE = 520
MOST_FIELDS = 256
"""Asterisk sends about 25, and an application has at most 128 arguments."""

_NAME = re.compile(r"agi_[A-Za-z0-9_]{1,60}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_CONTROL_BUT_NEWLINE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_USUAL = frozenset(
    f"agi_{name}"
    for name in (
        *("network", "network_script", "request", "channel", "language", "type", "uniqueid", "version"),
        *("callerid", "calleridname", "callingpres", "callingani2", "callington", "callingtns", "dnid"),
        *("rdnis", "context", "extension", "priority", "enhanced", "accountcode", "threadid"),
    )
)
"""What every session of Asterisk 22 begins with."""
_REPLY = re.compile(r"([0-9]{3}) (.*)", re.DOTALL)
_RESULT = re.compile(
    r"result=([^ ]*)(?: \((?P<value>.*)\)(?P<data> [A-Za-z0-9_]+=.*)?| (?P<rest>[^(].*))? ?", re.DOTALL
)
_DATA = re.compile(r'([A-Za-z0-9_]+)=("[^"]*"|[^ ]*)')
_UNFINISHED = re.compile(r"200 result=[^ ]* \(")


class Malformed(ValueError):
    """What came is not AGI. The text says why, without what came."""


@dataclass(frozen=True)
class Environment:
    """What Asterisk tells of a call at the start of a session. `fields` are in the order of the wire.

    Numbers and names that Asterisk does not know are "".
    """

    fields: Mapping[str, str]

    def get(self, name: str, default: str = "") -> str:
        """Return a field by its name without `agi_`, such as "callerid"."""
        return self.fields.get(f"agi_{name}", default)

    def _known(self, name: str) -> str:
        value = self.get(name)
        return "" if value == UNKNOWN else value

    @property
    def request(self) -> str:
        """The URL or the command that the dialplan names."""
        return self.get("request")

    @property
    def channel(self) -> str:
        return self.get("channel")

    @property
    def unique_id(self) -> str:
        return self.get("uniqueid")

    @property
    def language(self) -> str:
        return self.get("language")

    @property
    def caller(self) -> str:
        """The caller's number."""
        return self._known("callerid")

    @property
    def caller_name(self) -> str:
        return self._known("calleridname")

    @property
    def called(self) -> str:
        """The number that was dialled, else the extension."""
        return self._known("dnid") or self.get("extension")

    @property
    def context(self) -> str:
        return self.get("context")

    @property
    def extension(self) -> str:
        return self.get("extension")

    @property
    def account(self) -> str:
        return self.get("accountcode")

    @property
    def enhanced(self) -> bool:
        """Whether the caller's audio comes on descriptor 3 (EAGI)."""
        return self.get("enhanced") == "1.0"

    @property
    def network(self) -> bool:
        """Whether this is FastAGI."""
        return self.get("network") == "yes"

    @cached_property
    def arguments(self) -> tuple[str, ...]:
        """The arguments after the URL or the command: AGI(agi://host/path,first,second)."""
        found: list[str] = []
        while (value := self.fields.get(f"agi_arg_{len(found) + 1}")) is not None:
            found.append(value)
        return tuple(found)

    @property
    def path(self) -> tuple[str, ...]:
        """The parts of the URL's path: ("lookup", "vip") of agi://host/lookup/vip."""
        script = self.fields.get("agi_network_script")
        path = script.partition("?")[0] if script is not None else _split(self.request)[0]
        parts = tuple(part for part in path.split("/") if part)
        return tuple(map(unquote, parts)) if "%" in path else parts

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The parameters of the URL: {"a": "b"} of agi://host/path?a=b. The first of a name counts."""
        script = self.fields.get("agi_network_script")
        query = script.partition("?")[2] if script is not None else _split(self.request)[1]
        found: dict[str, str] = {}
        if not query:
            return found
        for name, value in parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS):
            found.setdefault(name, value)
        return found


def _split(request: str) -> tuple[str, str]:
    try:
        parts = urlsplit(request)
    except ValueError:
        return "", ""
    return parts.path, parts.query


def parse_environment(block: bytes) -> Environment:
    """Return the environment of a block, without the empty line that ends it.

    Callers choose their names, and Asterisk lets escape sequences in them through: a control character
    becomes a blank. Raises Malformed for a line that is no field, a field that stands twice, too many of
    them, or a NUL, which no text of Asterisk's has.
    """
    text = block.decode("utf-8", "replace").replace("\r\n", "\n").removesuffix("\r")
    if _CONTROL_BUT_NEWLINE.search(text):
        if "\0" in text:
            raise Malformed("a NUL")
        text = _CONTROL_BUT_NEWLINE.sub(" ", text)
    lines = text.split("\n")
    if len(lines) > MOST_FIELDS:
        raise Malformed(f"more than {MOST_FIELDS} fields")
    pairs = [line.partition(": ") for line in lines]
    fields = {name: value for name, colon, value in pairs if colon}
    if len(fields) != len(lines) or not _USUAL.issuperset(fields):
        fields = _unusual_fields(pairs)
    if "agi_request" not in fields:
        raise Malformed("no agi_request")
    return Environment(fields)


def _unusual_fields(pairs: list[tuple[str, str, str]]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, colon, value in pairs:
        known = name if colon else name.removesuffix(":")
        if known in fields:
            raise Malformed("a field stands twice")
        if known not in _USUAL and not _NAME.fullmatch(known):
            raise Malformed("a line that is no field of the environment")
        fields[known] = value
    return fields


def serialise_environment(environment: Environment) -> bytes:
    """Return the block as Asterisk sends it, with the empty line. Raises ValueError for what is no field."""
    for name, value in environment.fields.items():
        if not _NAME.fullmatch(name) or _CONTROL.search(value):
            raise ValueError(f"not a field of the environment: {name!r}")
    return "".join(f"{name}: {value}\n" for name, value in environment.fields.items()).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Reply:
    """What Asterisk answers to a command.

    code:    200, 510, 511, 520, or 503 of GOSUB
    result:  what stands behind `result=`; "" of other codes, and where the caller pressed nothing
    value:   what stands in parentheses; None where there are none
    data:    what follows, such as {"endpos": "8000"}
    text:    what Asterisk says besides; of 520 the lines about the right use
    """

    code: int = OK
    result: str = ""
    value: str | None = None
    data: tuple[tuple[str, str], ...] = ()
    text: str = ""

    def __getitem__(self, name: str) -> str:
        """Return one of `data`; "" where it is not there."""
        return next((value for key, value in self.data if key == name), "")

    @property
    def number(self) -> int:
        """`result` as a number. Raises Malformed where it is none."""
        try:
            return int(self.result)
        except ValueError:
            raise Malformed("the result is no number") from None


_PLAIN: Mapping[str, Reply] = {f"200 result={each}": Reply(OK, each) for each in ("0", "1", "-1")}
"""What most commands are answered with."""
PLAIN_LINES: Mapping[bytes, Reply] = {f"{line}\n".encode(): reply for line, reply in _PLAIN.items()}
"""The same as they come."""


def parse_reply(text: str) -> Reply:
    """Return the reply of one line, or of the lines of a 520, without the last line's end.

    Raises Malformed for what is none.
    """
    if plain := _PLAIN.get(text):
        return plain
    if text.startswith("520-"):
        first, _, rest = text[4:].partition("\n")
        lines = [first, *rest.split("\n")]
        if len(lines) < 2 or not lines[-1].startswith("520 "):
            raise Malformed("a reply that does not end")
        return Reply(WRONG_USE, text="\n".join([*lines[:-1], lines[-1][4:]]))
    found = _REPLY.fullmatch(text)
    if found is None:
        raise Malformed("a line that is no reply")
    code = int(found[1])
    if code != OK:
        return Reply(code, text=found[2])
    parts = _RESULT.fullmatch(found[2])
    if parts is None:
        raise Malformed("a reply without a result")
    rest = parts["data"] or parts["rest"] or ""
    data = tuple((name, value.strip('"')) for name, value in _DATA.findall(rest)) if "=" in rest else ()
    return Reply(OK, parts[1], parts["value"], data, "" if data else rest.strip())


def unfinished(text: str) -> bool:
    """Whether a reply goes on in the next line: it shows the right use, or a value with line breaks."""
    if text.startswith("520-"):
        return "\n520 " not in text
    return bool(_UNFINISHED.match(text)) and _RESULT.fullmatch(text, 4) is None


def provisional(text: str) -> bool:
    """Whether this only tells that the command has begun (GOSUB): the reply follows."""
    return text.startswith("1") and _REPLY.fullmatch(text) is not None


def serialise_reply(reply: Reply) -> bytes:
    """Return the reply as Asterisk sends it, with the end of its line."""
    if reply.code == WRONG_USE and "\n" in reply.text:
        *lines, last = reply.text.split("\n")
        return "\n".join([f"520-{lines[0]}", *lines[1:], f"520 {last}"]).encode() + b"\n"
    if reply.code != OK:
        return f"{reply.code} {reply.text}\n".encode()
    parts = [f"200 result={reply.result}"]
    if reply.value is not None:
        parts.append(f"({reply.value})")
    parts += [f'{name}="{value}"' if " " in value else f"{name}={value}" for name, value in reply.data]
    parts += [reply.text] if reply.text else []
    return " ".join(parts).encode() + b"\n"


def environment(
    request: str, fields: Iterable[tuple[str, str]] = (), arguments: Iterable[str] = ()
) -> Environment:
    """Return one as Asterisk makes it: environment("agi://host/lookup/vip", [("callerid", "100")])."""
    built = {"agi_request": request, **{f"agi_{name}": value for name, value in fields}}
    built |= {f"agi_arg_{number}": value for number, value in enumerate(arguments, 1)}
    return Environment(built)
