"""Conversations in a line each, for the tests of this folder: dialogs without a file, a fixed clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from voicebot.authoring.conversation.written import read_input
from voicebot.dialog.loading.yamlfile import read_yaml
from voicebot.dialog.model.dialog import Dialog, DialogFile
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.speaking.prompts import text_of
from voicebot.dialog.turns import BotTurn, End, Event, Handover

MONDAY = datetime(2027, 3, 1, 10, 0, tzinfo=ZoneInfo("America/New_York"))


def dialog(text: str, included: Mapping[str, Dialog] | None = None, **more: Any) -> Dialog:
    """Return the dialog of `text` without its checks."""
    file = DialogFile.model_validate(read_yaml(f"dialog: test\n{text}", "test.yaml").data)
    return Dialog(file, file.dialog, included=included or {}, **more)


class Talk:
    """One conversation. `says` gives an event (or written input) and returns the bot's words."""

    def __init__(self, of: Dialog, given: Mapping[str, object] | None = None, **options: Any) -> None:
        self.bot = Interpreter(of, given, started=options.pop("started", MONDAY), **options)
        self.now = 0.0
        self.turn = self.bot.begin(self.now)

    @property
    def said(self) -> str:
        return words(self.turn)

    def says(self, *events: Event | str, after: float = 1.0) -> str:
        for event in events:
            self.now += after
            self.turn = self.bot.handle(read_input(event) if isinstance(event, str) else event, self.now)
        return self.said

    @property
    def took(self) -> str:
        """How the last event was taken."""
        taken = self.bot.understood
        return f"{taken.kind}:{taken.meaning}" if taken else ""


def words(turn: BotTurn) -> str:
    said = text_of(turn.prompts)
    match turn.then:
        case End(outcome):
            return f"{said} [{outcome}]".strip()
        case Handover(destination):
            return f"{said} [to {destination}]".strip()
    return said
