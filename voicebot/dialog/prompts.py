"""From the prompts of a dialog file to what is spoken, in a call or rendered ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePath

from voicebot.dialog.languages import lexicon_of
from voicebot.dialog.listening import hint
from voicebot.dialog.model import Dialog, Say, Step
from voicebot.dialog.templates import references, render
from voicebot.dialog.turns import Prompt, SpokenAudio, SpokenPause, SpokenText


def speak(
    dialog: Dialog, say: Say, values: Mapping[str, object], language: str, *, bargein: bool = True
) -> list[Prompt]:
    """Return what a `say` of the file plays with `values`."""
    bargein = bargein if say.bargein is None else say.bargein
    prompts: list[Prompt] = []
    text = render(say.text, values, language)
    if say.wav:
        prompts.append(SpokenAudio(str(PurePath(dialog.folder, say.wav)), text, bargein))
    elif text:
        names = [reference.name for reference in references(say.text)]
        hidden = any(_is_sensitive(dialog, name) for name in names)
        prompts.append(SpokenText(text, language, bargein, not names, hidden))
    if say.silence:
        prompts.append(SpokenPause(say.silence, bargein))
    return prompts


def _is_sensitive(dialog: Dialog, name: str) -> bool:
    slot, need = dialog.file.slots.get(name), dialog.file.needs.get(name)
    return bool((slot and slot.sensitive) or (need and need.sensitive))


def text_of(prompts: tuple[Prompt, ...], *, hide: bool = True) -> str:
    """Return the words of prompts, for history and chats; sensitive ones only without `hide`."""
    words = []
    for prompt in prompts:
        if isinstance(prompt, SpokenText):
            words.append("[sensitive]" if prompt.sensitive and hide else prompt.text)
        elif isinstance(prompt, SpokenAudio):
            words.append(prompt.text or f"[{PurePath(prompt.path).name}]")
    return " ".join(word for word in words if word)


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
        if say.wav or not say.text or any(_is_sensitive(dialog, name) for name in names):
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
