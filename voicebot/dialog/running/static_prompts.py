"""Every prompt of a dialog that can be rendered before a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.dialog import Dialog, Say, Step
from voicebot.dialog.model.prompts import says
from voicebot.dialog.running.listening import hint
from voicebot.dialog.running.types import types_of
from voicebot.dialog.speaking.prompts import is_sensitive_value
from voicebot.dialog.speaking.templates import references, render
from voicebot.dialog.turns import SpokenText

_OWN = (
    "unheard", "noinput", "nomatch", "by_voice", "failed", "error", "unconfirmed", "invalid_check",
    "no_agent", "no_back", "needed", "cancel", "cancelled",
)  # fmt: skip
"""Our own words that any dialog may say, and that hold no values."""


def static_prompts(
    dialog: Dialog, given: Mapping[str, object] | None = None, language: str = ""
) -> tuple[SpokenText, ...]:
    """Return every prompt that can be rendered before a call: the dialog's and the language's own.

    They are in `language` (by default the dialog's), and in those that its steps switch to. With `given`
    (complete values of the dialog's needs) prompts that hold nothing else are among them. What included
    dialogs say is their own.
    """
    given = given or {}
    found: dict[tuple[str, str], SpokenText] = {}
    switched = (step.language for step in dialog.steps.values() if step.language)
    for spoken in dict.fromkeys((language or dialog.language, *switched)):
        for step, say in _pieces(dialog):
            tongue = say.language or spoken
            text = dialog.text_in(tongue, say.text)
            names = {reference.name for reference in references(text)}
            if say.wav or not text or any(is_sensitive_value(dialog, name) for name in names):
                continue
            if all(given.get(name) is not None and name in dialog.file.needs for name in names):
                words = render(text, given, tongue, types_of(dialog))
                found.setdefault((words, tongue), SpokenText(words, tongue, _bargein(dialog, step, say)))
        for text in _own_texts(dialog, spoken):
            found.setdefault((text, spoken), SpokenText(text, spoken))
    return tuple(found.values())


def _pieces(dialog: Dialog) -> Iterator[tuple[Step | None, Say]]:
    for path, say in says(dialog.file):
        yield dialog.steps.get(str(path[1])) if path[0] == "steps" else None, say


def _bargein(dialog: Dialog, step: Step | None, say: Say) -> bool:
    for rule in (say.bargein, step.bargein if step else None):
        if rule is not None:
            return rule
    return dialog.file.bargein


def _own_texts(dialog: Dialog, language: str) -> Iterator[str]:
    texts = lexicon_of(language).texts
    for kind in _OWN:
        yield from texts[kind]
    yield texts["help"][0]
    if dialog.file.outbound:
        yield from texts["opted_out"]
    agent = dialog.file.always.get("agent")
    if agent is not None and agent.goto:
        yield from texts["help_agent"]
    for name, step in dialog.steps.items():
        if step.fetch or step.hook or step.llm:
            yield from texts["waiting"]
        if step.ask and (text := hint(dialog, name, language)):
            yield text
