"""Headers that many events have. Their names are in lower case; the first of several wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Headers = Mapping[str, str]

_ABSENT = ("<unknown>", "<null>")


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as it was when the event was made.

    name:      such as PJSIP/trunk-0000002a or Local/100@context-00000001;2
    state:     `Down`, `Ring`, `Ringing`, `Up`, ...
    unique_id: the channel's own id; ARI calls it `id`
    linked_id: the id of the oldest channel that it was ever connected with: the same for all legs of a call
    caller:    number of whose channel it is; connected: of the other side
    """

    name: str
    unique_id: str
    linked_id: str = ""
    state: str = ""
    context: str = ""
    exten: str = ""
    caller: str = ""
    caller_name: str = ""
    connected: str = ""


def channel(get: Headers, prefix: str = "") -> Channel:
    """Return the channel of the headers that begin with `prefix`. Raises KeyError where there is none."""
    return Channel(
        get[f"{prefix}channel"],
        get[f"{prefix}uniqueid"],
        get.get(f"{prefix}linkedid", ""),
        get.get(f"{prefix}channelstatedesc", ""),
        get.get(f"{prefix}context", ""),
        get.get(f"{prefix}exten", ""),
        known(get, f"{prefix}calleridnum"),
        known(get, f"{prefix}calleridname"),
        known(get, f"{prefix}connectedlinenum"),
    )


def number(get: Headers, name: str) -> int:
    """Return a whole number, 0 where there is none. Raises ValueError for what is none."""
    return int(get.get(name) or 0)


def known(get: Headers, name: str) -> str:
    """Return a value, "" where Asterisk says that it has none."""
    value = get.get(name, "")
    return "" if value in _ABSENT else value


def seconds(get: Headers, name: str) -> int:
    """Return a duration such as 01:02:03 in seconds, 0 where there is none."""
    parts = get.get(name, "").split(":")
    return sum(int(part) * 60**place for place, part in enumerate(reversed(parts))) if all(parts) else 0
