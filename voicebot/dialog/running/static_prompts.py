"""Every prompt of a dialog that can be rendered before a call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.dialog import Dialog, Say, Step
from voicebot.dialog.running.listening import hint
from voicebot.dialog.speaking.prompts import is_sensitive_value
from voicebot.dialog.speaking.templates import references, render
from voicebot.dialog.turns import SpokenText


def static_prompts(
    dialog: Dialog, given: Mapping[str, object] | None = None, language: str = ""
) -> tuple[SpokenText, ...]:
    """Return every prompt that can be rendered before a call: the dialog's and the language's own.

    With `given` (complete values of the dialog's needs) prompts that hold nothing else are among them.
    """
    language = language or dialog.language
    found: dict[str, SpokenText] = {}
    for step_name, say in _all_says(dialog):
        names = {reference.name for reference in references(say.text)}
        if say.wav or not say.text or any(is_sensitive_value(dialog, name) for name in names):
            continue
        if all((given or {}).get(name) is not None and name in dialog.file.needs for name in names):
            text = render(say.text, given or {}, language)
            bargein = _bargein(dialog, dialog.steps.get(step_name), say)
            found.setdefault(text, SpokenText(text, language, bargein, static=True))
    for text in _own_texts(dialog, language):
        found.setdefault(text, SpokenText(text, language))
    return tuple(found.values())


def _bargein(dialog: Dialog, step: Step | None, say: Say) -> bool:
    for rule in (say.bargein, step.bargein if step else None):
        if rule is not None:
            return rule
    return dialog.file.bargein


def _all_says(dialog: Dialog) -> Iterator[tuple[str, Say]]:
    for name, step in dialog.steps.items():
        for says in (step.say, step.ask, step.help, step.noinput, step.nomatch):
            for say in says:
                yield name, say
    for command in dialog.file.always.values():
        for say in command.say:
            yield "", say


def _own_texts(dialog: Dialog, language: str) -> Iterator[str]:
    texts = lexicon_of(language).texts
    for kind in ("unheard", "noinput", "nomatch", "failed", "error", "unconfirmed"):
        yield from texts[kind]
    yield texts["help"][0]
    agent = dialog.file.always.get("agent")
    if agent is not None and agent.goto:
        yield from texts["help_agent"]
    for name, step in dialog.steps.items():
        if step.ask and (text := hint(dialog, name, language)):
            yield text
