"""Which of the choices is "the second one", "the last", "option three"? They count in the author's order."""

from __future__ import annotations

from itertools import pairwise

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import tokens_of, without_fillers

MOST_CHOICES = 10
"""Nobody counts further."""


def place_told(text: str, count: int, lexicon: Lexicon) -> int | None:
    """Return the place (from 0) that `text` tells among `count` choices; None where it tells none or more."""
    if not 2 <= count <= MOST_CHOICES:
        return None
    tokens = without_fillers(tokens_of(text, lexicon), lexicon)
    if lexicon.endings:  # particles are written together with what they follow
        told = _stem("".join(tokens), lexicon)
    else:
        if any(pair in lexicon.no_ordinals for pair in pairwise(tokens)):
            return None
        told = " ".join(token for token in tokens if token not in lexicon.beside_ordinals)
    place = lexicon.ordinals.get(told)
    if place is None or not -count <= place < count:
        return None
    return place % count


def _stem(word: str, lexicon: Lexicon) -> str:
    tails = sorted((*lexicon.beside_ordinals, *lexicon.endings), key=len, reverse=True)
    for _ in range(2):
        word = next((word.removesuffix(t) for t in tails if word.endswith(t) and word != t), word)
    return word
