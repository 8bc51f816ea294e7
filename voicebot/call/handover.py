"""Where callers go on in the dialplan, and what goes along with them; see asterisk/extensions.conf."""

from __future__ import annotations

from voicebot.dialog.turns import Handover

HANDOVER_CONTEXT = "voicebot-handover"
"""Goes on with callers who are handed over: the extension is the destination."""
QUEUE_CONTEXT = "voicebot-queue"
"""Puts callers into a queue: the extension is its name."""
UNAVAILABLE_CONTEXT = "voicebot-unavailable"
"""Tells callers that we cannot serve them, and hangs up."""
TALK_CONTEXT = "voicebot-talk"
"""Joins two persons who talk on when the gateway stops: one comes to WAIT_EXTENSION, then the other, with
the first one's channel in the variable WITH, to TALK_EXTENSION; that one goes on at AFTERWARDS in the end."""
WAIT_EXTENSION = "wait"
TALK_EXTENSION = "talk"
VARIABLE_PREFIX = "VOICEBOT_"
"""Of the channel variables that go along: VOICEBOT_CALL is the call's id, VOICEBOT_SUMMARY what a person is
told about the call, VOICEBOT_<SLOT> a slot's value."""
WITH = f"{VARIABLE_PREFIX}WITH"
AFTERWARDS = f"{VARIABLE_PREFIX}AFTERWARDS"
VARIABLE_CHARS = 1000
"""Longest value that goes along: the dialplan expands variables in a buffer of 4096 bytes."""


class ToPeople(Exception):
    """The dialog is over, and the caller goes on to a queue or conference of ours."""

    def __init__(self, handover: Handover) -> None:
        super().__init__(handover.destination)
        self.handover = handover


def context_of(handover: Handover) -> str:
    """Return the dialplan context that goes on with the caller."""
    return QUEUE_CONTEXT if handover.queue else HANDOVER_CONTEXT


def variables_of(handover: Handover, call_id: str) -> dict[str, str]:
    """Return the channel variables that go along."""
    variables = {f"{VARIABLE_PREFIX}{name.upper()}": as_variable(value) for name, value in handover.context}
    if handover.summary:
        variables[f"{VARIABLE_PREFIX}SUMMARY"] = as_variable(handover.summary)
    variables[f"{VARIABLE_PREFIX}CALL"] = call_id
    return variables


def as_variable(value: str) -> str:
    """Return what of a value a channel variable can carry: a line without control characters."""
    return "".join(c if c.isprintable() else " " for c in value)[:VARIABLE_CHARS]
