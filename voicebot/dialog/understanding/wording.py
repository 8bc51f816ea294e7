"""A language as comparing phrases needs it: sets instead of lists, and utterances cut into words."""

from __future__ import annotations

import re
from dataclasses import dataclass

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, tokens_of, worded

_LONGEST_TOKENS = 40
"""Words of an utterance; no answer is longer."""

_SIMPLE = re.compile(r"[A-Za-z\uac00-\ud7a3' ,.!?;]*")
"""Text of which words are what stands between the spaces, short forms apart."""
_PUNCTUATION = str.maketrans(",.!?;", "     ")


@dataclass(frozen=True, eq=False)
class Wording:
    """What `lexicon` says, made ready for comparing.

    silent:     words that say nothing of their own
    negators:   words that turn a phrase round, "no" among them
    endings:    one or two particles in a row
    decoys:     joined words -> the numbers of words that phrases have which hold an answer and are none
    """

    lexicon: Lexicon
    silent: frozenset[str]
    negators: frozenset[str]
    endings: frozenset[str]
    decoys: dict[str, set[int]]
    longest_decoy: int
    fillers: dict[str, tuple[Tokens, ...]]
    short: frozenset[str]

    def words(self, text: str) -> tuple[Tokens, Tokens]:
        """Return the words of `text`, and the same without fillers (all of them, where it has no others)."""
        tokens = self._plain(text) if _SIMPLE.fullmatch(text) else None
        if tokens is None:
            tokens = worded(tokens_of(text, self.lexicon), self.lexicon)
        tokens = tokens[:_LONGEST_TOKENS]
        return tokens, self._without_fillers(tokens)

    def _plain(self, text: str) -> Tokens | None:
        """Cut where `tokens_of` would, in a fifth of its time; None for what only it can read."""
        if len(text) > _LONGEST_SIMPLE:
            return None
        tokens = text.translate(_PUNCTUATION).lower().split()
        if "'" in text or not self.short.isdisjoint(tokens):
            contractions = self.lexicon.contractions
            if any(token == "m" or ("'" in token and token not in contractions) for token in tokens):
                return None  # "p m" is one word
            return tuple(word for token in tokens for word in contractions.get(token, token).split())
        return tuple(tokens)

    def _without_fillers(self, tokens: Tokens) -> Tokens:
        if self.fillers.keys().isdisjoint(tokens):
            return tokens
        kept: list[str] = []
        at = 0
        while at < len(tokens):
            for filler in self.fillers.get(tokens[at], ()):
                if tokens[at : at + len(filler)] == filler:
                    at += len(filler)
                    break
            else:
                kept.append(tokens[at])
                at += 1
        return tuple(kept) or tokens

    def unsure(self, tokens: Tokens) -> bool:
        """Whether the speaker has said not to know."""
        joined = f" {' '.join(tokens)} "
        end = "" if self.lexicon.endings else " "
        return any(f" {phrase}{end}" in joined for phrase in self.lexicon.unsure)


_LONGEST_SIMPLE = 500
"""Characters."""

_wordings: dict[int, Wording] = {}


def wording_of(lexicon: Lexicon) -> Wording:
    """Return the wording of `lexicon`; made once, there are as many as languages."""
    found = _wordings.get(id(lexicon))
    if found is None:
        found = _wordings[id(lexicon)] = _make(lexicon)
    return found


def _make(lexicon: Lexicon) -> Wording:
    decoys: dict[str, set[int]] = {}
    for decoy in lexicon.decoys:
        decoys.setdefault(decoy.replace(" ", ""), set()).add(len(decoy.split()))
    fillers: dict[str, tuple[Tokens, ...]] = {}
    for filler in sorted((tuple(f.split()) for f in lexicon.fillers), key=len, reverse=True):
        fillers[filler[0]] = (*fillers.get(filler[0], ()), filler)
    endings = lexicon.endings
    return Wording(
        lexicon,
        silent=lexicon.stopwords | frozenset(lexicon.fillers),
        negators=lexicon.negators | {"no"},
        endings=frozenset((*endings, *(first + second for first in endings for second in endings))),
        decoys=decoys,
        longest_decoy=max((max(sizes) for sizes in decoys.values()), default=0),
        fillers=fillers,
        short=frozenset((*lexicon.contractions, "m")),
    )
