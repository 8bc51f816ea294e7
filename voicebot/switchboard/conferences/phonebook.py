"""Whom a name, a channel or a number means that is to be invited to a conference, and whether they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from voicebot.config import Config
from voicebot.errors import UserError


@dataclass(frozen=True, slots=True)
class Entry:
    """What is rung. `name`, `number`: what the participant is shown as."""

    channel: str
    name: str = ""
    number: str = ""


class Phonebook(Protocol):
    """Who may be invited to a conference."""

    def telephone(self, who: str) -> Entry:
        """Return what to ring for a channel, an agent's name or a number. Raises UserError where none may."""
        ...


class KnownPhones:
    """Implements `Phonebook`: configured agents and supervisors, by name or channel, and nobody else."""

    def __init__(self, config: Config) -> None:
        self._phones: dict[str, Entry] = {}
        for name, channel in config.supervision.phones.items():
            self._phones[name] = self._phones[channel] = Entry(channel, name)
        for name, agent in config.agents.items():
            self._phones[name] = self._phones[agent.channel] = Entry(agent.channel, agent.name or name)

    def telephone(self, who: str) -> Entry:
        if (found := self._phones.get(who)) is not None:
            return found
        known = ", ".join(sorted(name for name in self._phones if "/" not in name)) or "nobody"
        raise UserError(
            f"{who} may not be invited: it is no agent and no supervisor of this gateway",
            f"name one of them ({known}), or add an [agents.NAME] with this channel",
        )
