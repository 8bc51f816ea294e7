"""Words of a transcript made comparable: case, punctuation, contractions, fillers."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.speech.spellout import ORDINAL, spell

Tokens = tuple[str, ...]

_LONGEST_CHARACTERS = 2000
"""Of a transcript; what is longer is cut, no answer is that long."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?")
_SPELT_MERIDIEM = re.compile(r"\b([ap]) m\b")
_NUMBER_UNIT = re.compile(r"(?<=\d)(?=[ap]m\b)")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SMALL = re.compile(r"\d{1,2}")
_TOKEN = re.compile(r"\d+(?:[.:]\d+)+|[^\W_]+(?:'[^\W_]+)*")


def tokens_of(text: str, lexicon: Lexicon) -> Tokens:
    """Split `text` into lower case words without punctuation, short forms written out ("I'm" -> i, am)."""
    text = unicodedata.normalize("NFKC", text[:_LONGEST_CHARACTERS]).lower()
    text = text.replace("\u2019", "'").replace("\u2018", "'")
    text = _NUMBER_UNIT.sub(" ", _MERIDIEM.sub(r"\1m", _THOUSANDS.sub("", text)))
    text = _SPELT_MERIDIEM.sub(r"\1m", text)
    tokens: list[str] = []
    for token in _TOKEN.findall(text):
        expanded = lexicon.contractions.get(token)
        if expanded is None and token.endswith("'ll"):
            expanded = f"{token[:-3]} will"
        elif expanded is None and token.endswith("'ve"):
            expanded = f"{token[:-3]} have"
        elif expanded is None and token.endswith("'re"):
            expanded = f"{token[:-3]} are"
        elif expanded is None and token.endswith("'d"):
            expanded = f"{token[:-2]} would"
        tokens.extend((expanded or token.replace("'", "")).split())
    return tuple(tokens)


def worded(tokens: Tokens, lexicon: Lexicon) -> Tokens:
    """Write small numbers, ordinals and times of day as words, as phrases have them: 23rd, 10:30, 9."""
    if lexicon.language != "en" or not any(token[0].isdigit() for token in tokens):
        return tokens
    words: list[str] = []
    for token in tokens:
        if found := _CLOCK.fullmatch(token):
            words += spell(int(found[1])).split()
            if found[2] != "00":
                words += f"{'oh ' if found[2][0] == '0' else ''}{spell(int(found[2]))}".split()
        elif found := _ORDINAL.fullmatch(token):
            words += spell(int(found[1]), rules=ORDINAL).split()
        elif _SMALL.fullmatch(token):
            words += f"{'oh ' if len(token) > 1 and token[0] == '0' else ''}{spell(int(token))}".split()
        else:
            words.append(token)
    return tuple(words)


def plain(phrase: str) -> str:
    """Return a phrase for a recogniser's grammar: lower case, without punctuation, apostrophes kept."""
    text = unicodedata.normalize("NFKC", phrase).lower().replace("\u2019", "'")
    return " ".join(_TOKEN.findall(text))


@lru_cache(maxsize=8)
def _filler_tokens(language: str, fillers: Tokens) -> tuple[Tokens, ...]:
    return tuple(sorted((tuple(filler.split()) for filler in fillers), key=len, reverse=True))


def without_fillers(tokens: Tokens, lexicon: Lexicon) -> Tokens:
    """Drop words that carry no meaning ("um", "please"); what consists only of them is returned as it is."""
    fillers = _filler_tokens(lexicon.language, lexicon.fillers)
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        filler = next((f for f in fillers if tokens[at : at + len(f)] == f), None)
        if filler:
            at += len(filler)
        else:
            kept.append(tokens[at])
            at += 1
    return tuple(kept) or tokens


def is_content(token: str, lexicon: Lexicon) -> bool:
    """Whether a word says something of its own, so that leaving it unused casts doubt on a match."""
    return token not in lexicon.stopwords and token not in lexicon.fillers
