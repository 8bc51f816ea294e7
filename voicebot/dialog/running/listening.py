"""What a step listens for: its grammar with the commands in force, its keys and its times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import plain
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.model.words import COMMAND_KEYS, COMMANDS
from voicebot.dialog.speaking.prompts import sensitive_names
from voicebot.dialog.turns import Listen
from voicebot.dialog.understanding.grammar import Grammar
from voicebot.dialog.understanding.values import phrases_by_value
from voicebot.dialog.understanding.vocabulary import words_of
from voicebot.speech.stt import Expectation

LONGEST_MS = 15_000
"""Of one answer, where the step does not say."""

PAUSE_MS = {
    "text": 1200, "name": 900, "digits": 1000, "number": 800, "money": 900, "date": 900, "time": 900,
    "datetime": 1000, "phone": 1200, "email": 1500, "spelled": 1500,
}  # fmt: skip
"""Silence that ends an answer, by type of slot: people pause between digits and thoughts."""

SHORT_PAUSE_MS = 600
"""Silence that ends any other answer."""

Dialogs = tuple[Dialog, ...]
"""The open dialogs, the innermost first: the commands of all of them are in force."""


def commands_of(dialogs: Dialogs, language: str, *, optional: bool = False) -> dict[str, tuple[str, ...]]:
    """Return the commands that are understood now, with their phrases."""
    lexicon = lexicon_of(language)
    root = dialogs[-1]
    commands: dict[str, tuple[str, ...]] = {}
    for dialog in dialogs:
        for name, command in dialog.file.always.items():
            if name not in COMMANDS and not command.off:
                commands.setdefault(name, dialog.phrases_in(language, command.hear))
    for name in COMMANDS:
        own = next((d.file.always[name] for d in dialogs if name in d.file.always), None)
        wanted = own is not None or name not in ("skip", "opt_out")
        wanted = wanted or (name == "skip" and optional) or (name == "opt_out" and root.file.outbound)
        if wanted and not (own and own.off):
            hear = tuple(p for d in dialogs if name in d.file.always
                         for p in d.phrases_in(language, d.file.always[name].hear))  # fmt: skip
            commands[name] = (*hear, *lexicon.commands[name])
    return commands


def command_keys(dialogs: Dialogs, commands: Mapping[str, object]) -> dict[str, str]:
    """Return key -> command."""
    keys: dict[str, str] = {}
    for dialog in dialogs:
        for name, command in dialog.file.always.items():
            if command.key and name in commands:
                keys.setdefault(command.key, name)
    agent = any(d.file.always["agent"].goto for d in dialogs if "agent" in d.file.always)
    for name, key in COMMAND_KEYS.items():
        if name in commands and name not in keys.values() and (name != "agent" or agent):
            keys.setdefault(key, name)
    return keys


def closed_phrases(dialog: Dialog, name: str, language: str) -> dict[str, tuple[str, ...]]:
    """Return the phrases of a slot's values in `language`; {} for a slot whose answers cannot be listed."""
    slot = dialog.file.slots[name]
    if slot.type == "choice":
        own = {value: c.hear or (value.replace("_", " "),) for value, c in slot.choices.items()}
        listed = {**dialog.lists.get(name, {}), **own}
        return {value: dialog.phrases_in(language, phrases) for value, phrases in listed.items()}
    return {value: tuple(phrases) for value, phrases in phrases_by_value(slot, lexicon_of(language)).items()}


@lru_cache(maxsize=4096)
def grammar_of(dialogs: Dialogs, step_name: str, language: str, asked: tuple[str, ...] = ()) -> Grammar:
    """Return the grammar of a step where `asked` are the slots that are still open, the first in focus."""
    dialog = dialogs[0]
    step = dialog.steps[step_name]
    asked = asked or step.fill[:1]
    focus, *rest = asked or ("",)
    slot = dialog.file.slots.get(focus)
    optional = step.optional or any(dialog.file.slots[name].optional for name in asked)
    commands = commands_of(dialogs, language, optional=optional)
    if "skip" in commands and slot is not None and not slot.closed:
        commands["skip"] = (*commands["skip"], *lexicon_of(language).lacking)
    keys = command_keys(dialogs, commands)
    if slot is not None and slot.closed:
        own = Grammar(slot, language, phrases=closed_phrases(dialog, focus, language)).keys
        keys = {key: meaning for key, meaning in keys.items() if key not in own}
    keys.update({choice.key: name for name, choice in step.choices.items() if choice.key})
    return Grammar(
        slot,
        language,
        commands=commands,
        keys=keys,
        choices={
            name: dialog.phrases_in(language, c.hear or (name.replace("_", " "),))
            for name, c in step.choices.items()
        },
        phrases=closed_phrases(dialog, focus, language) if slot is not None else None,
        others={name: (dialog.file.slots[name], closed_phrases(dialog, name, language)) for name in rest},
        name=focus,
        examples=_examples(dialog, step_name, focus, language),
        vectors=dialog.vectors,
    )


def _examples(dialog: Dialog, step_name: str, focus: str, language: str) -> dict[str, tuple[str, ...]]:
    slot = dialog.file.slots.get(focus)
    own = dialog.steps[step_name].choices.items()
    choices = (*own, *(slot.choices.items() if slot is not None else ()))
    return {name: dialog.phrases_in(language, c.examples) for name, c in choices if c.examples}


@lru_cache(maxsize=512)
def yes_or_no(dialogs: Dialogs, language: str) -> Grammar:
    """Return the grammar of "Is that right?"."""
    commands = commands_of(dialogs, language)
    keys = {key: name for key, name in command_keys(dialogs, commands).items() if key not in "12"}
    return Grammar("yes_no", language, commands=commands, keys=keys)


@lru_cache(maxsize=512)
def part_grammar(dialogs: Dialogs, kind: str, language: str, name: str) -> Grammar:
    """Return the grammar of "At what time?" or "On which day?" (kind `time` or `date`), or of any `text`."""
    commands = commands_of(dialogs, language)
    return Grammar(kind, language, commands=commands, keys=command_keys(dialogs, commands), name=name)


@lru_cache(maxsize=8192)
def listen(
    dialog: Dialog,
    step_name: str,
    grammar: Grammar,
    prompt: str,
    answered: tuple[Dialog, tuple[str, ...], str] | None = None,
) -> Listen:
    """Return how to listen in a step with `grammar` (its own, or that of a confirmation).

    `prompt` is what was asked. `answered`: what may be corrected - the dialog, slots and language of the last
    answer.
    """
    file = dialog.file
    step = file.steps[step_name]
    kinds = [slot.type for slot in (grammar.slot, *(other for other, _ in grammar.others.values())) if slot]
    pause = step.pause if step.pause is not None else file.pause
    if pause is None:
        pause = max((PAUSE_MS.get(kind, SHORT_PAUSE_MS) for kind in kinds), default=SHORT_PAUSE_MS)
    return Listen(
        step=step_name,
        expect=grammar.expectation(prompt)
        if answered is None
        else with_corrections(grammar, *answered, prompt),
        dtmf=grammar.dtmf(step.terminator, step.interdigit),
        noinput_ms=step.timeout if step.timeout is not None else file.timeout,
        pause_ms=pause,
        longest_ms=step.longest if step.longest is not None else LONGEST_MS,
        sensitive=is_sensitive(dialog, step_name),
    )


CUES = 4
"""Ways to begin a correction that a recogniser is told, of all that are understood."""


def with_corrections(
    grammar: Grammar, dialog: Dialog, answered: tuple[str, ...], language: str, prompt: str
) -> Expectation:
    """Return what a grammar expects, and after it a correction of the slots that were just answered."""
    return replace(_with_corrections(grammar, dialog, answered, language), prompt=prompt)


@lru_cache(maxsize=4096)
def _with_corrections(
    grammar: Grammar, dialog: Dialog, answered: tuple[str, ...], language: str
) -> Expectation:
    expect = grammar.expectation()
    slots = {name: dialog.file.slots[name] for name in answered if not dialog.file.slots[name].open}
    if expect.open or not slots:
        return expect
    said = [phrases[0] for name in slots for phrases in closed_phrases(dialog, name, language).values()]
    words = [word for slot in slots.values() for word in words_of(slot.type, language)]
    return replace(
        expect,
        phrases=tuple(
            dict.fromkeys((*expect.phrases, *map(plain, said), *lexicon_of(language).corrects[:CUES]))
        ),
        words=tuple(dict.fromkeys((*expect.words, *words))),
    )


@lru_cache(maxsize=8192)
def is_sensitive(dialog: Dialog, step_name: str) -> bool:
    """Whether nothing of the answer may be kept."""
    step = dialog.steps[step_name]
    learnt = (*step.fill, *(step.llm.slots if step.llm else ()))
    return step.sensitive or not sensitive_names(dialog).isdisjoint(learnt)


def hint(dialog: Dialog, step_name: str, language: str, asked: str | None = None) -> str:
    """Say what can be answered in a step, for its slot or for `asked`; "" where anything can."""
    texts = lexicon_of(language).texts
    step = dialog.steps[step_name]
    name = asked or (step.fill[0] if step.fill else "")
    slot = dialog.file.slots.get(name)
    sentences = []
    options = [(_said(dialog, language, c.hear, n), c.key) for n, c in step.choices.items()]
    if slot is not None and slot.type == "choice":
        options = [(_said(dialog, language, c.hear, n), c.key) for n, c in slot.choices.items()] + options
    elif slot is not None and slot.type in texts:
        sentences.append(_slot_hint(slot, texts[slot.type]))
    if options and any(key for _, key in options):
        sentences += [
            texts["choice_key"][0].format(phrase=phrase, key=key) if key else _listing([phrase], texts)
            for phrase, key in options
        ]
    elif options:
        sentences.append(_listing([phrase for phrase, _ in options], texts))
    return " ".join(sentences)


def _said(dialog: Dialog, language: str, hear: tuple[str, ...], name: str) -> str:
    return dialog.phrases_in(language, hear[:1] or (name.replace("_", " "),))[0]


def _slot_hint(slot: Slot, texts: tuple[str, ...]) -> str:
    low, high = slot.digits_range
    return texts[-1].format(length=low) if slot.type != "digits" or low == high else texts[0]


def _listing(phrases: list[str], texts: Mapping[str, tuple[str, ...]]) -> str:
    if len(phrases) < 2:
        joined = "".join(phrases)
    else:
        joined = f"{', '.join(phrases[:-1])} {texts['or'][0]} {phrases[-1]}"
    return texts["choices"][0].format(choices=joined)
