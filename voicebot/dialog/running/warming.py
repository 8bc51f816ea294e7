"""Making a dialog ready before its first call, so that no caller waits for what is made once."""

from __future__ import annotations

from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.listening import Dialogs, grammar_of
from voicebot.dialog.speaking import spoken
from voicebot.dialog.understanding import reading


def warm_up(dialog: Dialog, language: str = "") -> None:
    """Make the grammars of all its questions, and read the tables of its languages; some ms a question.

    `language`: the one that its calls begin in, by default its own.
    """
    switched = (step.language for step in dialog.steps.values() if step.language)
    for tongue in dict.fromkeys((language or dialog.language, *switched)):
        spoken.warm_up(tongue)
        reading.warm_up(tongue)
        _grammars((dialog,), tongue)


def _grammars(dialogs: Dialogs, language: str) -> None:
    """Make those of the innermost dialog, and of what it includes: commands of the outer ones are in them."""
    dialog = dialogs[0]
    for name, step in dialog.steps.items():
        if step.ask:
            grammar_of(dialogs, name, language, step.fill).make_ready()
    for inner in dict.fromkeys(dialog.included.values()):
        _grammars((inner, *dialogs), language)
