"""Where do phrases stand in an utterance? Found by look-up where said to the letter, else among a few likely.

Comparing each phrase with each run of words costs half a millisecond. Two texts can only be similar if their
sets of letters are, which one operation on whole arrays tells; what remains, a handful, is compared in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from rapidfuzz import fuzz

from voicebot.dialog.language.text import Tokens
from voicebot.dialog.understanding.wording import Wording

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
_PREFIXES = ("in", "un", "dis", "non", "im")


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
        fuzzy = [at for at, joined in enumerate(self._joined) if len(joined) >= self._shortest_near]
        self._fuzzy = np.array(fuzzy, np.int64)
        self._letters, self._sizes = _measures([self._joined[at] for at in fuzzy])

    def places(self, tokens: Tokens) -> list[Place]:
        """Return where phrases stand in `tokens`, in order."""
        windows = self._windows(tokens)
        found = self._equal(tokens, windows)
        found += self._near(tokens, windows)
        found.sort()
        return found

    def _windows(self, tokens: Tokens) -> list[tuple[int, int, str]]:
        """Return all runs of words no longer than a phrase can be: start, end, joined."""
        windows = []
        for start in range(len(tokens)):
            joined = ""
            for end in range(start + 1, min(len(tokens), start + self.longest) + 1):
                joined += tokens[end - 1]
                windows.append((start, end, joined))
        return windows

    def _comparable(self, phrase: int, length: int) -> bool:
        size = len(self._phrases[phrase])
        return max(1, size - 1) <= length <= size + self._slack

    def _equal(self, tokens: Tokens, windows: list[tuple[int, int, str]]) -> list[Place]:
        """Find what is the same to the letter, in Korean perhaps with a particle."""
        found = []
        by_letters, endings = self._by_letters, self._wording.endings
        for start, end, spoken in windows:
            for cut in range(1, len(spoken) + 1) if self._syllabic else (len(spoken),):
                phrases = by_letters.get(spoken[:cut])
                if not phrases or (cut < len(spoken) and spoken[cut:] not in endings):
                    continue
                for at in phrases:
                    if not self._comparable(at, end - start) or len(spoken) - cut > _LONGEST_ENDING:
                        continue
                    same = _INFLECTED if cut < len(spoken) else _OTHERWISE_SPACED
                    if tokens[start:end] == self._phrases[at]:
                        same = 1.0
                    found.append(Place(at, end - start, start, same))
        return found

    def _near(self, tokens: Tokens, windows: list[tuple[int, int, str]]) -> list[Place]:
        windows = [window for window in windows if len(window[2]) >= self._shortest_near - 1]
        if not windows or not len(self._fuzzy):
            return []
        found = []
        letters, sizes = _measures([spoken for _, _, spoken in windows])
        for window, near in _likely(letters, sizes, self._letters, self._sizes):
            start, end, spoken = windows[window]
            at = int(self._fuzzy[near])
            if self._comparable(at, end - start):
                similarity = self._similarity(spoken, tokens[start:end], at)
                if similarity:
                    found.append(Place(at, end - start, start, similarity))
        return found

    def _similarity(self, spoken: str, window: Tokens, at: int) -> float:
        """Compare what is not the same to the letter."""
        joined, phrase = self._joined[at], self._phrases[at]
        if self._syllabic:
            if spoken.startswith(joined) or abs(len(joined) - len(spoken)) > 1:
                return 0.0
            return _alike(spoken, joined)
        if spoken == joined or abs(len(spoken) - len(joined)) > max(2, len(joined) // 5):
            return 0.0
        similarity = _alike(spoken, joined)
        if not similarity or self._negating[at] == self._wording.negators.isdisjoint(window):
            return 0.0
        if _undone(window, phrase):
            return 0.0
        heard, meant = _differing(window, phrase)
        if not (heard and meant):
            return similarity if self._wording.silent.issuperset((*heard, *meant)) else 0.0
        return similarity if fuzz.ratio("".join(heard), "".join(meant)) >= _WORD_NEAR else 0.0

    def doubted(self, kinds: Sequence[int]) -> set[int]:
        """Return the phrases that, said alone, are also like a phrase of another kind (one a phrase)."""
        found: set[int] = set()
        said = [(0, len(phrase), joined) for phrase, joined in zip(self._phrases, self._joined, strict=True)]
        for at, phrase in enumerate(self._phrases):
            if any(kinds[place.phrase] != kinds[at] for place in self._equal(phrase, said[at : at + 1])):
                found.add(at)
        if len(self._fuzzy):
            for one, other in _likely(self._letters, self._sizes, self._letters, self._sizes):
                at, near = int(self._fuzzy[one]), int(self._fuzzy[other])
                if kinds[at] == kinds[near] or not self._comparable(near, len(self._phrases[at])):
                    continue
                if self._similarity(self._joined[at], self._phrases[at], near):
                    found.add(at)
        return found


def _likely(
    letters: npt.NDArray[np.uint64],
    sizes: npt.NDArray[np.uint16],
    other_letters: npt.NDArray[np.uint64],
    other_sizes: npt.NDArray[np.uint16],
) -> list[tuple[int, int]]:
    """Return the pairs that may be similar, as positions.

    Similarity s of texts of a and b letters leaves (1 - s)(a + b) insertions and deletions. Each of them
    brings or takes one letter of the set at the most.
    """
    differ = np.bitwise_count(letters[:, None] ^ other_letters[None, :]).astype(np.uint16)
    both = sizes[:, None] + other_sizes[None, :]
    apart = np.maximum(differ, np.abs(sizes[:, None].astype(np.int16) - other_sizes[None, :]))
    ones, others = np.nonzero(apart * 100 <= both * (100 - _NEAR_PERCENT))
    return list(zip(ones.tolist(), others.tolist(), strict=True))


def _measures(texts: Sequence[str]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint16]]:
    """Return for each text its set of letters, as bits, and its length."""
    letters = np.zeros(len(texts), np.uint64)
    for at, text in enumerate(texts):
        bits = 0
        for code in set(text):
            bits |= 1 << (ord(code) & 63)
        letters[at] = bits
    return letters, np.array([len(text) for text in texts], np.uint16)


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
        heard != meant
        and (heard in {p + meant for p in _PREFIXES} or meant in {p + heard for p in _PREFIXES})
        for heard in window
        for meant in phrase
    )
