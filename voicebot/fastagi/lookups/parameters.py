"""What a look-up knows of a call: the names that stand in a query as :caller, in an address as {caller}."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

from voicebot.agi.messages import Environment

FIELDS = {
    "caller": "the caller's number",
    "caller_name": "the caller's name",
    "called": "the number dialled",
    "extension": "the extension of the dialplan",
    "context": "the context of the dialplan",
    "language": "the channel's language",
    "account": "the account code",
    "channel": "the channel's name",
    "unique_id": "the channel's unique id",
}
"""Fields of every call."""
ARGUMENTS = re.compile(r"arg[1-9][0-9]?")
"""Arguments of AGI(): arg1 is what stands after the first comma."""
LONGEST = 500
"""Characters of a value; more is not what a caller or a dialplan means."""
_PLACE = re.compile(r"\{([^{}]*)\}")
_ENVIRONMENT = re.compile(r"env\.([A-Z][A-Z0-9_]{0,63})")


def is_known(name: str, needs: tuple[str, ...]) -> bool:
    """Whether a name stands for something."""
    return name in FIELDS or name in needs or bool(ARGUMENTS.fullmatch(name))


class Parameters(Mapping[str, str]):
    """What a call gives: its fields, arguments and the URL's parameters; fields are the surest."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getitem__(self, name: str) -> str:
        if name in FIELDS:
            return str(getattr(self._environment, name))[:LONGEST]
        if ARGUMENTS.fullmatch(name):
            arguments = self._environment.arguments
            number = int(name.removeprefix("arg"))
            if number <= len(arguments):
                return arguments[number - 1][:LONGEST]
        return self._environment.query[name][:LONGEST]

    def __iter__(self) -> Iterator[str]:
        arguments = (f"arg{number}" for number in range(1, len(self._environment.arguments) + 1))
        return iter(dict.fromkeys((*FIELDS, *arguments, *self._environment.query)))

    def __len__(self) -> int:
        return len(tuple(iter(self)))


def places(text: str) -> Iterator[str]:
    """Yield the names in a text's braces, `env.NAME` among them."""
    return (found[1] for found in _PLACE.finditer(text))


def environment_name(place: str) -> str:
    """Return NAME of `env.NAME`; "" for other places."""
    found = _ENVIRONMENT.fullmatch(place)
    return found[1] if found else ""


def fill(text: str, values: Mapping[str, str], secrets: Mapping[str, str], as_part: bool = False) -> str:
    """Fill in the names in braces; as_part: what a caller gave is encoded as a part of an address."""
    encode: Callable[[str], str] = (lambda value: quote(value, safe="")) if as_part else str

    def put(found: re.Match[str]) -> str:
        secret = environment_name(found[1])
        return secrets.get(secret, "") if secret else encode(values.get(found[1], ""))

    return _PLACE.sub(put, text)
