"""Where do phrases stand in an utterance? Found by look-up where said to the letter, else among a few likely.

Comparing each phrase with each run of words costs half a millisecond. Two texts can only be similar if their
sets of letters are, which one operation on whole arrays tells; what remains, a handful, is compared in full.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from voicebot.dialog.language.text import Tokens
from voicebot.dialog.understanding.wording import Wording

Size = TypeVar("Size", int, npt.NDArray[np.int32])

_Run = tuple[int, int, Tokens, int, int, int]
"""A run of words: start, end, words, letters of them all, the sets of their letters and pairs."""

_NEAR_PERCENT = 84
"""Similarity of letters from which on two phrases count as the same, misspelt."""
_NEAR_LETTERS = 5
"""Shorter phrases must be the same to the letter."""
_NEAR_SYLLABLES = 3
"""The same in Korean syllables."""
_WORD_NEAR = 75
"""Similarity (0 to 100) that the words in which a misspelt phrase differs must have."""
_OTHERWISE_SPACED, _INFLECTED, _MISSPELT = 0.98, 0.97, 0.97
"""Similarities of what is the same but for spaces, for a particle, and the most that misspelling leaves."""
_SLACK, _SLACK_SYLLABLES = 1, 3
"""Words more than the phrase has that may be compared with it."""
_LONGEST_ENDING = 10
"""Syllables."""
_PREFIXES = frozenset(("in", "un", "dis", "non", "im"))


class Place(NamedTuple):
    """A phrase found at the words [start, end) of an utterance. Ordered by phrase, length and start."""

    phrase: int
    length: int
    start: int
    similarity: float

    @property
    def end(self) -> int:
        return self.start + self.length


class PhraseIndex:
    """Phrases by what they sound like in letters; told by their position in `phrases`."""

    def __init__(self, phrases: Sequence[Tokens], wording: Wording) -> None:
        self._phrases = phrases
        self._wording = wording
        self._syllabic = bool(wording.lexicon.endings)
        self._joined = ["".join(phrase) for phrase in phrases]
        self._negating = [not wording.negators.isdisjoint(phrase) for phrase in phrases]
        self._by_letters: dict[str, list[int]] = {}
        for at, joined in enumerate(self._joined):
            self._by_letters.setdefault(joined, []).append(at)
        self._slack = _SLACK_SYLLABLES if self._syllabic else _SLACK
        self.longest = max(map(len, phrases), default=0) + self._slack
        self._shortest_near = _NEAR_SYLLABLES if self._syllabic else _NEAR_LETTERS
        self._fuzzy = [at for at, joined in enumerate(self._joined) if len(joined) >= self._shortest_near]
        self._known = {token: _traits(token) for phrase in phrases for token in phrase}
        traits = [_traits(self._joined[at]) for at in self._fuzzy]
        self._letters = np.array([letters for letters, _ in traits], np.uint64)
        self._pairs = [pairs for _, pairs in traits]
        self._sizes = [len(self._joined[at]) for at in self._fuzzy]
        self._least = self._shortest_near - 1
        self._most = max(self._sizes, default=0)
        self._most += self._most * (100 - _NEAR_PERCENT) // _NEAR_PERCENT + 1
        self._allowed = self._allowances()

    def _allowances(self) -> npt.NDArray[np.uint8]:
        """Return by sizes of a window and a phrase one more than their sets of letters may differ in.

        Each of the edits between two texts brings or takes one letter of the set at the most. 0 where the
        sizes alone differ by more.
        """
        own = np.array(self._sizes, np.int32)
        spoken = np.arange(self._most + 1, dtype=np.int32)[:, None]
        edits = _edits(own + spoken)
        longer = 1 if self._syllabic else np.maximum(2, own // 5)
        allowed = np.where(np.abs(own - spoken) <= np.minimum(edits, longer), edits + 1, 0)
        return np.minimum(allowed, 255).astype(np.uint8)

    def places(self, *utterances: Tokens) -> list[list[Place]]:
        """Return for each of some utterances, which may have much in common, where phrases stand in it."""
        runs = [self._runs(tokens) for tokens in utterances]
        found: dict[Tokens, list[tuple[int, float]]] = {}
        likely: list[_Run] = []
        for run in (run for each in runs for run in each):
            if run[2] not in found:
                found[run[2]] = self._equal(run[2])
                if self._least <= run[3] <= self._most:
                    likely.append(run)
        if likely:
            self._near(likely, found)
        places = [
            [
                Place(phrase, end - start, start, similarity)
                for start, end, window, *_ in each
                for phrase, similarity in found[window]
            ]
            for each in runs
        ]
        for each in places:
            each.sort()
        return places

    def _runs(self, tokens: Tokens) -> list[_Run]:
        """Return all runs of words no longer than a phrase can be."""
        known = self._known
        traits = [known[token] if token in known else _traits(token) for token in tokens]
        joints = [_pair(one[-1], other[0]) for one, other in pairwise(tokens)]
        runs: list[_Run] = []
        for start in range(len(tokens)):
            letters = pairs = size = 0
            for end in range(start + 1, min(len(tokens), start + self.longest) + 1):
                own = traits[end - 1]
                letters |= own[0]
                pairs |= own[1] | joints[end - 2] if end - 1 > start else own[1]
                size += len(tokens[end - 1])
                runs.append((start, end, tokens[start:end], size, letters, pairs))
        return runs

    def _comparable(self, phrase: int, length: int) -> bool:
        size = len(self._phrases[phrase])
        return max(1, size - 1) <= length <= size + self._slack

    def _equal(self, window: Tokens) -> list[tuple[int, float]]:
        """Find the phrases that are the same to the letter, in Korean perhaps with a particle."""
        spoken = "".join(window)
        if not self._syllabic:
            alike = self._by_letters.get(spoken)
            if not alike:
                return []
            return [
                (at, 1.0 if self._phrases[at] == window else _OTHERWISE_SPACED)
                for at in alike
                if self._comparable(at, len(window))
            ]
        found = []
        for cut in range(1, len(spoken) + 1):
            rest = spoken[cut:]
            if not rest or (rest in self._wording.endings and len(rest) <= _LONGEST_ENDING):
                for at in self._by_letters.get(spoken[:cut], ()):
                    if self._comparable(at, len(window)):
                        same = _OTHERWISE_SPACED if not rest else _INFLECTED
                        found.append((at, 1.0 if self._phrases[at] == window else same))
        return found

    def _near(self, runs: list[_Run], found: dict[Tokens, list[tuple[int, float]]]) -> None:
        """Add to what was found in each window the phrases that are nearly the same."""
        _, _, windows, sizes, letters, pairs = zip(*runs, strict=True)
        for at, near in self._likely(sizes, letters, pairs):
            window = windows[at]
            if self._comparable(near, len(window)):
                similarity = self._similarity("".join(window), window, near)
                if similarity:
                    found[window].append((near, similarity))

    def _likely(
        self, sizes: Sequence[int], letters: Sequence[int], pairs: Sequence[int]
    ) -> Iterator[tuple[int, int]]:
        """Yield the pairs that may be similar: position in the arguments, phrase.

        An edit brings or takes three pairs of neighbours at the most.
        """
        differ = np.bitwise_count(np.array(letters, np.uint64)[:, None] ^ self._letters)
        for place in np.flatnonzero(differ < self._allowed[list(sizes)]).tolist():
            one, other = divmod(place, len(self._sizes))
            edits = _edits(sizes[one] + self._sizes[other])
            if (pairs[one] ^ self._pairs[other]).bit_count() <= 3 * edits:
                yield one, self._fuzzy[other]

    def _similarity(self, spoken: str, window: Tokens, at: int) -> float:
        """Compare what is not the same to the letter."""
        joined, phrase = self._joined[at], self._phrases[at]
        if self._syllabic:
            return 0.0 if spoken.startswith(joined) else _alike(spoken, joined)
        if spoken == joined:
            return 0.0
        if self._negating[at] == self._wording.negators.isdisjoint(window):
            return 0.0
        similarity = _alike(spoken, joined)
        if not similarity or _undone(window, phrase):
            return 0.0
        heard, meant = _differing(window, phrase)
        if not (heard and meant):
            return similarity if self._wording.silent.issuperset((*heard, *meant)) else 0.0
        return similarity if fuzz.ratio("".join(heard), "".join(meant)) >= _WORD_NEAR else 0.0

    def doubted(self, at: int, kinds: Sequence[int]) -> bool:
        """Whether a phrase, said alone, is also like a phrase of another kind (one a phrase)."""
        phrase, joined = self._phrases[at], self._joined[at]
        if any(kinds[other] != kinds[at] for other, _ in self._equal(phrase)):
            return True
        if len(joined) < self._shortest_near:
            return False
        letters, pairs = _traits(joined)
        return any(
            kinds[at] != kinds[near]
            and self._comparable(near, len(phrase))
            and self._similarity(joined, phrase, near)
            for _, near in self._likely([len(joined)], [letters], [pairs])
        )


def _edits(sizes: Size) -> Size:
    """Return how many letters at the most two similar texts have not in common, by all letters of both."""
    return sizes * (100 - _NEAR_PERCENT) // 100


def _pair(one: str, other: str) -> int:
    return 1 << ((ord(one) * 11 + ord(other)) & 63)


def _traits(text: str) -> tuple[int, int]:
    """Return the sets of letters and of pairs of neighbours as bits, of which some share one."""
    letters = pairs = 0
    for letter in text:
        letters |= 1 << (ord(letter) & 63)
    for one, other in pairwise(text):
        pairs |= _pair(one, other)
    return letters, pairs


def _alike(spoken: str, joined: str) -> float:
    return float(fuzz.ratio(spoken, joined, score_cutoff=_NEAR_PERCENT)) / 100 * _MISSPELT


def _differing(window: Tokens, phrase: Tokens) -> tuple[Tokens, Tokens]:
    """Leave out the words that both have at their start and at their end."""
    first = 0
    while first < min(len(window), len(phrase)) and window[first] == phrase[first]:
        first += 1
    window, phrase = window[first:], phrase[first:]
    last = 0
    while last < min(len(window), len(phrase)) and window[-1 - last] == phrase[-1 - last]:
        last += 1
    return window[: len(window) - last], phrase[: len(phrase) - last]


def _undone(window: Tokens, phrase: Tokens) -> bool:
    """Whether a prefix turns a word round: correct, incorrect."""
    return any(
        len(one) > len(other) and one.endswith(other) and one[: -len(other)] in _PREFIXES
        for heard in window
        for meant in phrase
        if heard != meant
        for one, other in ((heard, meant), (meant, heard))
    )
