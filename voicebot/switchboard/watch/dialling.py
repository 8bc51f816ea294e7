"""What click-to-dial may call, and whose telephone it may ring: no more than voicebot.toml says."""

from __future__ import annotations

from collections import deque

from voicebot.call.routing import pattern_to_regex
from voicebot.campaign.rules.number import call_refused, installation_refuses
from voicebot.campaign.rules.policy import Policy
from voicebot.config import Config
from voicebot.config.people import known_number
from voicebot.errors import Problem, UserError

CALLS_A_MINUTE = 20
"""By one person; more is no person's doing."""
_MINUTE_S = 60.0


class ClickRules:
    """Judges numbers and telephones of click-to-dial."""

    def __init__(self, config: Config) -> None:
        dialling = config.dialling
        self._policy = Policy(dialling.prefixes, dialling.denied_prefixes)
        self._internal = [
            pattern_to_regex(number) if number.startswith("_") else number
            for number in config.supervision.dial_numbers
        ]
        agents = (agent.channel for agent in config.agents.values())
        self._phones = frozenset((*agents, *config.supervision.phones.values()))
        self._calls: dict[str, deque[float]] = {}

    def may_dial(self, number: str) -> bool:
        """Whether the number may be called: one of `dial_numbers`, or with + one that [dialling] allows.

        Premium numbers never are, nor what is dear behind a prefix that does not mean it.
        """
        if not known_number(number):
            return False
        if not number.startswith("+"):
            return any(
                number == each if isinstance(each, str) else each.fullmatch(number) is not None
                for each in self._internal
            )
        return not (call_refused(self._policy, number) or installation_refuses(self._policy, number))

    def check_phone(self, channel: str) -> None:
        """Raise UserError unless the telephone is an agent's or a supervisor's."""
        if channel not in self._phones:
            known = ", ".join(sorted(self._phones)) or "none yet"
            raise UserError(
                Problem(
                    f"{channel[:80]!r} is no telephone of an agent's or a supervisor's",
                    f"name it in [agents.NAME] channel or [supervision] phones; there are: {known}",
                )
            )

    def check_number(self, number: str) -> None:
        """Raise UserError with the reason unless the number may be called."""
        if self.may_dial(number):
            return
        what = f"{number[:40]!r} may not be dialled"
        if not known_number(number):
            remedy = "a number has digits, * and #, and may begin with +"
        elif number.startswith("+"):
            remedy = "[dialling] prefixes, denied_prefixes and the rules on dear numbers decide"
        else:
            remedy = "numbers without + are those of [supervision] dial_numbers; write others as +12025550142"
        raise UserError(Problem(what, remedy))

    def count(self, by: str, now: float) -> None:
        """Take note of a call. Raises UserError where it is one too many."""
        calls = self._calls.setdefault(by, deque())
        while calls and calls[0] <= now - _MINUTE_S:
            calls.popleft()
        if len(calls) >= CALLS_A_MINUTE:
            what = f"{by or 'somebody'} has placed {CALLS_A_MINUTE} calls within a minute"
            raise UserError(Problem(what, "wait a little"))
        calls.append(now)
