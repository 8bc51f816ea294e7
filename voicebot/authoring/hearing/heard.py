"""The phrases of a dialog that callers may say, each with the place where its author wrote it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from voicebot.dialog.checking.finding import Path
from voicebot.dialog.model.dialog import Dialog

KNOWN = frozenset(("yes", "no"))
"""Choices that bring phrases of the language along, and need none of their own."""


class Heard(NamedTuple):
    """A phrase that is understood somewhere.

    path:    where an author wrote it; None: it is one of the language
    at_key:  it is the key there, a choice that is said by its name
    table:   the language whose translations hold it, where `path` is one of theirs; else ""
    """

    meaning: str
    phrase: str
    path: Path | None = None
    at_key: bool = False
    table: str = ""


def written(
    dialog: Dialog, language: str, meaning: str, hear: tuple[str, ...], path: Path
) -> Iterator[Heard]:
    """Yield the phrases `hear` of what stands at `path`, as they are in `language`."""
    if language == dialog.language:
        yield from (Heard(meaning, phrase, (*path, "hear", at)) for at, phrase in enumerate(hear))
        return
    table = dialog.tables.get(language, {})
    for phrase in hear:
        there = table.get(phrase)
        for translated in (there,) if isinstance(there, str) else there or ():
            yield Heard(meaning, translated, (phrase,), table=language)


def choice(dialog: Dialog, language: str, meaning: str, hear: tuple[str, ...], path: Path) -> Iterator[Heard]:
    """Yield what is said for the choice at `path`: its phrases, or its name."""
    if hear or meaning in KNOWN:
        yield from written(dialog, language, meaning, hear, path)
        return
    for heard in written(dialog, language, meaning, (meaning.replace("_", " "),), path):
        yield heard if heard.table else heard._replace(path=path, at_key=True)


def values_of(dialog: Dialog, language: str, name: str) -> Iterator[Heard]:
    """Yield what is said for the values of slot `name`, those of a file of choices as well."""
    for value, own in dialog.file.slots[name].choices.items():
        yield from choice(dialog, language, value, own.hear, ("slots", name, "choices", value))
    for value, phrases in dialog.lists.get(name, {}).items():
        for phrase in phrases or (value.replace("_", " "),):
            yield Heard(value, phrase, ("slots", name, "choices_from"))


def choices_of(dialog: Dialog, language: str, name: str) -> Iterator[Heard]:
    """Yield what is said for the choices of step `name`."""
    for meaning, own in dialog.file.steps[name].choices.items():
        yield from choice(dialog, language, meaning, own.hear, ("steps", name, "choices", meaning))


def commands_of(dialog: Dialog, language: str) -> Iterator[Heard]:
    """Yield what an author lets callers say everywhere."""
    for name, command in dialog.file.always.items():
        if not command.off:
            yield from written(dialog, language, name, command.hear, ("always", name))


def everything(dialog: Dialog, language: str) -> Iterator[Heard]:
    """Yield all that an author lets callers say."""
    yield from commands_of(dialog, language)
    for name in dialog.file.slots:
        yield from values_of(dialog, language, name)
    for name in dialog.file.steps:
        yield from choices_of(dialog, language, name)
