"""Which messages of the manager interface somebody wants to see, and how they look in JSON. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from voicebot.ami.messages import Message

_WRITTEN = re.compile(r"\s*(?P<header>[A-Za-z][A-Za-z0-9_-]*)\s*(?P<sign>!=|!~|=|~)(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Filter:
    """`header=value`, `header~regular expression` (anywhere in the value), or with `!` the opposite."""

    header: str
    sign: Literal["=", "~", "!=", "!~"]
    value: str
    pattern: re.Pattern[str]

    def fits(self, message: Message) -> bool:
        """Whether one of the header's values is so; a message without the header fits only `!=` and `!~`."""
        values = message.all(self.header)
        if self.sign.endswith("="):
            found = self.value in values
        else:
            found = any(self.pattern.search(value) for value in values)
        return found is not self.sign.startswith("!")


def parse_filter(text: str) -> Filter:
    """Return a filter as written. Raises ValueError for what is none."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        raise ValueError(f"`{text}` is no filter; write Event=Newchannel or 'Channel~^PJSIP/'")
    sign: Literal["=", "~", "!=", "!~"] = found["sign"]  # type: ignore[assignment]
    try:
        pattern = re.compile(found["value"] if sign.endswith("~") else "")
    except re.error as error:
        raise ValueError(f"`{text}` has no regular expression: {error}") from None
    return Filter(found["header"].lower(), sign, found["value"], pattern)


def selects(filters: Sequence[Filter], message: Message) -> bool:
    """Whether all filters fit; of several `=` of one header one is enough."""
    wanted: dict[str, bool] = {}
    for each in filters:
        fits = each.fits(message)
        if each.sign == "=":
            wanted[each.header] = wanted.get(each.header, False) or fits
        elif not fits:
            return False
    return all(wanted.values())


def as_json(message: Message) -> dict[str, str | list[str]]:
    """Return all headers in their order; one that comes several times is a list; text without a name: ""."""
    found: dict[str, str | list[str]] = {}
    for name, value in message.headers:
        old = found.get(name)
        if old is None:
            found[name] = value
        elif isinstance(old, list):
            old.append(value)
        else:
            found[name] = [old, value]
    return found
