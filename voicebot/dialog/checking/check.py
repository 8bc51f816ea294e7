"""What a well-formed dialog can still get wrong, by all rules at once."""

from __future__ import annotations

from voicebot.dialog.checking.context import Context, Surroundings
from voicebot.dialog.checking.finding import Finding
from voicebot.dialog.checking.rules.answers import answers
from voicebot.dialog.checking.rules.header import header
from voicebot.dialog.checking.rules.includes import includes
from voicebot.dialog.checking.rules.people import people
from voicebot.dialog.checking.rules.prompts import prompts
from voicebot.dialog.checking.rules.shapes import shapes
from voicebot.dialog.checking.rules.targets import targets, values
from voicebot.dialog.checking.rules.templates import templated
from voicebot.dialog.checking.rules.translations import translations
from voicebot.dialog.checking.rules.types import types
from voicebot.dialog.checking.rules.ways import ways
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.prompts import wav_files

__all__ = ["Finding", "Surroundings", "check", "wav_files"]

RULES = (header, targets, values, types, templated, shapes, answers, includes, translations, prompts, people)
"""What is true of a dialog whatever else is wrong."""
RULES_OF_SOUND_DIALOGS = (ways,)
"""What can be judged only where all names are right."""


def check(dialog: Dialog, surroundings: Surroundings | None = None) -> list[Finding]:
    """Return everything that is wrong with `dialog`, with what it includes at hand."""
    context = Context(dialog, surroundings or Surroundings())
    findings = [finding for rule in RULES for finding in rule(context)]
    if all(finding.warning for finding in findings):
        findings += [finding for rule in RULES_OF_SOUND_DIALOGS for finding in rule(context)]
    return findings
