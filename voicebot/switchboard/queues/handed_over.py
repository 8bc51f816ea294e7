"""What comes along with a caller who is handed over to a queue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from voicebot.dialog.turns import Handover
from voicebot.errors import UserError


def composed(handover: Handover) -> str:
    """Return what a person is told where the dialog has no summary: the values that came along."""
    return ", ".join(
        f"{name.replace('_', ' ')}: {value}"
        for name, value in handover.context
        if value and name not in handover.sensitive
    )


def stay_of(to: str, handover: Handover) -> Handover:
    """Return a hand-over to `queue:NAME`. Raises UserError for what is none."""
    kind, _, name = to.partition(":")
    if kind != "queue" or not name:
        raise UserError(f"{to} is no queue", "write queue:NAME")
    return replace(handover, destination=name, queue=True)


def values_of(handover: Handover) -> Mapping[str, str]:
    """Return what came along, for the rules of a queue."""
    return dict(handover.context)
