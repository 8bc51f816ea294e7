"""What a step listens for: its grammar with the commands of the dialog, its keys and its times."""

from __future__ import annotations

from functools import lru_cache

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.model.words import COMMANDS
from voicebot.dialog.turns import Listen
from voicebot.dialog.understanding.grammar import Grammar

DEFAULT_KEYS = {"agent": "0", "repeat": "*"}
"""Keys of the commands where neither the dialog nor the step gives the key another meaning."""

LONGEST_MS = 15_000
"""Of one answer, where the step does not say."""

PAUSE_MS = {"text": 1200, "name": 900, "digits": 1000, "number": 800}
"""Silence that ends an answer, by type of slot: people pause between digits and thoughts."""

SHORT_PAUSE_MS = 600
"""Silence that ends any other answer."""


def commands_of(dialog: Dialog, lexicon: Lexicon) -> dict[str, tuple[str, ...]]:
    """Return the commands that are understood in every step, with their phrases."""
    commands: dict[str, tuple[str, ...]] = {}
    for name in COMMANDS:
        own = dialog.file.always.get(name)
        if name not in ("repeat", "help", "agent"):
            continue
        if name != "agent" or (own and (own.goto or own.say)):
            commands[name] = (*(own.hear if own else ()), *lexicon.commands[name])
    for name, command in dialog.file.always.items():
        commands.setdefault(name, command.hear)
    return commands


def command_keys(dialog: Dialog, commands: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Return key -> command."""
    keys = {command.key: name for name, command in dialog.file.always.items() if command.key}
    for name, key in DEFAULT_KEYS.items():
        if name in commands and name not in keys.values():
            keys.setdefault(key, name)
    return keys


@lru_cache(maxsize=1024)
def grammar_of(dialog: Dialog, step_name: str, language: str) -> Grammar:
    """Return the grammar of a step; made once a dialog, step and language."""
    step = dialog.steps[step_name]
    commands = commands_of(dialog, lexicon_of(language))
    slot = dialog.file.slots.get(step.fill[0] if step.fill else "")
    keys = command_keys(dialog, commands)
    if slot is not None and slot.type in ("yes_no", "weekday", "choice"):
        own = Grammar(slot, language).keys
        keys = {key: meaning for key, meaning in keys.items() if key not in own}
    keys.update({choice.key: name for name, choice in step.choices.items() if choice.key})
    choices = {name: choice.hear for name, choice in step.choices.items()}
    return Grammar(slot, language, commands=commands, keys=keys, choices=choices)


@lru_cache(maxsize=256)
def confirmation_of(dialog: Dialog, language: str) -> Grammar:
    """Return the grammar of "Is that right?"."""
    commands = commands_of(dialog, lexicon_of(language))
    keys = {key: name for key, name in command_keys(dialog, commands).items() if key not in "12"}
    return Grammar("yes_no", language, commands=commands, keys=keys)


def listen(dialog: Dialog, step_name: str, grammar: Grammar, prompt: str) -> Listen:
    """Return how to listen in a step with `grammar` (its own, or that of a confirmation)."""
    file = dialog.file
    step = file.steps[step_name]
    slot = grammar.slot
    pause = step.pause if step.pause is not None else file.pause
    if pause is None:
        pause = PAUSE_MS.get(slot.type, SHORT_PAUSE_MS) if slot else SHORT_PAUSE_MS
    return Listen(
        step=step_name,
        expect=grammar.expectation(prompt),
        dtmf=grammar.dtmf(),
        noinput_ms=step.timeout if step.timeout is not None else file.timeout,
        pause_ms=pause,
        longest_ms=step.longest if step.longest is not None else LONGEST_MS,
        sensitive=is_sensitive(dialog, step_name),
    )


def is_sensitive(dialog: Dialog, step_name: str) -> bool:
    """Whether nothing of the answer may be kept."""
    step = dialog.steps[step_name]
    slot = dialog.file.slots.get(step.fill[0] if step.fill else "")
    return step.sensitive or (slot is not None and slot.sensitive)


def hint(dialog: Dialog, step_name: str, language: str) -> str:
    """Say what can be answered in a step; "" where anything can."""
    texts = lexicon_of(language).texts
    step = dialog.steps[step_name]
    slot = dialog.file.slots.get(step.fill[0] if step.fill else "")
    sentences = []
    options = [(c.hear[0] if c.hear else name.replace("_", " "), c.key) for name, c in step.choices.items()]
    if slot is not None and slot.type == "choice":
        options = [
            (c.hear[0] if c.hear else n.replace("_", " "), c.key) for n, c in slot.choices.items()
        ] + options
    elif slot is not None and not slot.open:
        sentences.append(_slot_hint(slot, texts[slot.type]))
    if options and any(key for _, key in options):
        sentences += [
            texts["choice_key"][0].format(phrase=phrase, key=key) if key else _listing([phrase], texts)
            for phrase, key in options
        ]
    elif options:
        sentences.append(_listing([phrase for phrase, _ in options], texts))
    return " ".join(sentences)


def _slot_hint(slot: Slot, texts: tuple[str, ...]) -> str:
    low, high = slot.digits_range
    return texts[-1].format(length=low) if slot.type != "digits" or low == high else texts[0]


def _listing(phrases: list[str], texts: dict[str, tuple[str, ...]] | object) -> str:
    assert isinstance(texts, dict)
    if len(phrases) < 2:
        joined = "".join(phrases)
    else:
        joined = f"{', '.join(phrases[:-1])} {texts['or'][0]} {phrases[-1]}"
    return str(texts["choices"][0].format(choices=joined))
