"""Calls that people ask for: whom this installation may ring, whoever asks."""

from __future__ import annotations

from voicebot.campaign.numbers import callable_number
from voicebot.campaign.rules.number import call_refused
from voicebot.config import Config
from voicebot.errors import Problem, UserError
from voicebot.outbound.permits import channel_for, policy_of
from voicebot.switchboard.conferences.phonebook import Entry, KnownPhones


class OutsideLine:
    """The rules of [dialling] for single calls: call-backs, and telephones that are invited."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._policy = policy_of(config)
        self._phones = KnownPhones(config)

    def refuses(self, number: str) -> str | None:
        """Return why a number may not be dialled, None where it may."""
        return call_refused(self._policy, number) or None

    def telephone(self, who: str) -> Entry:
        """Return what to ring for a known person, a channel of theirs, or a number that may be dialled.

        Raises UserError where nobody may be rung.
        """
        if not who.startswith("+"):
            return self._phones.telephone(who)
        if why := self.refuses(who):
            raise UserError(
                Problem(f"{who} may not be called: {why}", "see [dialling] in docs/configuration.md")
            )
        trunk = self._config.trunks.get(self._config.dialling.trunk)
        if trunk is None:
            what = f"there is no way out to {who}"
            raise UserError(Problem(what, "set dialling.trunk to one of [trunks.NAME]"))
        number = callable_number(who).number
        return Entry(channel_for(trunk.dial, number), number=number)
