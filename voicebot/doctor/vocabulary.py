"""Can the recognisers hear what the dialogs wait for? A word outside of a lexicon is never understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from voicebot.config import Config, SttConfig
from voicebot.dialog.language.text import plain
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.model.dialog import Choice, Dialog
from voicebot.dialog.model.slots import SlotChoice
from voicebot.doctor.finding import Finding, Status, fault, ok, warning
from voicebot.doctor.setup import check_engine, used
from voicebot.engines.stt_pocketsphinx import PocketsphinxRecognizer
from voicebot.engines.stt_vosk import VoskRecognizer
from voicebot.errors import UserError
from voicebot.speech.stt import Recognizer

WITH_LEXICON: dict[str, Callable[[str], Recognizer]] = {
    "vosk": VoskRecognizer,
    "pocketsphinx": PocketsphinxRecognizer,
}
"""Engines that hear the words of a list only; the others can write any word."""
LARGEST_MODEL_MB = 500
"""Larger ones (on disk) are not loaded only to look up words: it takes longer than all other checks."""
MOST_TOLD = 10
"""Phrases that are told of one recogniser."""


def check_vocabulary(config: Config) -> list[Finding]:
    """Look every phrase of the routes' dialogs up in the lexicon of their recogniser.

    Loads the model in this process: below a second for a small one. What cannot be loaded or read is left to
    the checks of engines and dialogs.
    """
    findings = []
    for name in used("stt", config):
        section, engine = f"stt.{name}", config.stt[name]
        faulty = any(f.status is Status.FAULT for f in check_engine(section, engine, config))
        if engine.engine in WITH_LEXICON and not faulty:
            findings += _check_recogniser(section, engine, _dialogs(config, name), config.models)
    return findings


def _check_recogniser(section: str, engine: SttConfig, dialogs: list[Dialog], models: Path) -> list[Finding]:
    folder = models / engine.model if engine.model else None
    if folder is not None and (size := _megabytes(folder)) > LARGEST_MODEL_MB:
        return [ok(section, f"words not looked up: {engine.model} has {size} MB and loads for long")]
    try:
        recogniser = WITH_LEXICON[engine.engine](str(folder.resolve()) if folder else "")
    except UserError as error:
        return [fault(section, p.what, p.remedy or "see docs/engines.md") for p in error.problems]
    told = list(dict.fromkeys(what for dialog in dialogs for what in unheard(dialog, recogniser)))
    lines = [f"never hears {what}" for what in told[:MOST_TOLD]]
    if len(told) > MOST_TOLD:
        lines.append(f"{len(told) - MOST_TOLD} phrases more hold words that it never hears")
    remedy = "use other words, or another recogniser on the route"
    return [warning(section, line, remedy) for line in lines]


def unheard(dialog: Dialog, recogniser: Recognizer) -> Iterator[str]:
    """Yield each phrase of `dialog` with words that `recogniser` lacks, and where it stands."""
    for place, phrase in phrases_of(dialog):
        if lacking := recogniser.lacks((plain(phrase),)):
            words = ", ".join(f"`{word}`" for word in lacking)
            yield f'{words} in "{phrase}" ({Path(dialog.source).name}, {place})'


def phrases_of(dialog: Dialog) -> Iterator[tuple[str, str]]:
    """Yield what an author wrote for callers to say: place, phrase."""
    file = dialog.file
    for name, command in file.always.items():
        for phrase in command.hear:
            yield f"always {name}", phrase
    answers: list[tuple[str, Mapping[str, Choice | SlotChoice]]] = [
        *((f"slot {name}", slot.choices) for name, slot in file.slots.items()),
        *((f"step {name}", step.choices) for name, step in file.steps.items()),
    ]
    for place, choices in answers:
        for meaning, choice in choices.items():
            own = () if meaning in ("yes", "no") else (meaning.replace("_", " "),)  # those know theirs
            for phrase in choice.hear or own:
                yield place, phrase


def _dialogs(config: Config, stt: str) -> list[Dialog]:
    """Return the dialogs of the routes with this recogniser, without those that do not load."""
    loaded = []
    for path in dict.fromkeys(route.dialog for route in config.routes if route.stt == stt):
        try:
            loaded.append(load_dialog(config.resolve(path)))
        except UserError:
            continue  # told by check_routes
    return loaded


def _megabytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) // 1_000_000
