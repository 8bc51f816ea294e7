"""Names that every dialog knows."""

from __future__ import annotations

COMMANDS = ("repeat", "help", "agent", "back", "cancel", "skip", "opt_out")
"""Commands that every dialog knows.

`agent` needs a `goto`; `skip` is understood where a question is optional, `opt_out` in outbound dialogs.
"""

CALL_VALUES = ("call.number", "call.called", "call.id")
"""Values of the call itself: the caller's number, the called number, the call's id."""

RUN_VALUES = ("result", "now", "today")
"""Values of the run: what the last look-up, hook or included dialog came back with; the call's clock."""

ENVIRONMENT = "env."
"""Values of the operator's environment, as far as the configuration allows them: `env.BOOKING`."""

COMMAND_KEYS = {"agent": "0", "repeat": "*", "opt_out": "9"}
"""Keys of the commands where neither the dialog nor the step gives the key another meaning."""
