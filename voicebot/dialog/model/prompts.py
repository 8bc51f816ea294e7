"""Where in a dialog file prompts stand."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.model.dialog import DialogFile, Say, Step

Path = tuple[str | int, ...]

STEP_SAYS = ("say", "ask", "help", "noinput", "nomatch", "invalid")
SLOT_SAYS = ("ask", "help", "noinput", "nomatch", "invalid")
FILLERS = ("fetch", "hook", "llm")
"""Keys of a step whose work may have words for a caller who waits."""


def says(file: DialogFile) -> Iterator[tuple[Path, Say]]:
    """Yield every prompt that an author wrote, piece by piece."""
    for path, say in _whole(file):
        if say.all:
            for at, piece in enumerate(say.all):
                yield (*path, "all", at), piece
        else:
            yield path, say


def _whole(file: DialogFile) -> Iterator[tuple[Path, Say]]:
    for name, slot in file.slots.items():
        for key in SLOT_SAYS:
            yield from _numbered(("slots", name, key), getattr(slot, key))
    for name, command in file.always.items():
        yield from _numbered(("always", name, "say"), command.say)
    for name, step in file.steps.items():
        yield from says_of(name, step)


def says_of(name: str, step: Step) -> Iterator[tuple[Path, Say]]:
    """Yield the prompts of a step."""
    for key in STEP_SAYS:
        yield from _numbered(("steps", name, key), getattr(step, key))
    for key in FILLERS:
        if (work := getattr(step, key)) is not None:
            yield from _numbered(("steps", name, key, "filler"), work.filler)


def _numbered(path: Path, variants: tuple[Say, ...]) -> Iterator[tuple[Path, Say]]:
    for at, say in enumerate(variants):
        yield (*path, at), say


def wav_files(file: DialogFile) -> list[str]:
    """Return the wav files that a dialog plays, as it names them."""
    return list(dict.fromkeys(say.wav for _, say in says(file) if say.wav))
