"""What the bot says: the dialog's prompts in the language of the call, and words of its own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.say import Say
from voicebot.dialog.model.step import Step
from voicebot.dialog.running.listening import hint
from voicebot.dialog.running.state import Frame, Run
from voicebot.dialog.running.types import types_of
from voicebot.dialog.speaking.prompts import speak
from voicebot.dialog.speaking.templates import say_value
from voicebot.dialog.turns import Fillers, Prompt, SpokenText

_BARE = frozenset(("number", "digits", "yes_no"))


def say_one(run: Run, variants: tuple[Say, ...], key: str) -> list[Prompt]:
    """Say one of the variants of the present step; `key` is where they stand ("ask")."""
    if not variants:
        return []
    frame, step = run.frame, run.step
    if len(variants) == 1:
        return say(run, variants[0], step)
    in_turn = (step.vary or frame.dialog.file.vary) == "turn"
    at = run.variant((frame.dialog.name, frame.step, key), len(variants), in_turn=in_turn)
    return say(run, variants[at], step)


def say(run: Run, what: Say, step: Step) -> list[Prompt]:
    """Say one prompt with the values of the present dialog."""
    dialog = run.dialog
    bargein = dialog.file.bargein if step.bargein is None else step.bargein
    return speak(dialog, what, run.frame.values, run.language, types=types_of(dialog), bargein=bargein)


def own(run: Run, kind: str, attempt: int = 0) -> list[Prompt]:
    """Say our own text for `kind`; for a later attempt (from 0) the later text."""
    texts = lexicon_of(run.language).texts[kind]
    return [SpokenText(texts[min(attempt, len(texts) - 1)], run.language)]


def own_with(run: Run, kind: str, values: Mapping[str, str], *, sensitive: bool = False) -> list[Prompt]:
    """Say our own text for `kind`, with values in it that are worded already."""
    text = lexicon_of(run.language).texts[kind][0]
    for name, words in values.items():
        text = text.replace(f"{{{name}}}", words)
    return [SpokenText(text, run.language, static=False, sensitive=sensitive)]


def retry(run: Run, told: list[Prompt], attempt: int, *, hinted: bool) -> list[Prompt]:
    """Say what went wrong and ask again, from the second attempt (from 1) on with what can be said."""
    prompts = [*told, *run.question]
    if attempt > 1 and hinted and (text := _hint(run)):
        prompts.append(SpokenText(text, run.language))
    return prompts


def own_help(run: Run) -> list[Prompt]:
    """Say what can be answered now, and that there is an agent, if there is one."""
    text = _hint(run) or lexicon_of(run.language).texts["help"][0]
    agent = any(d.file.always["agent"].goto for d in run.dialogs if "agent" in d.file.always)
    return [SpokenText(text, run.language), *(own(run, "help_agent") if agent else [])]


def _hint(run: Run) -> str:
    return hint(run.dialog, run.frame.step, run.language, run.asked[0] if len(run.asked) == 1 else None)


def worded(run: Run, frame: Frame, slot: str, value: object) -> str:
    """Say the value of a slot in words."""
    spec = frame.slot(slot)
    if spec.type == "choice":
        choice = spec.choices.get(str(value))
        phrases = (
            choice.hear if choice and choice.hear else frame.dialog.lists.get(slot, {}).get(str(value), ())
        )
        return frame.dialog.phrases_in(run.language, tuple(phrases) or (str(value).replace("_", " "),))[0]
    kind = types_of(frame.dialog)[slot]
    return say_value(
        value, "digits" if spec.type == "digits" else "", run.language, hint=kind, now=frame.values.get("now")
    )


def named(run: Run, frame: Frame, slot: str, value: object) -> str:
    """Say the value of one of several slots; a bare number says little without its name."""
    said = worded(run, frame, slot, value)
    return f"{called(run, frame, slot)} {said}" if frame.slot(slot).type in _BARE else said


def say_part(run: Run, value: object) -> str:
    """Say a day or a time of day that is part of an answer."""
    hint = "time" if isinstance(value, time) else "date"
    return say_value(value, "", run.language, hint=hint, now=run.frame.values.get("now"))


def called(run: Run, frame: Frame, slot: str) -> str:
    """Return what a slot is called in the language of the call."""
    return frame.dialog.phrases_in(run.language, frame.slot(slot).called or (slot.replace("_", " "),))[0]


def fillers(run: Run, variants: tuple[Say, ...]) -> Fillers:
    """Return what is said to a caller who waits: the step's own words, or ours."""
    if variants:
        return tuple(tuple(say(run, variant, run.step)) for variant in variants)
    return (tuple(own(run, "waiting")),)
