"""Words of a transcript made comparable: case, punctuation, contractions, fillers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache, lru_cache

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.speech.spellout import ORDINAL, spell

Tokens = tuple[str, ...]

_LONGEST_CHARACTERS = 2000
"""Of a transcript; what is longer is cut, no answer is that long."""

_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_MERIDIEM = re.compile(r"\b([ap])\.\s?m\b\.?")
_SPELT_MERIDIEM = re.compile(r"(?<!\b[a-z] )\b([ap]) m\b")
_NUMBER_UNIT = re.compile(r"(?<=\d)(?=[ap]m\b)")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d\d)")
_ORDINAL = re.compile(r"(\d{1,2})(?:st|nd|rd|th)")
_SMALL = re.compile(r"\d{1,2}")
_TOKEN = re.compile(r"\d+(?:[.:]\d+)+|[^\W_]+(?:'[^\W_]+)*")

_SIMPLE = re.compile(r"(?:[A-Za-z\uac00-\ud7a3 ,.!?;]++|'(?![0-9])|[0-9]++(?=[ !?;]|[,.](?: |$)|$))*+")
"""Text of which words are what stands between spaces and punctuation, short forms apart."""
_LONGEST_SIMPLE = 500
"""Characters."""
_PUNCTUATION = str.maketrans(",.!?;", "     ")


@dataclass(frozen=True, eq=False, slots=True)
class _Words:
    """The words of a lexicon, to be found by a look-up.

    silent:   words that say nothing of their own
    fillers:  first word -> the fillers that begin with it, the longest first
    short:    what `tokens_of` may write otherwise, even without an apostrophe
    """

    silent: frozenset[str]
    fillers: dict[str, tuple[Tokens, ...]]
    short: frozenset[str]


@cache  # there are as many as languages
def _words_of(lexicon: Lexicon) -> _Words:
    fillers: dict[str, tuple[Tokens, ...]] = {}
    for filler in sorted((tuple(f.split()) for f in lexicon.fillers), key=len, reverse=True):
        fillers[filler[0]] = (*fillers.get(filler[0], ()), filler)
    silent = lexicon.stopwords | frozenset(lexicon.fillers)
    return _Words(silent, fillers, frozenset((*lexicon.contractions, "m")))


def is_simple(text: str) -> bool:
    """Whether `text` is words, whole numbers and punctuation between them: no sign that is said in words."""
    return len(text) <= _LONGEST_SIMPLE and _SIMPLE.fullmatch(text) is not None


@lru_cache(maxsize=4)  # all who read one answer cut it into words
def tokens_of(text: str, lexicon: Lexicon) -> Tokens:
    """Split `text` into lower case words without punctuation, short forms written out ("I'm" -> i, am)."""
    if is_simple(text) and (simple := _simple_tokens(text, lexicon)) is not None:
        return simple
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


def _simple_tokens(text: str, lexicon: Lexicon) -> Tokens | None:
    """Cut a simple text where `tokens_of` would, in a fifth of its time; None for what only it can read."""
    tokens = text.translate(_PUNCTUATION).lower().split()
    if "'" in text or not _words_of(lexicon).short.isdisjoint(tokens):
        contractions = lexicon.contractions
        if any(token == "m" or ("'" in token and token not in contractions) for token in tokens):
            return None  # "p m" is one word
        return tuple(word for token in tokens for word in contractions.get(token, token).split())
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


def without_fillers(tokens: Tokens, lexicon: Lexicon) -> Tokens:
    """Drop words that carry no meaning ("um", "please"); what consists only of them is returned as it is."""
    fillers = _words_of(lexicon).fillers
    if fillers.keys().isdisjoint(tokens):
        return tokens
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        for filler in fillers.get(tokens[at], ()):
            if tokens[at : at + len(filler)] == filler:
                at += len(filler)
                break
        else:
            kept.append(tokens[at])
            at += 1
    return tuple(kept) or tokens


def says_nothing(tokens: Tokens, lexicon: Lexicon) -> bool:
    """Whether the words are only fillers: "hello?", "um"."""
    return bool(tokens) and len(filler_places(tokens, lexicon)) == len(tokens)


def filler_places(tokens: Tokens, lexicon: Lexicon) -> set[int]:
    """Return where the words stand that are a filler, or belong to one."""
    fillers = _words_of(lexicon).fillers
    return {
        place
        for at, token in enumerate(tokens)
        for filler in fillers.get(token, ())
        if tokens[at : at + len(filler)] == filler
        for place in range(at, at + len(filler))
    }


def is_content(token: str, lexicon: Lexicon) -> bool:
    """Whether a word says something of its own, so that leaving it unused casts doubt on a match."""
    return token not in _words_of(lexicon).silent
