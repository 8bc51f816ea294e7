"""What somebody outside a call wants of its dialog: commands that go through the session's own inbox.

So the session stays the only one who talks to turn machine and dialog. Whoever asks waits for the outcome:
it is set once the command was carried out, or to the `UserError` that says why it was not.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from voicebot.dialog.turns import Handover

COMMAND_LIMIT_S = 5.0
"""A session is never busy for so long."""


@dataclass(frozen=True, slots=True)
class Say:
    """The bot says a sentence in its own voice, then asks its question again."""

    text: str


@dataclass(frozen=True, slots=True)
class Correct:
    """A slot gets another value, as if the caller had corrected it: in words, or of the slot's type."""

    slot: str
    value: object


@dataclass(frozen=True, slots=True)
class Jump:
    """The dialog goes on at another step."""

    step: str


@dataclass(frozen=True, slots=True)
class Repeat:
    """The bot asks again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The bot falls silent and deaf, after these words if there are any. The caller cannot be too slow.

    longest_s: then it goes on by itself, since whoever held it may have forgotten; None: never
    """

    words: str = ""
    longest_s: float | None = 300.0


@dataclass(frozen=True, slots=True)
class Release:
    """The bot goes on where it was held."""


@dataclass(frozen=True, slots=True)
class GiveTo:
    """The dialog ends, and the caller is handed over."""

    handover: Handover


Command = Say | Correct | Jump | Repeat | Hold | Release | GiveTo


@dataclass(frozen=True, slots=True)
class Asked:
    """A command on its way. `outcome`: None once it was carried out, else UserError."""

    command: Command
    outcome: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def done(self, error: BaseException | None = None) -> None:
        """Tell whoever waits; nobody may, any more."""
        if self.outcome.done():
            return
        if error is None:
            self.outcome.set_result(None)
        else:
            self.outcome.set_exception(error)
            self.outcome.exception()  # who gave up waiting must not be warned of
