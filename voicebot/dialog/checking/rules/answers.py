"""Keys and phrases that cannot be told apart."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import Tokens, tokens_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.model.step import Step

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


_KEYED = frozenset(("digits", "number", "money", "phone", "date", "time", "datetime"))
"""Types whose values are keyed as digits."""


def answers(context: Context) -> Iterator[Finding]:
    yield from _commands(context)
    for name, slot in context.file.slots.items():
        yield from _slot(context, name, slot)
    for name, step in context.file.steps.items():
        if step.choices:
            yield from _step(context, name, step)


def own_phrases(context: Context) -> dict[Tokens, str]:
    """Return what the author's own commands are called by."""
    lexicon = lexicon_of(context.file.language)
    return {
        tokens_of(phrase, lexicon): name
        for name, command in context.file.always.items()
        if not command.off
        for phrase in command.hear
    }


def _commands(context: Context) -> Iterator[Finding]:
    """Phrases that two commands share."""
    lexicon = lexicon_of(context.file.language)
    first: dict[Tokens, str] = {}
    for name, command in context.file.always.items():
        for at, phrase in enumerate(() if command.off else command.hear):
            path: Path = ("always", name, "hear", at)
            yield from _phrase(path, phrase, name, tokens_of(phrase, lexicon), first)


def _phrase(
    path: Path, phrase: str, meaning: str, tokens: Tokens, first: dict[Tokens, str]
) -> Iterator[Finding]:
    if not tokens:
        yield Finding(path, f"`{phrase}` cannot be said", "write words", "phrase")
    elif first.setdefault(tokens, meaning) != meaning:
        what = f"`{phrase}` means `{first[tokens]}` as well"
        yield Finding(path, what, "let callers tell them apart", "phrase")


def _slot(context: Context, name: str, slot: Slot) -> Iterator[Finding]:
    """The values of one slot among each other."""
    lexicon = lexicon_of(context.file.language)
    keys: dict[str, str] = {}
    first: dict[Tokens, str] = {}
    for meaning, choice in slot.choices.items():
        path: Path = ("slots", name, "choices", meaning)
        if choice.key and keys.setdefault(choice.key, meaning) != meaning:
            what = f"key {choice.key} means `{keys[choice.key]}` as well"
            yield Finding((*path, "key"), what, "choose another key", "key")
        for at, phrase in enumerate(choice.hear or (meaning.replace("_", " "),)):
            place = (*path, "hear", at) if choice.hear else path
            yield from _phrase(place, phrase, meaning, tokens_of(phrase, lexicon), first)


def _taken(context: Context, slot: Slot | None) -> tuple[dict[str, str], dict[Tokens, str]]:
    """The keys and phrases that the values of a step's slot have."""
    if slot is None:
        return {}, {}
    lexicon = lexicon_of(context.file.language)
    keys: dict[str, str] = {}
    if slot.type == "yes_no":
        keys = {"1": "yes", "2": "no"}
    elif slot.type == "weekday":
        keys = {str(number): day for number, day in enumerate(_DAYS, 1)}
    keys.update({choice.key: meaning for meaning, choice in slot.choices.items() if choice.key})
    phrases = {
        tokens_of(phrase, lexicon): meaning
        for meaning, choice in slot.choices.items()
        for phrase in (choice.hear or (meaning.replace("_", " "),))
    }
    return keys, phrases


def _step(context: Context, name: str, step: Step) -> Iterator[Finding]:
    path: Path = ("steps", name, "choices")
    lexicon = lexicon_of(context.file.language)
    slot = context.file.slots.get(step.fill[0] if step.fill else "")
    keys, phrases = _taken(context, slot)
    commands = own_phrases(context)
    command_keys = {c.key: name for name, c in context.file.always.items() if c.key and not c.off}
    for meaning, choice in step.choices.items():
        if choice.key and keys.setdefault(choice.key, meaning) != meaning:
            what = f"key {choice.key} means `{keys[choice.key]}` as well"
            yield Finding((*path, meaning, "key"), what, "choose another key", "key")
        elif choice.key in command_keys and command_keys[choice.key] != meaning:
            what = f"key {choice.key} means the command `{command_keys[choice.key]}` everywhere else"
            yield Finding((*path, meaning, "key"), what, "choose another key", "key", warning=True)
        if choice.key and choice.key.isdigit() and slot is not None and slot.type in _KEYED:
            what = f"key {choice.key} cannot be told from a digit of `{step.fill[0]}`"
            yield Finding((*path, meaning, "key"), what, "use * for it", "key")
        for at, phrase in enumerate(choice.hear or (meaning.replace("_", " "),)):
            place = (*path, meaning, "hear", at) if choice.hear else (*path, meaning)
            tokens = tokens_of(phrase, lexicon)
            yield from _phrase(place, phrase, meaning, tokens, phrases)
            if choice.hear and commands.get(tokens, meaning) != meaning:
                what = f"`{phrase}` means the command `{commands[tokens]}` everywhere else"
                yield Finding(place, what, "let callers tell them apart", "phrase", warning=True)
