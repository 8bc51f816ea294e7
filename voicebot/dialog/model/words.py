"""Names that every dialog knows."""

from __future__ import annotations

COMMANDS = ("repeat", "help", "agent")
"""Commands that every dialog knows; `agent` needs a `goto`."""

CALL_VALUES = ("call.number", "call.called", "call.id")
"""Values of the call itself: the caller's number, the called number, the call's id."""
