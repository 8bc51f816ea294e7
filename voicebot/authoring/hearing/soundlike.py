"""How alike do two phrases sound? A weighted edit distance over their phonemes.

What costs little to exchange is what telephones and recognisers confuse: consonants made at the same place or
in the same manner (p and b, m and n, f and s), neighbouring vowels, weak sounds at the end of a word.
"""

# ruff: noqa: RUF001 - IPA is made of letters that look like others
from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

import numpy as np
import numpy.typing as npt

Word = tuple[str, ...]

ALIKE = 0.46
"""Distance below which phrases sound alike: 0 is the same sound, 1 is as different as can be."""

_SHORT, _LONGER = 2.5, 0.12
"""The longer a phrase (in weights of sounds, 2.5 is about a word), the more there is to tell it by."""

_CONSONANTS = {
    # place from lips (0) to throat (1), manner from stop (0) to glide (1), voiced
    "p": (0.0, 0.0, 0), "b": (0.0, 0.0, 1), "t": (0.3, 0.0, 0), "d": (0.3, 0.0, 1), "ɾ": (0.3, 0.2, 1),
    "k": (0.7, 0.0, 0), "ɡ": (0.7, 0.0, 1), "q": (0.7, 0.0, 0), "c": (0.5, 0.0, 0), "ɟ": (0.5, 0.0, 1),
    "ʔ": (1.0, 0.0, 0),
    "f": (0.1, 0.4, 0), "v": (0.1, 0.4, 1), "θ": (0.2, 0.4, 0), "ð": (0.2, 0.4, 1), "s": (0.3, 0.4, 0),
    "z": (0.3, 0.4, 1), "ʃ": (0.45, 0.4, 0), "ʒ": (0.45, 0.4, 1), "ɕ": (0.45, 0.4, 0), "ʑ": (0.45, 0.4, 1),
    "x": (0.7, 0.4, 0), "ɣ": (0.7, 0.4, 1), "χ": (0.8, 0.4, 0), "h": (1.0, 0.5, 0), "ɸ": (0.0, 0.4, 0),
    "β": (0.0, 0.4, 1),
    "m": (0.0, 0.7, 1), "n": (0.3, 0.7, 1), "ɲ": (0.5, 0.7, 1), "ŋ": (0.7, 0.7, 1),
    "l": (0.3, 0.85, 1), "ɫ": (0.4, 0.85, 1), "ɹ": (0.4, 0.9, 1), "r": (0.3, 0.85, 1), "ʁ": (0.8, 0.8, 1),
    "j": (0.5, 1.0, 1), "w": (0.1, 1.0, 1), "ɥ": (0.4, 1.0, 1), "ɰ": (0.7, 1.0, 1),
}  # fmt: skip
_VOWELS = {
    # height from close (0) to open (1), from front (0) to back (1), rounded
    "i": (0.0, 0.0, 0), "y": (0.0, 0.0, 1), "ɪ": (0.15, 0.15, 0), "ᵻ": (0.2, 0.35, 0), "ʏ": (0.15, 0.15, 1),
    "ɨ": (0.0, 0.5, 0), "ɯ": (0.0, 0.9, 0), "u": (0.0, 1.0, 1), "ʊ": (0.15, 0.8, 1), "e": (0.35, 0.0, 0),
    "ø": (0.35, 0.0, 1), "ə": (0.5, 0.5, 0), "ɚ": (0.5, 0.5, 0), "ɜ": (0.55, 0.5, 0), "ɤ": (0.35, 1.0, 0),
    "o": (0.35, 1.0, 1), "ɛ": (0.6, 0.0, 0), "œ": (0.6, 0.0, 1), "ʌ": (0.65, 0.8, 0), "ɔ": (0.6, 1.0, 1),
    "æ": (0.8, 0.1, 0), "ɐ": (0.85, 0.5, 0), "a": (1.0, 0.4, 0), "ɑ": (1.0, 1.0, 0), "ɒ": (1.0, 1.0, 1),
}  # fmt: skip
_PLACE, _MANNER, _VOICE = 0.5, 0.8, 0.2
_HEIGHT, _BACK, _ROUND, _ANY_VOWEL = 0.7, 0.5, 0.1, 0.05
_CONSONANT_FOR_VOWEL = 1.0
_LEFT_OUT_CONSONANT, _LEFT_OUT_VOWEL, _LEFT_OUT_WEAK = 0.5, 0.7, 0.3
_WEAK = frozenset("hʔɾəᵻɚjwɪʊ")
"""Sounds that are hardly heard where they stand beside others."""

SYMBOLS = {symbol: at for at, symbol in enumerate((*_CONSONANTS, *_VOWELS))}
"""The sounds that we know, with a number for each."""


def distance(one: Sequence[str], other: Sequence[str], at_most: float = 1.0) -> float:
    """Return how different two phrases sound, 0 to 1; 1 as soon as it is known to exceed `at_most`.

    Phonemes are IPA symbols, " " between words. Words that both begin or end with do not count: what
    differs in "fifteen minutes" and "fifty minutes" is the number.
    """
    return distance_of_words(words_of(one), words_of(other), at_most)


def distance_of_words(one: list[Word], other: list[Word], at_most: float = 1.0) -> float:
    """Return the same for phrases that are cut into words."""
    first, second = _differing(one, other)
    if not first or not second:
        first, second = one, other
    a = [sound for word in first for sound in word]
    b = [sound for word in second for sound in word]
    light, heavy = sorted((sum(map(weight, a)), sum(map(weight, b))))
    least = most_edits(heavy) * at_most
    if not heavy or heavy - light > least:
        return 1.0 if heavy else 0.0
    return min(1.0, _edits(a, b, least) / most_edits(heavy))


def most_edits(heavier: float) -> float:
    """Return the cost of edits that makes a distance of 1, by the weight of the heavier phrase."""
    return heavier / (1 + _LONGER * max(0.0, heavier - _SHORT))


def words_of(sounds: Sequence[str]) -> list[Word]:
    """Cut at the spaces. A last ɹ is left out: it is heard or not, by what follows (never, neve(r) again)."""
    words: list[Word] = [()]
    for sound in (*sounds, " "):
        if sound != " ":
            words[-1] = (*words[-1], sound)
        elif words[-1]:
            words[-1] = words[-1][:-1] if len(words[-1]) > 2 and words[-1][-1] == "ɹ" else words[-1]
            words.append(())
    return words[:-1]


def _differing(one: list[Word], other: list[Word]) -> tuple[list[Word], list[Word]]:
    while one and other and one[0] == other[0]:
        one, other = one[1:], other[1:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    return one, other


def _edits(a: Sequence[str], b: Sequence[str], at_most: float) -> float:
    """Return the cost of the cheapest edits; infinite if it exceeds `at_most`."""
    weights = [weight(sound) for sound in b]
    row = [0.0, *accumulate(weights)]
    for left in a:
        out, costs = weight(left), _exchanges(left)
        diagonal, row[0] = row[0], row[0] + out
        cheapest = row[0]
        for at, right in enumerate(b):
            above = row[at + 1]
            cost = diagonal + costs[right]
            if above + out < cost:
                cost = above + out
            if row[at] + weights[at] < cost:
                cost = row[at] + weights[at]
            diagonal, row[at + 1] = above, cost
            if cost < cheapest:
                cheapest = cost
        if cheapest > at_most:
            return math.inf
    return row[-1]


@lru_cache(maxsize=4096)
def weight(sound: str) -> float:
    """Return what it costs to leave a sound out, or to add it."""
    if sound in _WEAK:
        return _LEFT_OUT_WEAK
    return _LEFT_OUT_VOWEL if sound in _VOWELS else _LEFT_OUT_CONSONANT


class _Costs(dict[str, float]):
    """What it costs to make `one` another sound; worked out once each."""

    def __init__(self, one: str) -> None:
        super().__init__()
        self._one = one

    def __missing__(self, other: str) -> float:
        self[other] = cost = _exchange(self._one, other)
        return cost


@lru_cache(maxsize=1024)
def _exchanges(one: str) -> _Costs:
    return _Costs(one)


def _exchange(one: str, other: str) -> float:
    if one == other:
        return 0.0
    if one in _VOWELS and other in _VOWELS:
        (h1, b1, r1), (h2, b2, r2) = _VOWELS[one], _VOWELS[other]
        return _ANY_VOWEL + _HEIGHT * abs(h1 - h2) + _BACK * abs(b1 - b2) + _ROUND * (r1 != r2)
    if one in _CONSONANTS and other in _CONSONANTS:
        (p1, m1, v1), (p2, m2, v2) = _CONSONANTS[one], _CONSONANTS[other]
        return _PLACE * abs(p1 - p2) + _MANNER * abs(m1 - m2) + _VOICE * (v1 != v2)
    return _CONSONANT_FOR_VOWEL


@lru_cache(maxsize=1)
def _costs() -> npt.NDArray[np.float32]:
    """Return what it costs to make each symbol another one, and in the last column to leave it out."""
    return np.array(
        [[*(_exchange(one, other) for other in SYMBOLS), weight(one)] for one in SYMBOLS], np.float32
    )


def cheapest_exchanges(sounds: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return for each of SYMBOLS the least that it costs where it is not the same in `sounds`.

    No phrase with that symbol comes cheaper to `sounds`. 0 for all where one of `sounds` is unknown to us.
    """
    there = {SYMBOLS.get(sound, -2) for sound in sounds if sound != " "}
    if -2 in there:
        return np.zeros(len(SYMBOLS), np.float32)
    found: npt.NDArray[np.float32] = _costs()[:, [*there, -1]].min(axis=1)
    return found
