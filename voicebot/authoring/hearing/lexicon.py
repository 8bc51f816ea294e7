"""Which words of a dialog can its recogniser never hear? Those that its model's lexicon lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from voicebot.authoring.hearing.heard import Heard, everything
from voicebot.config import Config
from voicebot.dialog.checking.finding import Finding
from voicebot.dialog.language.text import plain
from voicebot.dialog.model.dialog import Dialog
from voicebot.engines.lexicons import WITH_LEXICON, lacking

Lacking = Callable[[Collection[str]], tuple[str, ...]]
"""Words -> those of them that a recogniser can never hear."""

Rule = Callable[[Dialog], list[Finding]]

REMEDY = "use other words, or another recogniser"


def missing_words(dialog: Dialog, lacks: Lacking, language: str = "") -> dict[str, list[Heard]]:
    """Return each word that is lacking, with the phrases that have it, in the order of the file.

    `language` is one of the dialog's, by default its own: a recogniser hears one.
    """
    places: dict[str, list[Heard]] = {}
    for heard in everything(dialog, language or dialog.language):
        for word in dict.fromkeys(plain(heard.phrase).split()):
            places.setdefault(word, []).append(heard)
    return {word: places[word] for word in lacks(tuple(places))}


def word_findings(dialog: Dialog, lacks: Lacking, recogniser: str, language: str = "") -> list[Finding]:
    """Return a warning for each word that is lacking, at the first phrase that has it."""
    findings = []
    for word, phrases in missing_words(dialog, lacks, language).items():
        first = phrases[0]
        more = f", and {len(phrases) - 1} more" if len(phrases) > 1 else ""
        what = f'{recogniser} never hears `{word}` ("{first.phrase}"{more})'
        findings.append(Finding(first.path or (), what, REMEDY, "sound", True, first.at_key, first.table))
    return findings


def word_rule(engine: str, model: str = "", language: str = "") -> Rule | None:
    """Return the check for a recogniser by the name of its engine; None for one that can write any word.

    `model` is the model's folder, "" for the one that comes with the engine. Nothing is loaded: its list of
    words is read, a tenth of a second for half a million. The check raises UserError without such a model.
    """
    if engine not in WITH_LEXICON:
        return None
    return lambda dialog: word_findings(dialog, lambda words: lacking(engine, model, words), engine, language)


def word_rules(config: Config, dialog: Path) -> list[Rule]:
    """Return the checks for the recognisers of all routes of `config` that lead to the file `dialog`."""
    wanted: dict[tuple[str, str, str], None] = {}
    for route in config.routes:
        stt = config.stt.get(route.stt)
        if stt is not None and config.resolve(route.dialog).resolve() == dialog.resolve():
            model = str((config.models / stt.model).resolve()) if stt.model else ""
            wanted[stt.engine, model, route.language] = None
    return [rule for each in wanted if (rule := word_rule(*each)) is not None]
