"""What does a caller want who says it in words that no phrase foresees? The intent whose examples are likest.

The third layer of understanding, after the grammar and close matches. It answers only where one intent is
likely and clearly likelier than the next; whoever speaks of something else, or says what they do not want, is
rejected and asked again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens
from voicebot.dialog.model.dialog import Vectors
from voicebot.dialog.understanding.likeness import Floats, Likeness, negated_of, stems_of
from voicebot.dialog.understanding.wording import wording_of

LEAST_SCORE, GREATEST_SCORE = 0.6, 0.89
"""Scores of what is just accepted, and of what is as good as an example: never as sure as a phrase."""

_LIKEST = 4
"""Examples of an intent that count together, the likest of all once more."""
_MARGIN = 0.5
"""How much the distance to the next intent adds to the likeness."""
_ENOUGH = 0.30
"""Likeness and margin from which on an intent is taken, with words alone; of 40 sentences of other things
2 pass (tests/data/intents)."""
_GOOD = 1.0
_VECTORS = 0.5
"""What the likeness of sentence vectors counts beside that of words."""
_ENOUGH_VECTORS = 0.62
_GOOD_VECTORS = 1.4
_OPPOSED = 0.4
"""What remains of the likeness of vectors where one sentence negates what the other says: they hardly see
it."""
_APART = 0.03
"""Intents that are nearer to each other than this are both meant, or neither."""


class Intents:
    """Intents by their examples. Made ready with the first question, in a millisecond for 50 examples.

    examples:    intent -> sentences that callers might use (`examples` and `hear` of a choice)
    similarity:  vectors of sentences, which know of words that no example has; without, words alone count
    """

    def __init__(
        self, examples: Mapping[str, Sequence[str]], lexicon: Lexicon, *, similarity: Vectors | None = None
    ) -> None:
        self.names = tuple(name for name, sentences in examples.items() if sentences)
        self._texts = [text for name in self.names for text in examples[name]]
        self._owners = [at for at, name in enumerate(self.names) for _ in examples[name]]
        self._wording = wording_of(lexicon)
        self._vectors = similarity

    @cached_property
    def _sentences(self) -> list[Tokens]:
        return [self._wording.words(text)[1] for text in self._texts]

    @cached_property
    def _likeness(self) -> Likeness:
        return Likeness(self._sentences, self._wording)

    @cached_property
    def _spans(self) -> list[tuple[int, int]]:
        """Where the examples of each intent stand."""
        return [
            (self._owners.index(at), self._owners.index(at) + self._owners.count(at))
            for at in range(len(self.names))
        ]

    @cached_property
    def _encoded(self) -> Floats | None:
        return None if self._vectors is None else self._vectors.encode(self._texts)

    @cached_property
    def _polarity(self) -> list[tuple[frozenset[str], frozenset[str]]]:
        """Of each example the words that it says, and those that it negates."""
        return [self._said_and_negated(tokens) for tokens in self._sentences]

    def _said_and_negated(self, tokens: Tokens) -> tuple[frozenset[str], frozenset[str]]:
        return stems_of(tokens, self._wording), negated_of(tokens, self._wording)

    def best(self, text: str) -> tuple[str, float] | None:
        """Return the intent that `text` most likely has with a score of 0.6 to 0.89, or None when unsure."""
        tokens = self._wording.words(text)[1]
        if not self.names or not tokens:
            return None
        values = self.likeness(text)
        order = np.argsort(-values)
        first = float(values[order[0]])
        second = float(values[order[1]]) if len(order) > 1 else 0.0
        sure = first + _MARGIN * (first - second)
        enough, good = (_ENOUGH, _GOOD) if self._vectors is None else (_ENOUGH_VECTORS, _GOOD_VECTORS)
        if sure < enough or first - second < _APART:
            return None
        part = min(1.0, (sure - enough) / (good - enough))
        return self.names[order[0]], LEAST_SCORE + (GREATEST_SCORE - LEAST_SCORE) * part

    def likeness(self, text: str) -> Floats:
        """Return how like `text` is to each intent, in the order of `names`."""
        tokens = self._wording.words(text)[1]
        found = self._by_intent(self._likeness.to(tokens))
        if self._vectors is not None and self._encoded is not None:
            alike = self._encoded @ self._vectors.encode([text])[0]
            said, negated = self._said_and_negated(tokens)
            for at, (said_there, negated_there) in enumerate(self._polarity):
                if negated & said_there or negated_there & said:
                    alike[at] *= _OPPOSED
            found = found + np.float32(_VECTORS) * self._by_intent(alike)
        return found

    def _by_intent(self, alike: Floats) -> Floats:
        values = []
        for start, end in self._spans:
            own = np.sort(alike[start:end])[::-1]
            values.append(0.5 * own[0] + own[:_LIKEST].mean())
        return np.array(values, np.float32)
