"""From the prompts of a dialog file to what is spoken, in a call or rendered ahead."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import PurePath

from voicebot.dialog.model.dialog import Dialog, Say
from voicebot.dialog.speaking.templates import TypeHint, references, render
from voicebot.dialog.turns import Prompt, SpokenAudio, SpokenPause, SpokenText


def speak(
    dialog: Dialog,
    say: Say,
    values: Mapping[str, object],
    language: str,
    *,
    types: Mapping[str, TypeHint] | None = None,
    bargein: bool = True,
) -> list[Prompt]:
    """Return what a `say` of the file plays with `values`, in `language`; `types` are those of the values."""
    memo = dialog.memo
    key = (id(say), language, bargein)
    known: list[Prompt] | None = memo.get(key)
    if known is not None:
        return known
    prompts: list[Prompt] = []
    fixed = True
    bargein = bargein if say.bargein is None else say.bargein
    for piece in say.pieces:
        interruptible = bargein if piece.bargein is None else piece.bargein
        spoken = piece.language or language
        text, names = _translated(dialog, piece.text, spoken)
        words = render(text, values, spoken, types) if text else ""
        fixed = fixed and not names
        hidden = bool(names) and any(is_sensitive_value(dialog, name) for name in names)
        if piece.wav:
            wav = dialog.text_in(spoken, piece.wav)
            prompts.append(SpokenAudio(str(PurePath(dialog.folder, wav)), words, interruptible, hidden))
        elif words:
            prompts.append(SpokenText(words, spoken, interruptible, not names, hidden))
        if piece.silence:
            prompts.append(SpokenPause(piece.silence, interruptible))
    if fixed:
        memo[key] = prompts
    return prompts


@lru_cache(maxsize=8192)
def _translated(dialog: Dialog, text: str, language: str) -> tuple[str, tuple[str, ...]]:
    """Return a text in `language`, and the names of the values in it."""
    there = dialog.text_in(language, text)
    return there, tuple(reference.name for reference in references(there))


def is_sensitive_value(dialog: Dialog, name: str) -> bool:
    """Whether a value may not be logged, recorded or cached."""
    return name in sensitive_names(dialog)


@lru_cache(maxsize=256)
def sensitive_names(dialog: Dialog) -> frozenset[str]:
    """Return the names of values that may not be kept: declared so, or learnt in a sensitive step."""
    file = dialog.file
    names = {
        name for group in (file.needs, file.slots, file.values) for name, it in group.items() if it.sensitive
    }
    for step in file.steps.values():
        if step.sensitive:
            names.update(step.fill)
            names.update(step.llm.slots if step.llm else ())
            for work in (step.fetch, step.hook, step.call):
                names.update(work.keep if work else ())
    return frozenset(names)


@lru_cache(maxsize=256)
def has_secrets(dialog: Dialog) -> bool:
    """Whether a dialog, or one that it includes, has values that may not be kept."""
    return bool(sensitive_names(dialog)) or any(map(has_secrets, dialog.included.values()))


def text_of(prompts: tuple[Prompt, ...], *, hide: bool = True) -> str:
    """Return the words of prompts, for history and chats; sensitive ones only without `hide`."""
    words = []
    for prompt in prompts:
        if isinstance(prompt, SpokenPause):
            continue
        if prompt.sensitive and hide:
            words.append("[sensitive]")
        elif isinstance(prompt, SpokenText):
            words.append(prompt.text)
        else:
            words.append(prompt.text or f"[{PurePath(prompt.path).name}]")
    return " ".join(filter(None, words))
