"""What was said in a call, as the dialog saw it: for its record, and for whoever takes it over."""

from __future__ import annotations

from dataclasses import dataclass

HIDDEN = "[sensitive]"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One side's part of a turn.

    speaker:  `bot` or `caller`
    at:       the time passed in by whoever carries the call, in s
    step:     the step in which it was said
    text:     the words; keys as digits; `[sensitive]` where they may not be kept
    kind:     for the caller `speech`, `keys`, `silence`, `unheard`, `hangup`; for the bot `prompt`
    heard:    what the caller really heard of the bot's words; None where all of it
    """

    speaker: str
    at: float
    step: str
    text: str
    kind: str
    heard: str | None = None
