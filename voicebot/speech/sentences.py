"""Cuts a prompt into sentences, so that the first can be heard while the next is still being synthesised.

A wrong cut is heard as a pause in the middle of a phrase, a missed one only costs some milliseconds: in doubt
nothing is cut. Joined again with spaces the pieces are the prompt, but for its white space.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SENTENCE_PAUSE_MS = 280
CLAUSE_PAUSE_MS = 140
MAX_CHARS = 240
"""A longer sentence is cut at a clause: engines get slow, and lose their breath, on endless ones."""
MIN_FIRST_CHARS = 12
"""A first piece shorter than this would be over before the second is there."""

_TITLES = frozenset(
    """
    mr mrs ms dr prof st mt fr sr jr rev hon gen col capt lt sgt no nos vs dept ext tel fig vol pp ca cf
    approx z.b d.h bzw nr hr inkl ggf sra m mme
    """.split()  # noqa: SIM905
)
"""Followed by a name or a number as a rule: a full stop after these ends no sentence."""
_ABBREVIATIONS = frozenset(
    """
    a.m p.m am pm etc inc ltd corp co e.g i.e u.s u.k ave blvd rd min max hrs usw
    jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun
    """.split()  # noqa: SIM905
)
"""May also end a sentence: what comes next decides."""
_CALENDAR = frozenset(
    """
    monday tuesday wednesday thursday friday saturday sunday
    january february march april may june july august september october november december
    """.split()  # noqa: SIM905
)
_OPENERS = "\"'“‘«("  # noqa: RUF001
_CLOSERS = "\"'”’»)』」"  # noqa: RUF001
_END = re.compile(rf"(?P<mark>[.!?…]+|[。！？]+)[{_CLOSERS}]*(?P<gap>\s+|$|(?<=[。！？])|(?=[가-힣]))|\n")  # noqa: RUF001
_CLAUSE = re.compile(r"[,;:，、；：–—](?:\s+|(?<=[，、；：]))|\s[-–—]\s")  # noqa: RUF001
_WORD_BEFORE = re.compile(r"(\S+)$")
_WORD_AFTER = re.compile(rf"[{_OPENERS}]*([^\s.,;:!?]+)")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A piece of a prompt that is spoken in one breath, and the pause after it in ms (0 after the last)."""

    text: str
    pause_ms: int


def split_sentences(text: str, first_chars: int = 0) -> tuple[Sentence, ...]:
    """Cut `text` (see `prompts.speakable`) into sentences; () when there is nothing to say.

    `first_chars`: a first sentence longer than this is cut at a clause if it has one there, for engines that
    take a while; 0 leaves it whole.
    """
    pieces: list[tuple[str, int]] = []
    for sentence in _sentences(text):
        pieces += _clauses(sentence, MAX_CHARS)
    if pieces and 0 < first_chars < len(pieces[0][0]):
        first, pause = pieces[0]
        if cut := _cut_near(first, first_chars):
            pieces[:1] = [(first[:cut].strip(), CLAUSE_PAUSE_MS), (first[cut:].strip(), pause)]
    if pieces:
        pieces[-1] = (pieces[-1][0], 0)
    return tuple(Sentence(piece, pause) for piece, pause in pieces)


def _sentences(text: str) -> list[str]:
    found = []
    start = 0
    for match in _END.finditer(text):
        if match.group() == "\n" or _ends_sentence(text, start, match):
            found.append(text[start : match.end()])
            start = match.end()
    found.append(text[start:])
    whole = [" ".join(sentence.split()) for sentence in found]
    return [sentence for sentence in whole if any(character.isalnum() for character in sentence)]


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if match.end() == len(text):
        return True
    mark = match["mark"]
    after = _WORD_AFTER.match(text, match.end())
    next_word = after[1] if after else ""
    if mark[0] in "。！？" or "!" in mark or "?" in mark:  # noqa: RUF001
        return True
    if not match["gap"]:  # a full stop glued to Hangul: "안녕하세요.반갑습니다", but not "3.5배"
        return "가" <= text[match.start() - 1 : match.start()] <= "힣"
    if next_word[:1].islower():
        return False
    before = _WORD_BEFORE.search(text[start : match.start()])
    word = before[1].lstrip(_OPENERS).lower() if before else ""
    if word in _TITLES or (len(word) == 1 and word.isalpha() and word.isascii() and word != "i"):
        return False  # "Dr. Smith", "J. Smith"
    if word.isdigit() and text[start : match.start()].strip() == word:
        return False  # "1. First": the number of a list's item
    if word in _ABBREVIATIONS:
        return next_word[:1].isupper() and next_word.lower() not in _CALENDAR
    return True


def _clauses(sentence: str, longest: int) -> list[tuple[str, int]]:
    pieces = []
    rest = sentence
    while len(rest) > longest:
        cut = _cut_near(rest, longest) or rest.rfind(" ", 1, longest) + 1 or longest
        pieces.append((rest[:cut].strip(), CLAUSE_PAUSE_MS))
        rest = rest[cut:].strip()
    pieces.append((rest, SENTENCE_PAUSE_MS))
    return pieces


def _cut_near(text: str, longest: int) -> int:
    """Return where the last clause of at most `longest` characters ends, 0 if there is no such place."""
    cut = 0
    for match in _CLAUSE.finditer(text, 0, longest + 1):
        if MIN_FIRST_CHARS <= match.end() <= longest and match.end() < len(text):
            cut = match.end()
    return cut
