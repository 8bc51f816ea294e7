"""What was said in a call, as the dialog saw it: for its record, and for whoever takes it over."""

from __future__ import annotations

from dataclasses import dataclass, replace

from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import CallerInput, HungUp, Keys, Prompt, Silence, Unheard, Utterance

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


_KINDS: dict[type, str] = {
    Utterance: "speech",
    Keys: "keys",
    Silence: "silence",
    Unheard: "unheard",
    HungUp: "hangup",
}


class Journal:
    """Keeps the history of one call; what is sensitive never enters it."""

    def __init__(self) -> None:
        self._entries: list[HistoryEntry] = []

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        return tuple(self._entries)

    def caller(self, event: CallerInput, step: str, at: float, *, hidden: bool) -> None:
        """Keep what the caller did."""
        text = ""
        if isinstance(event, Keys):
            text = event.digits
        elif isinstance(event, Utterance):
            text = event.transcript.text
        text = HIDDEN if hidden and text else text
        self._entries.append(HistoryEntry("caller", at, step, text, _KINDS[type(event)]))

    def bot(self, prompts: tuple[Prompt, ...], step: str, at: float) -> None:
        """Keep what the bot is about to say."""
        if text := text_of(prompts):
            self._entries.append(HistoryEntry("bot", at, step, text, "prompt"))

    def heard(self, heard: str) -> None:
        """Keep what the caller heard of the bot's last words."""
        for at in range(len(self._entries) - 1, -1, -1):
            entry = self._entries[at]
            if entry.speaker == "bot":
                hidden = HIDDEN in entry.text
                self._entries[at] = replace(entry, heard=HIDDEN if hidden else heard)
                break
