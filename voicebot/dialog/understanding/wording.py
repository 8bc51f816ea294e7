"""A language as comparing phrases needs it: sets instead of lists, and utterances cut into words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, tokens_of, without_fillers, worded

_LONGEST_TOKENS = 40
"""Words of an utterance; no answer is longer."""


@dataclass(frozen=True, eq=False)
class Wording:
    """What `lexicon` says, made ready for comparing.

    silent:     words that say nothing of their own
    negators:   words that turn a phrase round, "no" among them
    endings:    one or two particles in a row
    doubts:     what those say who do not know, with the spaces around it
    inverted:   the two words with which a question begins that has the words of an answer
    subjects:   after one of these such words are no question: "if I can I will"
    decoys:     joined words -> the numbers of words that phrases have which hold an answer and are none
    """

    lexicon: Lexicon
    silent: frozenset[str]
    negators: frozenset[str]
    endings: frozenset[str]
    decoys: dict[str, set[int]]
    longest_decoy: int
    doubts: tuple[str, ...]
    inverted: frozenset[Tokens]
    subjects: frozenset[str]

    def words(self, text: str) -> tuple[Tokens, Tokens]:
        """Return the words of `text`, and the same without fillers (all of them, where it has no others)."""
        tokens = worded(tokens_of(text, self.lexicon), self.lexicon)[:_LONGEST_TOKENS]
        return tokens, without_fillers(tokens, self.lexicon)

    def unsure(self, tokens: Tokens) -> bool:
        """Whether the speaker has said not to know."""
        joined = f" {' '.join(tokens)} "
        return any(doubt in joined for doubt in self.doubts)

    def question_at(self, tokens: Tokens) -> int:
        """Return where a question of the caller begins: "can I come"; -1 where there is none."""
        for at, pair in enumerate(pairwise(tokens)):
            if pair in self.inverted and not (at and tokens[at - 1] in self.subjects):
                return at
        return -1


@cache  # there are as many as languages
def wording_of(lexicon: Lexicon) -> Wording:
    """Return the wording of `lexicon`."""
    decoys: dict[str, set[int]] = {}
    for decoy in lexicon.decoys:
        decoys.setdefault(decoy.replace(" ", ""), set()).add(len(decoy.split()))
    endings = lexicon.endings
    return Wording(
        lexicon,
        silent=lexicon.stopwords | frozenset(lexicon.fillers),
        negators=lexicon.negators | {"no"},
        endings=frozenset((*endings, *(first + second for first in endings for second in endings))),
        decoys=decoys,
        doubts=tuple(f" {phrase}{'' if endings else ' '}" for phrase in lexicon.unsure),
        inverted=frozenset(tuple(words.split()) for words in lexicon.inverted),
        subjects=frozenset(words.split()[-1] for words in lexicon.inverted),
        longest_decoy=max((max(sizes) for sizes in decoys.values()), default=0),
    )
