"""Which way leads through the dialplan to the gateway? Pure; from the events of AMI's ShowDialPlan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from voicebot.ami.messages import Message
from voicebot.call.routing import pattern_to_regex

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NUMBER = re.compile(r"[+*#0-9]+")
OUTBOUND = "campaign"
"""What the dialplan says to Stasis() of a call that we placed ourselves."""


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of one extension."""

    context: str
    extension: str
    priority: int
    application: str
    data: str


@dataclass(frozen=True, slots=True)
class Entrance:
    """An extension that hands calls to our application. `fallback`: the dialplan goes on if we are away."""

    context: str
    extension: str
    fallback: bool

    @property
    def takes_numbers(self) -> bool:
        """False for `s` and the like, which say nothing about the number dialled."""
        return self.extension.startswith("_") or bool(_NUMBER.fullmatch(self.extension))

    def takes(self, number: str) -> bool:
        """Whether a call to `number` (digits) comes through here."""
        if self.extension.startswith("_"):
            return pattern_to_regex(self.extension).fullmatch(number) is not None
        return self.extension == number


def steps(events: Iterable[Message]) -> list[Step]:
    """Return the priorities that a ShowDialPlan lists (it lists includes and switches as well)."""
    found = []
    for event in events:
        if event.get("Application") and event.get("Priority").isdigit():
            names = ("Context", "Extension", "Priority", "Application", "AppData")
            context, extension, priority, application, data = (event.get(name) for name in names)
            found.append(Step(context, extension, int(priority), application, data))
    return found


def variables_of_stasis(dialplan: Iterable[Step]) -> set[str]:
    """Return the variables in the application names of all Stasis() calls: their values must be looked up."""
    return {
        name
        for step in dialplan
        if step.application == "Stasis"
        for name in _VARIABLE.findall(step.data.split(",")[0])
    }


def entrances(dialplan: Iterable[Step], app: str, variables: Mapping[str, str]) -> list[Entrance]:
    """Return the extensions that hand callers to Stasis(`app`), with `variables` put in.

    Without the context `stasis-<app>`, which Asterisk makes itself while a gateway is connected.
    """
    known = list(dialplan)
    found = []
    for step in known:
        if step.application != "Stasis" or step.context == f"stasis-{app}":
            continue
        name, *arguments = step.data.split(",")
        name = _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), name)
        if name.strip() == app and arguments[:1] != [OUTBOUND]:
            following = any(
                (other.context, other.extension) == (step.context, step.extension)
                and other.priority == step.priority + 1
                and other.application != "Hangup"
                for other in known
            )
            found.append(Entrance(step.context, step.extension, following))
    return found
