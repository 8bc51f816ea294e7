"""What was said in a call, as the dialog saw it: for its record, and for whoever takes it over."""

from __future__ import annotations

from typing import NamedTuple

from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import (
    Event,
    Fetched,
    HookDone,
    HungUp,
    Keys,
    MessageRecorded,
    Prompt,
    Replied,
    Silence,
    Unheard,
    Utterance,
)

HIDDEN = "[sensitive]"


class HistoryEntry(NamedTuple):
    """One side's part of a turn.

    speaker:  `bot`, `caller`, or `system` for work that was done
    at:       the time passed in by whoever carries the call, in s
    step:     the step in which it was said
    text:     the words; keys as digits; `[sensitive]` where they may not be kept
    kind:     for the caller `speech`, `keys`, `silence`, `unheard`, `hangup`; for the bot `prompt`; for work
              `fetch`, `hook`, `message`, `reply`
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
    Fetched: "fetch",
    HookDone: "hook",
    MessageRecorded: "message",
    Replied: "reply",
}
_WORK = (Fetched, HookDone, MessageRecorded, Replied)


class Journal:
    """Keeps the history of one call; what is sensitive never enters it."""

    def __init__(self) -> None:
        self._entries: list[HistoryEntry] = []

    def copy(self) -> Journal:
        other = Journal()
        other._entries = list(self._entries)
        return other

    @property
    def entries(self) -> tuple[HistoryEntry, ...]:
        return tuple(self._entries)

    def event(self, event: Event, step: str, at: float, *, hidden: bool) -> None:
        """Keep what the caller did, or how some work went."""
        if not isinstance(event, _WORK):
            words = event.transcript.text if isinstance(event, Utterance) else ""
            text = event.digits if isinstance(event, Keys) else words
            text = HIDDEN if hidden and text else text
            self._entries.append(HistoryEntry("caller", at, step, text, _KINDS[type(event)]))
            return
        text = ""
        if isinstance(event, Replied):
            if event.text:
                self._entries.append(HistoryEntry("bot", at, step, HIDDEN if hidden else event.text, "reply"))
            if not event.error:
                return
        if isinstance(event, Fetched):
            text = event.error or str(event.status)
        elif isinstance(event, HookDone | Replied):
            text = event.error or "done"
        elif isinstance(event, MessageRecorded):
            text = f"{event.ms} ms" if event.path else "nothing"
        self._entries.append(HistoryEntry("system", at, step, text, _KINDS[type(event)]))

    def hide(self) -> None:
        """Forget the words of the event that was kept last: they turned out to be sensitive."""
        if self._entries and self._entries[-1].text:
            self._entries[-1] = self._entries[-1]._replace(text=HIDDEN)

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
                self._entries[at] = entry._replace(heard=HIDDEN if hidden else heard)
                break
