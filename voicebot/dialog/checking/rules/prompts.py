"""Prompts as callers hear them: how long they take, how much they offer, whether they can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import referred
from voicebot.dialog.model.dialog import Say
from voicebot.dialog.model.prompts import SLOT_SAYS, STEP_SAYS
from voicebot.dialog.model.step import Step

LONG_S = 20
"""Seconds of speech from which on callers stop listening."""
FAR_TOO_LONG_S = 40
LONG_UNINTERRUPTED_S = 10
"""Seconds of speech that callers sit through where they cannot interrupt."""
MOST_OPTIONS = 5
"""Options that callers can keep in mind."""

_CHARACTERS_A_SECOND = {"ko": 6.0, "ja": 7.0, "zh": 4.5}
"""Of unhurried speech: syllables or kana; other languages are written with letters."""
_LETTERS_A_SECOND = 15.0
_SECONDS_OF = {
    "yes_no": 0.4, "choice": 0.8, "weekday": 0.6, "digits": 3.0, "number": 0.8, "money": 1.8, "date": 1.6,
    "time": 1.0, "datetime": 2.4, "phone": 4.0, "email": 4.0, "spelled": 3.0, "name": 0.9, "text": 1.5,
}  # fmt: skip
"""Seconds that a value of a type takes."""


def seconds_of(text: str, language: str, context: Context) -> float:
    """Return about how long a text takes."""
    total = 0.0
    values = referred(text)
    for reference in values:
        total += _SECONDS_OF.get(context.types.get(reference.name, "text"), 1.5)
    if values:
        text = "".join(part.partition("}")[2] if "}" in part else part for part in text.split("{"))
    rate = _CHARACTERS_A_SECOND.get(language.replace("_", "-").split("-")[0].lower(), _LETTERS_A_SECOND)
    letters = len(text) if rate == _LETTERS_A_SECOND else len("".join(text.split()))
    return total + letters / rate


def prompts(context: Context) -> Iterator[Finding]:
    for name, step in context.file.steps.items():
        yield from _lengths(context, name, step)
        yield from _torn(name, step)
        yield from _options(context, name, step)
        yield from _uninterrupted(context, name, step)
    for name, slot in context.file.slots.items():
        for key in SLOT_SAYS:
            for at, say in enumerate(getattr(slot, key)):
                yield from _length(("slots", name, key, at), _seconds(context, say))
    for name, command in context.file.always.items():
        for at, say in enumerate(command.say):
            yield from _length(("always", name, "say", at), _seconds(context, say))


def _torn(name: str, step: Step) -> Iterator[Finding]:
    """Variants that a comma has made of one: `[Fine, see you then., Great.]`."""
    for key in STEP_SAYS:
        variants = getattr(step, key)
        for at in range(len(variants) - 1):
            one, other = variants[at].text, variants[at + 1].text
            if one and other and one[-1].isalnum() and other[0].islower():
                yield Finding(
                    ("steps", name, key, at + 1),
                    f"`{other[:40]}` looks like the end of the variant before it",
                    "within [ ] a comma ends a text: put a text with a comma into quotes",
                    "comma",
                    warning=True,
                )


def _seconds(context: Context, say: Say) -> float:
    """The time of a prompt in the language in which it takes longest."""
    total = 0.0
    for piece in say.pieces:
        times = [seconds_of(piece.text, context.file.language, context)]
        for language, table in context.dialog.tables.items():
            if isinstance(text := table.get(piece.text), str):
                times.append(seconds_of(text, language, context))
        total += max(times) + piece.silence / 1000
    return total


def _longest(context: Context, variants: tuple[Say, ...]) -> tuple[float, int]:
    times = [(_seconds(context, say), at) for at, say in enumerate(variants)]
    return max(times, default=(0.0, 0))


def _lengths(context: Context, name: str, step: Step) -> Iterator[Finding]:
    said, at = _longest(context, step.say)
    asked, asked_at = _longest(context, step.ask)
    if said + asked > LONG_S:
        path: Path = ("steps", name, "say", at) if said > asked else ("steps", name, "ask", asked_at)
        yield from _length(path, said + asked)
    for key in STEP_SAYS[2:]:
        for number, say in enumerate(getattr(step, key)):
            yield from _length(("steps", name, key, number), _seconds(context, say))


def _length(path: Path, seconds: float) -> Iterator[Finding]:
    if seconds > FAR_TOO_LONG_S:
        what = f"takes about {seconds:.0f} s to say, far too long to listen to"
        yield Finding(path, what, "say what callers need now, and the rest when they ask", "long", True)
    elif seconds > LONG_S:
        what = f"takes about {seconds:.0f} s to say"
        yield Finding(path, what, f"shorten it to {LONG_S} s, or ask something in between", "long", True)


def _options(context: Context, name: str, step: Step) -> Iterator[Finding]:
    """Count what is offered: what has a key, or is named by the question."""
    if not step.ask:
        return
    words = " ".join(piece.text.lower() for say in (*step.say, *step.ask) for piece in say.pieces)
    choices = dict(step.choices.items())
    offered = {
        meaning for meaning, choice in choices.items() if choice.key or _named(meaning, choice.hear, words)
    }
    for slot_name in step.fill[:1]:
        if (slot := context.file.slots.get(slot_name)) is not None:
            offered |= {m for m, c in slot.choices.items() if c.key or _named(m, c.hear, words)}
    if len(offered) > MOST_OPTIONS:
        what = f"offers {len(offered)} options; callers remember {MOST_OPTIONS} at the most"
        yield Finding(("steps", name, "ask"), what, "ask in two questions, or ask openly", "menu", True, True)


def _named(meaning: str, hear: tuple[str, ...], words: str) -> bool:
    return any(phrase.lower() in words for phrase in hear or (meaning.replace("_", " "),))


def _uninterrupted(context: Context, name: str, step: Step) -> Iterator[Finding]:
    """Prompts that must be heard to their end."""
    file = context.file
    for key in ("say", "ask"):
        for at, say in enumerate(getattr(step, key)):
            rules = (say.bargein, step.bargein, file.bargein)
            if next(rule for rule in rules if rule is not None):
                continue
            path: Path = ("steps", name, key, at)
            seconds = _seconds(context, say)
            if key == "ask":
                what = "the question cannot be interrupted: who answers early is not heard"
                yield Finding(path, what, "take `bargein: false` away here", "bargein", warning=True)
            elif seconds > LONG_UNINTERRUPTED_S:
                what = f"takes about {seconds:.0f} s and cannot be interrupted"
                yield Finding(path, what, "shorten it, or let callers interrupt", "bargein", warning=True)
