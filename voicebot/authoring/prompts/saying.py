"""Every prompt of a dialog in the order of the file, said with given values or with made up ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from voicebot.dialog.loading.yamlfile import Path, YamlFile
from voicebot.dialog.model.dialog import Computed, Dialog, Need, Say, Slot, Step
from voicebot.dialog.model.prompts import FILLERS, SLOT_SAYS, STEP_SAYS
from voicebot.dialog.running.static_prompts import static_prompts
from voicebot.dialog.running.types import types_of
from voicebot.dialog.speaking.prompts import speak
from voicebot.dialog.speaking.templates import references
from voicebot.dialog.turns import Prompt, SpokenPause, SpokenText
from voicebot.dialog.understanding.values import value_of_given
from voicebot.errors import Problem, UserError
from voicebot.speech.prompts import speakable
from voicebot.speech.sentences import split_sentences

SAMPLES = {
    "yes_no": "yes",
    "weekday": "tuesday",
    "digits": "4271",
    "number": "3",
    "money": "84.50",
    "date": "2027-03-04",
    "time": "15:30",
    "datetime": "2027-03-04T15:30",
    "phone": "+12025550100",
    "email": "sara.miller@example.com",
    "spelled": "miller",
    "name": "Alex Morgan",
    "text": "something",
    "recording": "message.wav",
}
"""What is said for a value that nobody has given, by its type."""

SHORTEST_PIECE = 20
"""Characters of words that can be understood by themselves; a lone "Goodbye." hardly is."""


@dataclass(frozen=True, slots=True)
class PlacedPrompt:
    """What is said at one place of a dialog.

    step:     the step; the slot or command where it is theirs
    key:      `say`, `ask`, `help`, `noinput`, ...; `slots.new_time.help` for a slot's or a command's
    number:   which of the variants or attempts, from 1, `of` how many
    words:    what is said, in one text
    pieces:   the same as texts, wav files and silences
    sampled:  values that were made up for it
    path:     where it stands in the file
    """

    step: str
    key: str
    number: int
    of: int
    words: str
    pieces: tuple[Prompt, ...]
    language: str
    sampled: tuple[str, ...]
    path: Path

    @property
    def name(self) -> str:
        """A short name, such as `greet.say` or `move.nomatch.2`; good for a file, too."""
        place = f"{self.step}.{self.key}" if self.step else self.key
        return f"{place}.{self.number}" if self.of > 1 else place


def prompts_of(
    dialog: Dialog, given: Mapping[str, str] | None = None, language: str = ""
) -> tuple[PlacedPrompt, ...]:
    """Return every prompt of `dialog` in `language` ("": each in the language that its step switches to).

    `given` are values of needs, slots and computed values. Raises UserError for those of a wrong type, or
    that the dialog does not have.
    """
    values = {**_samples(dialog), **_given(dialog, given or {})}
    made_up = {name for name in values if name not in (given or {}) and not _has_default(dialog, name)}
    found = []
    for path, step, key, number, of, say in _places(dialog):
        spoken = language or _language_of(dialog, step)
        pieces = tuple(speak(dialog, say, values, spoken, types=types_of(dialog)))
        names = {ref.name for piece in say.pieces for ref in references(piece.text)}
        sampled = tuple(sorted(names & made_up | {name for name in names if name not in values}))
        if pieces:
            found.append(PlacedPrompt(step, key, number, of, _words(pieces), pieces, spoken, sampled, path))
    return tuple(found)


def own_prompts_of(dialog: Dialog, language: str = "") -> tuple[PlacedPrompt, ...]:
    """Return what the bot says by itself in `language`, as far as it is known before a call."""
    language = language or dialog.language
    written = {prompt.words for prompt in prompts_of(dialog, language=language)}
    own = [prompt for prompt in static_prompts(dialog, language=language) if prompt.text not in written]
    return tuple(
        PlacedPrompt("", "own", at + 1, len(own), prompt.text, (prompt,), language, (), ())
        for at, prompt in enumerate(own)
    )


def by_language(prompt: PlacedPrompt) -> list[PlacedPrompt]:
    """Return a prompt as one for each language that is spoken in it."""
    tongues = dict.fromkeys(piece.language for piece in prompt.pieces if isinstance(piece, SpokenText))
    if len(tongues) < 2:
        return [replace(prompt, language=next(iter(tongues), prompt.language))]
    found = []
    for tongue in tongues:
        pieces = tuple(p for p in prompt.pieces if isinstance(p, SpokenText) and p.language == tongue)
        found.append(replace(prompt, words=_words(pieces), pieces=pieces, language=tongue))
    return found


def in_pieces(prompt: PlacedPrompt) -> list[tuple[Prompt, ...]]:
    """Return a prompt cut at the ends of sentences, none of them shorter than a few words."""
    found: list[tuple[Prompt, ...]] = []
    for piece in prompt.pieces:
        if not isinstance(piece, SpokenText):
            found.append((piece,))
            continue
        gathered = ""
        for sentence in split_sentences(speakable(piece.text)):
            gathered = f"{gathered} {sentence.text}".strip()
            if len(gathered) >= SHORTEST_PIECE:
                found.append((replace(piece, text=gathered),))
                gathered = ""
        if gathered:
            found.append((replace(piece, text=gathered),))
    return found


def line_of(prompt: PlacedPrompt, yaml: YamlFile) -> tuple[int | None, int | None]:
    """Return line and column of a prompt; of what holds it, where it is written in short."""
    path = prompt.path
    while path:
        if place := yaml.position(path):
            return place
        path = path[:-1]
    return None, None


def _places(dialog: Dialog) -> Iterator[tuple[Path, str, str, int, int, Say]]:
    """Yield path, step, key, number, how many of them, and the prompt."""
    for name, step in dialog.steps.items():
        for key in STEP_SAYS:
            yield from _numbered(("steps", name, key), name, key, getattr(step, key))
        for work in FILLERS:
            if (doing := getattr(step, work)) is not None:
                yield from _numbered(("steps", name, work, "filler"), name, "filler", doing.filler)
    for name, slot in dialog.file.slots.items():
        for key in SLOT_SAYS:
            yield from _numbered(("slots", name, key), "", f"slots.{name}.{key}", getattr(slot, key))
    for name, command in dialog.file.always.items():
        yield from _numbered(("always", name, "say"), "", f"always.{name}.say", command.say)


def _numbered(
    path: Path, step: str, key: str, says: tuple[Say, ...]
) -> Iterator[tuple[Path, str, str, int, int, Say]]:
    for at, say in enumerate(says):
        yield (*path, at) if len(says) > 1 else path, step, key, at + 1, len(says), say


def _language_of(dialog: Dialog, name: str) -> str:
    step = dialog.steps.get(name)
    return (step.language if isinstance(step, Step) else None) or dialog.language


def _words(pieces: tuple[Prompt, ...]) -> str:
    return " ".join(piece.text for piece in pieces if not isinstance(piece, SpokenPause) and piece.text)


def _has_default(dialog: Dialog, name: str) -> bool:
    need = dialog.file.needs.get(name)
    return need is not None and need.default is not None


def _samples(dialog: Dialog) -> dict[str, object]:
    """Return a value for everything that a prompt may name."""
    file = dialog.file
    raw = {"call.number": SAMPLES["phone"], "call.called": SAMPLES["phone"], "call.id": "1"}
    values: dict[str, object] = dict(raw)
    for name, need in file.needs.items():
        values[name] = value_of_given(need.default or SAMPLES[need.type], need.type)
    for name, slot in file.slots.items():
        values[name] = _sample_of(dialog, name, slot)
    for name, computed in file.values.items():
        values[name] = value_of_given(SAMPLES[computed.type], computed.type)
    return values


def _sample_of(dialog: Dialog, name: str, slot: Slot) -> object:
    if slot.type == "choice":
        names = [*slot.choices, *dialog.lists.get(name, {})]
        return names[0] if names else ""
    if slot.type in ("digits", "spelled") and slot.length is not None:
        letters = "427190536812" if slot.type == "digits" else "millerstone"
        low, _ = slot.digits_range
        return (letters * (low // len(letters) + 1))[:low]
    if slot.type == "number" and slot.between is not None:
        return value_of_given(str(slot.between[0]), "number")
    kind = "text" if slot.type == "recording" else slot.type
    return value_of_given(SAMPLES[slot.type], kind)


def _given(dialog: Dialog, given: Mapping[str, str]) -> dict[str, object]:
    file = dialog.file
    specs: dict[str, Need | Slot | Computed] = {**file.needs, **file.slots, **file.values}
    kinds: dict[str, str] = {name: spec.type for name, spec in specs.items()}
    kinds |= {name: "text" for name, kind in kinds.items() if kind in ("choice", "recording")}
    values: dict[str, object] = {}
    problems = []
    for name, raw in given.items():
        if name not in kinds and not name.startswith("call."):
            known = ", ".join(kinds) or "nothing"
            problems.append(Problem(f"the dialog has no value `{name}`", f"it has {known}", dialog.source))
            continue
        kind = kinds.get(name, "text")
        value = value_of_given(raw, kind)
        if value is None:
            problems.append(Problem(f"`{raw}` given for `{name}` is no {kind}", "", dialog.source))
        values[name] = value
    if problems:
        raise UserError(problems)
    return values
