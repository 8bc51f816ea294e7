"""From the phrases found in an utterance to what its speaker means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from voicebot.dialog.language.text import Tokens
from voicebot.dialog.understanding.wording import Wording

ACCEPT = 0.6
"""Score from which on a meaning is taken."""

AMBIGUOUS = 0.12
"""Two meanings nearer than this are both plausible: neither is taken, unless one is more telling."""

_LEFTOVER = 0.12
"""Doubt for each telling word that the phrase does not explain; `weak` phrases doubt more."""
_LEFTOVER_EDGE = 0.06
_LEFTOVER_WEAK = 0.42
_LEFTOVER_WEAK_FIRST = 0.2
_PARTIAL = 0.74
"""Score of an utterance that has only some of the telling words of a phrase, or has them scattered."""
_NEGATED_WITHIN = 4
"""A negator up to this many words before a phrase turns it round, if nothing telling stands between."""
_TURNED_ROUND = 0.75
_OUTER_LESS = 0.1
"""A phrase counts for nothing within a longer one, even if that one is this much less alike."""
_SAID = 0.96
"""Similarity above which a phrase was said, not just something like it."""
_CORRECTIONS = frozenset(("mean", "sorry", "no", "actually", "rather", "wait", "instead", "아니"))


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a caller may mean. `generic` (yes, no) gives way to a more specific one beside it."""

    name: str
    phrases: tuple[Tokens, ...]
    generic: bool = False
    command: bool = False
    opposite: str = ""


@dataclass(frozen=True, slots=True)
class Phrase:
    """One way to say a meaning.

    weak:      it also occurs inside other sentences: it counts only nearly alone
    negating:  it holds a negator itself
    telling:   its words that say something, where some of them suffice
    """

    meaning: Meaning
    tokens: Tokens
    weak: bool = False
    negating: bool = False
    telling: Tokens = ()


class Hit(NamedTuple):
    """A phrase found in the utterance at tokens [start, end), with its similarity, 0 to 1."""

    phrase: Phrase
    start: int
    end: int
    similarity: float


@dataclass(frozen=True, slots=True)
class Scored:
    meaning: Meaning
    score: float
    start: int
    end: int
    size: int
    weak: bool
    exact: bool = False

    def overlaps(self, other: Scored) -> bool:
        return self.start < other.end and other.start < self.end

    def rivals(self, best: Scored) -> bool:
        """Whether this is as plausible as `best`: about as good, or said in full beside it."""
        said_too = self.exact and not self.weak and not self.meaning.command and not self.overlaps(best)
        return best.score - self.score < AMBIGUOUS or said_too


def decide(
    tokens: Tokens, hits: list[Hit], partly: list[Phrase], meanings: Sequence[Meaning], wording: Wording
) -> tuple[Meaning, float] | None:
    """Return what `tokens` mean with a score of 0 to 1, or None where nothing or too much is plausible.

    `hits`: the phrases in them; `partly`: phrases of which they have telling words.
    """
    if not hits and not partly:
        return None
    scored = [s for s in _score_all(tokens, hits, partly, meanings, wording) if s.score >= ACCEPT]
    specific = [s for s in scored if not s.meaning.generic]
    if len(specific) < len(scored) and (specific or wording.unsure(tokens)):
        scored = specific  # "no, I want to move it": the wish says more than the no
    if len(scored) < 2:
        return (scored[0].meaning, scored[0].score) if scored else None
    scored.sort(key=lambda s: (-s.score, s.meaning.command, -s.size))
    first = scored[0]
    rivals = [s for s in scored[1:] if s.rivals(first)]
    if not rivals:
        return first.meaning, first.score
    chosen = _among([first, *rivals], tokens)
    return (chosen.meaning, chosen.score) if chosen else None


def _among(everyone: list[Scored], tokens: Tokens) -> Scored | None:
    """Choose among equally plausible ones: the telling, the dialog's own, the corrected, the longest."""
    strong = [s for s in everyone if not s.weak]
    if len(strong) == 1:
        return strong[0]
    ours = [s for s in everyone if not s.meaning.command]
    if len(ours) == 1:
        return ours[0]
    last = max(everyone, key=lambda s: s.start)
    if all(s is last or _corrected(s, last, tokens) for s in everyone):
        return last
    longest = max(everyone, key=lambda s: s.size)
    if all(s is longest or (s.size < longest.size and s.overlaps(longest)) for s in everyone):
        return longest
    return None


def _corrected(earlier: Scored, later: Scored, tokens: Tokens) -> bool:
    """Whether a word such as "sorry" between two answers takes the first one back."""
    between = tokens[earlier.end : later.start]
    return any(token in _CORRECTIONS for token in between) or "i mean" in " ".join(between)


def _score_all(
    tokens: Tokens, hits: list[Hit], partly: list[Phrase], meanings: Sequence[Meaning], wording: Wording
) -> list[Scored]:
    kept: dict[str, list[Hit]] = {}
    turned = set()
    asked = wording.question_at(tokens) if wording.inverted else -1
    for hit in _outer(tokens, hits, wording) if len(hits) > 1 or wording.decoys else hits:
        meaning = hit.phrase.meaning
        if asked >= 0 and meaning.generic and _asks(hit, asked, wording):
            continue
        if hit.phrase.negating or not _negated(tokens, hit.start, hit.end, wording):
            kept.setdefault(meaning.name, []).append(hit)
        elif meaning.name == "yes":
            turned.add(meaning.opposite)
    scored = [
        _score(meaning, kept[meaning.name], tokens, wording)
        for meaning in (meanings if kept else ())
        if meaning.name in kept
    ]
    for meaning in meanings if turned else ():
        if meaning.generic and meaning.name in turned and meaning.name not in kept:
            content = sum(1 for token in tokens if token not in wording.silent)
            scored.append(Scored(meaning, _TURNED_ROUND - _LEFTOVER * max(0, content - 2), 0, 1, 1, True))
    return scored + partial([p for p in partly if p.meaning.name not in kept], tokens, wording)


def _outer(tokens: Tokens, hits: list[Hit], wording: Wording) -> list[Hit]:
    """Leave out what lies within another phrase: the "no" inside "no problem" says nothing of its own."""
    spans: dict[tuple[int, int, str], float] = {}
    for phrase, start, end, similarity in hits:
        span = (start, end, phrase.meaning.name)
        if similarity > spans.get(span, 0.0):
            spans[span] = similarity
    if wording.decoys:
        for start in range(len(tokens)):
            joined = ""
            for end in range(start + 1, min(len(tokens), start + wording.longest_decoy) + 1):
                joined += tokens[end - 1]
                if joined in wording.decoys and end - start in wording.decoys[joined]:
                    spans[start, end, ""] = 1.0
    if len(spans) < 2:
        return hits
    return [
        hit
        for hit in hits
        if not any(
            start <= hit.start
            and hit.end <= end
            and end - start > hit.end - hit.start
            and name != hit.phrase.meaning.name
            and similarity >= hit.similarity - _OUTER_LESS
            for (start, end, name), similarity in spans.items()
        )
    ]


def _asks(hit: Hit, asked: int, wording: Wording) -> bool:
    """Whether a yes or no is part of a question of the caller, which begins at `asked`: "can I come"."""
    if hit.end <= asked or wording.question_at(hit.phrase.tokens) >= 0:
        return False
    return hit.start < asked + 2 or hit.phrase.weak


def _negated(tokens: Tokens, start: int, end: int, wording: Wording) -> bool:
    for token in reversed(tokens[max(0, start - _NEGATED_WITHIN) : start]):
        if token in wording.lexicon.negators:
            return True
        if token not in wording.silent:
            break
    return end < len(tokens) and tokens[end] in wording.lexicon.negators_after


def _score(meaning: Meaning, hits: list[Hit], tokens: Tokens, wording: Wording) -> Scored:
    """Score a meaning by its best phrase; its other phrases in the utterance explain words as well."""
    explained = {at for hit in hits for at in range(hit.start, hit.end)}
    unexplained = sum(at not in explained and t not in wording.silent for at, t in enumerate(tokens))
    best: Hit | None = None
    highest = (-100.0, 0)
    for hit in hits:
        phrase, start, end, similarity = hit
        score, size = similarity, len(phrase.tokens)
        if unexplained:
            if phrase.weak:
                doubt = _LEFTOVER_WEAK_FIRST if start == 0 else _LEFTOVER_WEAK
            elif meaning.generic and (start == 0 or end == len(tokens)):
                doubt = _LEFTOVER_EDGE
            else:
                doubt = _LEFTOVER / (1 + (size - 1) / 4)
            score -= doubt * unexplained
            if phrase.weak and (meaning.command or (start == 0 and size > 1)):
                score -= _LEFTOVER_WEAK
        elif end - start < len(tokens):
            score -= 0.01
        score = max(0.0, score)
        if (score, size) > highest:
            best, highest = hit, (score, size)
    assert best is not None, "there is a hit"
    return Scored(
        meaning,
        highest[0],
        best.start,
        best.end,
        highest[1],
        best.phrase.weak,
        best.similarity > _SAID,
    )


def partial(phrases: list[Phrase], tokens: Tokens, wording: Wording) -> list[Scored]:
    """Score what has the telling words of a phrase, not all of them or not in its order, by meaning."""
    if not phrases or not wording.negators.isdisjoint(tokens):
        return []
    said = [token for token in tokens if token not in wording.silent and not token.isdigit()]
    best: dict[str, Scored] = {}
    for phrase in phrases:
        telling, name = phrase.telling, phrase.meaning.name
        shared = [token for token in telling if token in said]
        missing = len(telling) - len(shared)
        if not shared or missing > len(shared):
            continue
        extra = sum(token not in telling for token in said)
        score = _PARTIAL + 0.1 * (missing == 0) - 0.06 * missing - _LEFTOVER * extra
        if name not in best or score > best[name].score:
            first = tokens.index(shared[0])
            best[name] = Scored(phrase.meaning, score, first, first + len(shared), len(shared), False)
    return list(best.values())
