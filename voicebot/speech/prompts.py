"""Pure rules about the words of a prompt: what an engine can say, and what is said when no engine can."""

from __future__ import annotations

import re
import unicodedata

MAX_PROMPT_CHARS = 10_000
"""A prompt longer than this (about ten minutes) is a mistake; the rest is not spoken."""

_SPACES = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")
_FIRST_PICTOGRAPH = 0x2190
"""Symbols from here on are arrows, dingbats and emoji; those before it (° © ®) are spoken."""
_LINE_ENDS = frozenset("\n\r\u2028\u2029")
_MARKUP = frozenset("<>[]{}|\\")
_SILENT = frozenset({"Cf", "Co", "Cs", "Cn"})

APOLOGIES = {
    "de": "Entschuldigung, da ist bei mir etwas schiefgegangen. Einen Moment bitte.",
    "en": "I am sorry, something went wrong on my side. One moment please.",
    "es": "Lo siento, algo ha fallado por mi parte. Un momento, por favor.",
    "fr": "Je suis désolé, un problème est survenu de mon côté. Un instant, s'il vous plaît.",
    "ko": "죄송합니다. 잠시 문제가 생겼습니다. 조금만 기다려 주세요.",
}
"""What a caller hears when a prompt cannot be spoken, by primary language subtag (BCP 47)."""


def speakable(text: str) -> str:
    """Return `text` as every engine can take it: normalised, without control characters, emoji and markup.

    Line breaks stay (they end sentences), other white space becomes one space. Text that looks like SSML
    stays text: its brackets are blanked so that no engine obeys them. Returns "" if nothing is left to say.
    """
    kept = []
    for character in unicodedata.normalize("NFC", text[:MAX_PROMPT_CHARS]):
        category = unicodedata.category(character)
        if category in _SILENT or "\ufe00" <= character <= "\ufe0f":
            continue
        if character in _LINE_ENDS:
            kept.append("\n")
        elif character == "\t" or (category != "Cc" and not _is_picture(character, category)):
            kept.append(character)
        else:
            kept.append(" ")
    said = _LINES.sub("\n", _SPACES.sub(" ", "".join(kept))).strip()
    return said if any(character.isalnum() or character in "%€$£+=&@#°" for character in said) else ""


def _is_picture(character: str, category: str) -> bool:
    return character in _MARKUP or (category in ("So", "Sk") and ord(character) >= _FIRST_PICTOGRAPH)


def apology(language: str) -> str:
    """Return the apology in `language` (BCP 47), in English where there is none."""
    return APOLOGIES.get(language.split("-")[0].lower(), APOLOGIES["en"])
