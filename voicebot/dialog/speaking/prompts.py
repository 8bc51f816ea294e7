"""From the prompts of a dialog file to what is spoken, in a call or rendered ahead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from voicebot.dialog.model.dialog import Dialog, Say
from voicebot.dialog.speaking.templates import references, render
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
        hidden = any(is_sensitive_value(dialog, name) for name in names)
        prompts.append(SpokenText(text, language, bargein, not names, hidden))
    if say.silence:
        prompts.append(SpokenPause(say.silence, bargein))
    return prompts


def is_sensitive_value(dialog: Dialog, name: str) -> bool:
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
