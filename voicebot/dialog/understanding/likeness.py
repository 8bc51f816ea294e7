"""How alike are sentences? By their words and parts of words, weighed by how much each tells (tf-idf).

No model: what tells intents apart is learnt from their examples alone. Words that no example has count
against likeness, so that talk of other things is like nothing; a negated word is another word than itself.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from voicebot.dialog.language.text import Tokens
from voicebot.dialog.understanding.wording import Wording

Floats = npt.NDArray[np.float32]

_NEGATED = "\u00ac"
"""Before a word: it is negated."""
_NEGATED_TELLING = 2
"""Telling words that one negator turns round, at the most: "not calling about a bill"."""
_CLAUSE = frozenset(
    [
        "i",
        "we",
        "you",
        "they",
        "he",
        "she",
        "it",
        "but",
        "and",
        "so",
        "because",
        "can",
        "could",
        "please",
        "or",
        "that",
        "if",
    ]
)
"""Words with which something new begins, which an earlier negator does not reach."""
_DENIED = frozenset(
    [
        "say",
        "said",
        "saying",
        "mean",
        "meant",
        "ask",
        "asked",
        "asking",
        "call",
        "called",
        "calling",
        "talking",
    ]
)
"""Verbs that pass on what negates them: "I never said that I wanted to cancel"."""
_KOREAN_STEM = 2
"""Syllables of a Korean word that are seldom an ending."""
_NEGATORS = frozenset(("nobody",))
"""Beside those of the language."""
_NOT_NEGATING = frozenset(("longer", "more"))
"""After "no": it speaks of an end, as "cancel" does."""
_KOREAN_NEGATED_BY = ("않", "마세요", "마십시오", "말아", "말고", "없")
"""Beginnings of Korean words that negate what stands before them."""
_GRAMS = (3, 4)
"""Letters of parts of words."""
_SYLLABLES = (1, 2)
"""The same in Korean syllables, which hold two or three letters each."""
_WORD, _GRAM = 1.0, 1.0
_PAIRS = (0.1, 0.3, 0.3)
"""Weights of words, pairs of neighbours, and parts of words."""
_SILENT = 0.15
"""How much a function word weighs beside a telling one."""

_UNKNOWN = 1.6
"""How much a word that no example has weighs beside the rarest that one has."""


def marked(tokens: Tokens, wording: Wording) -> Tokens:
    """Return `tokens` without negators, with a mark on each word that they negate."""
    if wording.lexicon.endings:
        return _marked_korean(tokens, wording)
    out: list[str] = []
    reach = 0
    for at, token in enumerate(tokens):
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        if (
            token in wording.lexicon.negators
            or token in _NEGATORS
            or (token == "no" and at and following not in _NOT_NEGATING)
        ):
            reach = _NEGATED_TELLING
            continue
        if token in _DENIED and reach:
            reach = len(tokens)
        if token in _CLAUSE and (reach <= _NEGATED_TELLING or token == "but"):
            reach = 0
        if reach and token not in wording.silent:
            reach -= 1
            token = _NEGATED + token
        out.append(token)
    return tuple(out)


def _marked_korean(tokens: Tokens, wording: Wording) -> Tokens:
    out: list[str] = []
    before = False
    for at, token in enumerate(tokens):
        if token in wording.lexicon.negators:
            before = True
            following = tokens[at + 1] if at + 1 < len(tokens) else ""
            out[-1:] = [_NEGATED + t for t in out[-1:]] if following in wording.silent else out[-1:]
        elif token.startswith(_KOREAN_NEGATED_BY) and out:
            out[-2:] = [_NEGATED + t.lstrip(_NEGATED) for t in out[-2:]]
        else:
            out.append(_NEGATED + token if before else token)
            before = False
    return tuple(out)


def features_of(tokens: Tokens, wording: Wording) -> dict[str, float]:
    """Return what a sentence is made of, by kind and weight, before its rarity is weighed."""
    found: defaultdict[str, float] = defaultdict(float)
    tokens = marked(tokens, wording)
    words = [stem(token) for token in tokens]
    syllabic = bool(wording.lexicon.endings)
    for token, word in zip(tokens, words, strict=True):
        bare = token.lstrip(_NEGATED)
        weight = _SILENT if bare in wording.silent else 1.0
        mark = _NEGATED if token[0] == _NEGATED else ""
        found["w " + word] += _WORD * weight
        if weight < 1.0 and not syllabic:
            continue
        padded = bare if syllabic else f"^{stem(bare)}$"
        sizes = _SYLLABLES if syllabic else _GRAMS
        grams = [padded[at : at + size] for size in sizes for at in range(len(padded) - size + 1)]
        for gram in grams:
            found[f"g {mark}{gram}"] += _GRAM * weight / math.sqrt(len(grams))
    for (one, said), (other, then) in pairwise(zip(words, tokens, strict=True)):
        telling = (said not in wording.silent) + (then not in wording.silent)
        found[f"p {one} {other}"] += _PAIRS[telling]
    return found


def stem(word: str) -> str:
    """Leave out the commonest English endings: booked and books are book; in Korean all that inflects."""
    if "\uac00" <= word.lstrip(_NEGATED)[:1] <= "\ud7a3":
        return word[: _KOREAN_STEM + word.count(_NEGATED)]
    for ending in ("ings", "ing", "ied", "ies", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3 and not word.endswith("ss"):
            root = word[: -len(ending)]
            return root + "y" if ending in ("ied", "ies") else root.rstrip("e")
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


def stems_of(tokens: Tokens, wording: Wording) -> frozenset[str]:
    """Return the telling words of a sentence that it does not negate."""
    return frozenset(stem(t) for t in marked(tokens, wording) if t[0] != _NEGATED and t not in wording.silent)


def negated_of(tokens: Tokens, wording: Wording) -> frozenset[str]:
    """Return the words of a sentence that it negates."""
    return frozenset(stem(t[1:]) for t in marked(tokens, wording) if t[0] == _NEGATED)


class Likeness:
    """The likeness of any sentence to each of some examples."""

    def __init__(self, examples: Sequence[Tokens], wording: Wording) -> None:
        self._wording = wording
        sets = [features_of(tokens, wording) for tokens in examples]
        having = Counter(feature for features in sets for feature in features)
        self._rarity = {f: math.log((1 + len(sets)) / (1 + count)) + 1 for f, count in having.items()}
        self._unknown = _UNKNOWN * (math.log(1 + len(sets)) + 1)
        self._column = {feature: at for at, feature in enumerate(self._rarity)}
        self._weights = np.zeros((len(self._column), len(sets)), np.float32)
        for at, features in enumerate(sets):
            weighed = {feature: weight * self._rarity[feature] for feature, weight in features.items()}
            norm = math.sqrt(sum(weight * weight for weight in weighed.values())) or 1.0
            for feature, weight in weighed.items():
                self._weights[self._column[feature], at] = weight / norm

    def to(self, tokens: Tokens) -> Floats:
        """Return the cosine, 0 to 1, of `tokens` with each example."""
        features = features_of(tokens, self._wording)
        total = 0.0
        known: list[int] = []
        weights: list[float] = []
        for feature, weight in features.items():
            at = self._column.get(feature)
            weight *= self._unknown if at is None else self._rarity[feature]
            total += weight * weight
            if at is not None:
                known.append(at)
                weights.append(weight)
        if not known:
            return np.zeros(self._weights.shape[1], np.float32)
        found: Floats = np.array(weights, np.float32) @ self._weights[known] / np.float32(math.sqrt(total))
        return found
