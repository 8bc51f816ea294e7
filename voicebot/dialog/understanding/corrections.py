"""Who corrects himself, who rules out, who hesitates between two: what stands between two values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeVar

from voicebot.dialog.understanding.line import Line

_OTHER = "|"
"""Stands for a piece of another kind."""

T = TypeVar("T")

_CORRECTS = {
    "en": re.compile(
        r"\b(?:no|nope|sorry|wait|actually|i mean|i meant|rather(?! than)|make that|make it|correction|"
        r"scratch that|my mistake|better)\b"
    ),
    "ko": re.compile(r"아니|아뇨|말고|잘못|정정|죄송|미안"),
}
_DENIES = {
    "en": re.compile(
        r"\b(?:(?<!why )(?<!if )not|never|except(?: for)?|(?:any\w*|every\w*|all)(?: day| time)? but|"
        r"instead of|rather than|other than|neither|without)\b(?!.*\b(?:no|but|maybe|rather(?! than))\b)"
    ),
    "ko": re.compile(r"(?!)"),
}
_DENIED = {
    "en": re.compile(
        r"^(?:(?:is|are|does|do|will|would|was|can) not|(?:is )?no good|is (?:too|out|bad|full|impossible)|"
        r"not (?:good|possible|free|available|work\w*|ideal|great|ok|okay))\b"
    ),
    "ko": re.compile(r"^(?:은|는|에는|엔)? ?(?:안|못|말고|싫|빼고)"),
}
_VAGUE = {
    "en": re.compile(
        r"\b(?:after|before|until|between|since|earlier than|later than|more than|less than|fewer than|"
        r"at least|at most|up to|no more than|any time (?:from|past))(?: (?:the|about|on|at))?$"
    ),
    "ko": re.compile(r"(?!)"),
}
_VAGUE_AFTER = {
    "en": re.compile(r"^(?:or (?:later|earlier|more|less|so later)|at the (?:latest|earliest))\b"),
    "ko": re.compile(r"^(?:이후|이전|전에|넘어|까지|부터)"),
}


def settled(
    pieces: Sequence[tuple[int, int, T]], line: Line, others: Sequence[tuple[int, int]] = ()
) -> list[list[tuple[int, int, T]]] | None:
    """Group what was said: pieces that stand beside each other, and after a correction a new group.

    `pieces` are (start, end, value) in their order, `others` spans of another kind that say nothing here.
    What is ruled out ("not Tuesday") is left out. Returns None where a value is only a bound ("after three").
    """
    if len(pieces) == 1 and pieces[0][:2] == (0, len(line.tokens)):
        return [list(pieces)]  # nothing else was said
    language = line.lexicon.language if line.lexicon.language in _CORRECTS else "en"
    groups: list[list[tuple[int, int, T]]] = []
    end, turned = 0, False
    for start, stop, value in pieces:
        gap = _without(others, line, end, start)
        end = stop
        if _VAGUE[language].search(line.between(max(0, start - 4), start)):
            return None
        if _VAGUE_AFTER[language].search(line.between(stop, stop + 4)):
            return None
        denied = _DENIED[language].match(gap) if groups else None
        if denied:
            gap = gap[denied.end() :]
            groups[-1:] = [groups[-1][:-1], []]
        turned = turned or bool(_CORRECTS[language].search(gap))
        # "not Tuesday at three" rules out both; "not Friday, Monday at ten" does not rule out ten
        if _DENIES[language].search(" ".join(gap.split(_OTHER)[-2:])):
            if groups:  # "Friday, no, not Friday"
                groups[-1] = [piece for piece in groups[-1] if piece[2] != value]
            continue
        if not groups or turned:
            groups.append([])
            turned = False
        groups[-1].append((start, stop, value))
    if groups and groups[-1] and _DENIED[language].match(line.between(end, end + 4)):
        groups[-1].pop()
    return [group for group in groups if group]


def _without(others: Sequence[tuple[int, int]], line: Line, start: int, end: int) -> str:
    """Return the words in between, a mark for each of `others`."""
    words: list[str] = []
    for at in range(start, end):
        other = next((span for span in others if span[0] <= at < span[1]), None)
        if other is None:
            words.append(line.tokens[at])
        elif at in (other[0], start):
            words.append(_OTHER)
    return " ".join(words)
