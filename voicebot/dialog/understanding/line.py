"""An utterance as its words, and what was found in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, filler_places, is_content, is_simple, tokens_of
from voicebot.dialog.model.slots import Value

_LONGEST_TEXT = 500
"""Characters of an utterance that are read; no date, amount or address is longer."""

_SYMBOL = re.compile(r"[/$£€₩@_+,.'\u2019\-]|\dish")
_SYMBOLS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(?<=\d)[tT](?=\d\d:)"), " "),
    (re.compile(r"(?<=\d)\s?/\s?(?=\d)"), " slash "),
    (re.compile(r"\b(\d\d?)\.(\d\d?)\.(\d{4}|\d\d)\b"), r"\1 slash \2 slash \3"),
    (re.compile(r"(?<=\d)-?ish\b"), " ish"),
    (re.compile(r"(?<=\s)['\u2019](?=\d\d\b)"), "year "),
    (re.compile(r"\$\s?(\d[\d.,]*)"), r"\1 dollars"),
    (re.compile(r"£\s?(\d[\d.,]*)"), r"\1 pounds"),
    (re.compile(r"€\s?(\d[\d.,]*)"), r"\1 euros"),
    (re.compile(r"₩\s?(\d[\d.,]*)"), r"\1 원"),
    (re.compile(r"\+(?=\s?\w)"), " plus "),
    (re.compile(r"(?<![\w.)])-(?=\d)"), " minus "),
)
_ADDRESS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=\w)\.(?=\w)"), " dot "),
    (re.compile(r"(?<=\w)-(?=\w)"), " dash "),
    (re.compile(r"_"), " underscore "),
    (re.compile(r"@"), " at "),
)


def words_of(text: str, lexicon: Lexicon) -> Tokens:
    """Return the words of `text` with its symbols spoken: "$12.50" is 12.50 dollars, "3/2" is 3 slash 2."""
    text = text[:_LONGEST_TEXT]
    if not is_simple(text) and _SYMBOL.search(text):
        for symbol, word in _ADDRESS if "@" in text else ():
            text = symbol.sub(word, text)
        for symbol, word in _SYMBOLS:
            text = symbol.sub(word, text)
    return tokens_of(text, lexicon)


@dataclass(frozen=True, slots=True)
class Reading:
    """One value found in an utterance.

    value:       with its type; of a `datetime` in the zone of the call
    score:       0 to 1
    start, end:  the tokens [start, end) that it was read from
    invalid:     "" where it fits the slot, else why it does not although it was understood: "range",
                 "length", "check", "past", "form", or "incomplete" (a day without its time, or a time
                 without its day; `value` is the part that was said)
    other:       the same in the other half of the day, where the words do not say which and both are possible
    spans:       where the words do not stand together: the tokens of each part
    """

    value: Value
    score: float
    start: int = 0
    end: int = 0
    invalid: str = ""
    other: Value | None = None
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """The tokens [start, end) of each part."""
        return self.spans or ((self.start, self.end),)


@dataclass(frozen=True)
class Line:
    """Words joined by blanks, so that patterns may run over them; positions lead back to the words."""

    tokens: Tokens
    lexicon: Lexicon

    @cached_property
    def text(self) -> str:
        return " ".join(self.tokens)

    @cached_property
    def _starts(self) -> list[int]:
        starts, at = [], 0
        for token in self.tokens:
            starts.append(at)
            at += len(token) + 1
        return starts

    def token_at(self, place: int) -> int:
        """Return the token that the character at `place` belongs to."""
        return max(0, bisect_right(self._starts, place) - 1)

    def span(self, match: re.Match[str]) -> tuple[int, int]:
        """Return the tokens [start, end) of a match."""
        return self.token_at(match.start()), self.token_at(max(match.start(), match.end() - 1)) + 1

    @cached_property
    def content(self) -> frozenset[int]:
        """The words that say something of their own."""
        silent = filler_places(self.tokens, self.lexicon)
        return frozenset(
            at for at, t in enumerate(self.tokens) if at not in silent and is_content(t, self.lexicon)
        )

    def unused(self, spans: Iterable[tuple[int, int]]) -> int:
        """Count the telling words outside `spans`."""
        used = {at for start, end in spans for at in range(start, end)}
        if len(used) == len(self.tokens):
            return 0
        return sum(1 for at in self.content if at not in used)

    def between(self, end: int, start: int) -> str:
        """Return the words from token `end` up to token `start`."""
        return " ".join(self.tokens[end:start])


@dataclass(frozen=True, slots=True)
class Found:
    """What one reader found: the value that the utterance as a whole gives, and each that is in it.

    agreed:  None where nothing was said, or several values without one that corrects the others
    each:    every value by itself; its score says how sure it is, whatever else was said
    """

    agreed: Reading | None = None
    each: tuple[Reading, ...] = ()


def best_first(found: Found) -> list[Reading]:
    """Return all readings, what the whole utterance gives before its parts, one for each value and place."""
    seen: dict[tuple[int, int, Value], Reading] = {}
    for reading in (found.agreed, *sorted(found.each, key=lambda r: (bool(r.invalid), -r.score))):
        if reading is not None:
            seen.setdefault((reading.start, reading.end, reading.value), reading)
    return list(seen.values())


def is_day(value: object) -> bool:
    """Whether `value` is a date and no moment."""
    return type(value) is date
