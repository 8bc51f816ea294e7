"""The languages that the bot knows; a further one is a `Lexicon` added here."""

from __future__ import annotations

from voicebot.dialog.language.english import ENGLISH
from voicebot.dialog.language.korean import KOREAN
from voicebot.dialog.language.lexicon import Lexicon

LEXICONS: dict[str, Lexicon] = {lexicon.language: lexicon for lexicon in (ENGLISH, KOREAN)}


def lexicon_of(language: str) -> Lexicon:
    """Return the lexicon for a tag such as `en-US`; English where we do not know the language."""
    return LEXICONS.get(language.replace("_", "-").split("-")[0].lower(), ENGLISH)


def known(language: str) -> bool:
    return language.replace("_", "-").split("-")[0].lower() in LEXICONS
