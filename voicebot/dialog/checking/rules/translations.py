"""What a dialog says and hears must be there in each of its languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from voicebot.dialog.checking.context import Context
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.checking.places import WAV_NAME, phrases, referred
from voicebot.dialog.checking.suggest import near, near_or_all
from voicebot.dialog.model.prompts import says
from voicebot.dialog.speaking.templates import TemplateError, parse_template, references

MOST_TOLD = 20
"""Texts of one language that are told one by one."""

Table = Mapping[str, str | tuple[str, ...]]


def translations(context: Context) -> Iterator[Finding]:
    file = context.file
    for language in file.translations:
        if language not in file.languages:
            what = f"`{language}` is not one of `languages`"
            remedy = near_or_all(language, file.languages) or f"write `languages: [{language}]`"
            yield Finding(("translations", language), what, remedy, "language", at_key=True)
    for at, language in enumerate(file.languages):
        if language not in file.translations and _texts(context):
            what = f"there are no translations for `{language}`"
            remedy = f"write `translations: {{{language}: {file.dialog}.{language}.yaml}}`"
            yield Finding(("languages", at), what, remedy, "translation", warning=True)
        elif language in context.dialog.tables:
            table = context.dialog.tables[language]
            yield from _missing(context, language, table)
            yield from _form(context, language, table)


def _texts(context: Context) -> dict[str, Path]:
    """What must be translated, with the place where it stands first."""
    found: dict[str, Path] = {}
    for path, say in says(context.file):
        if say.wav:
            found.setdefault(say.wav, (*path, "wav"))
        elif not say.language and any(c.isalpha() for part in _words(say.text) for c in part):
            found.setdefault(say.text, path)
    for path, phrase in phrases(context.file):
        found.setdefault(phrase, path)
    return found


def _words(text: str) -> list[str]:
    try:
        return [part for part in parse_template(text) if isinstance(part, str)]
    except TemplateError:
        return []


def _missing(context: Context, language: str, table: Table) -> Iterator[Finding]:
    missing = [(text, path) for text, path in _texts(context).items() if text not in table]
    possible = _all_texts(context)
    unused = [text for text in table if text not in possible]
    for text, path in missing[:MOST_TOLD]:
        remedy = "add it to the translations"
        if (meant := near(text, unused)) and len(text) > 8:
            remedy = f"{meant.removesuffix('?')}, as the translations have it?"
        what = f"`{_short(text)}` is not translated to {language}"
        yield Finding(path, what, remedy, "translation", warning=True)
    if len(missing) > MOST_TOLD:
        what = f"{len(missing) - MOST_TOLD} more texts are not translated to {language}"
        yield Finding(("translations", language), what, "add them", "translation", True, at_key=True)
    for text in unused[:MOST_TOLD]:
        what = f"`{_short(text)}` is nothing that the dialog says or hears"
        remedy = near(text, [text for text, _ in missing]) or "take it away"
        yield Finding((text,), what, remedy, "translation", warning=True, at_key=True, table=language)


def _all_texts(context: Context) -> set[str]:
    """All that may be translated: also what need not be."""
    found = set(_texts(context))
    for _, say in says(context.file):
        found |= {say.text, say.wav}
    for slot in context.file.slots.values():
        found |= set(slot.choices)
        found |= {meaning.replace("_", " ") for meaning in slot.choices}
    for step in context.file.steps.values():
        found |= {meaning.replace("_", " ") for meaning in step.choices} | set(step.choices)
    for values in context.dialog.lists.values():
        found |= set(values) | {phrase for phrases in values.values() for phrase in phrases}
    return found


def _form(context: Context, language: str, table: Table) -> Iterator[Finding]:
    """A translation says the same values, and a wav stays a wav."""
    for text, there in table.items():
        said = {reference.name for reference in referred(text)}
        for translated in (there,) if isinstance(there, str) else there:
            try:
                values = {reference.name for reference in references(translated)}
            except TemplateError as error:
                remedy = "write {name} or {name|filter}"
                yield Finding((text,), str(error), remedy, "template", table=language)
                continue
            for name in sorted(values):
                if not context.knows(name):
                    remedy = near_or_all(name, context.names())
                    yield Finding((text,), f"there is no value `{name}`", remedy, "value", table=language)
            if lacking := sorted(said - values):
                what = f"the translation does not say `{lacking[0]}`"
                remedy = f"write {{{lacking[0]}}} in it"
                yield Finding((text,), what, remedy, "translation", warning=True, table=language)
            if text.endswith(".wav") and not WAV_NAME.fullmatch(translated):
                what = f"`{_short(translated)}` is no name of a wav file"
                yield Finding((text,), what, "name a .wav file beside the dialog", "wav", table=language)


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
