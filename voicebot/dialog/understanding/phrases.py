"""Which of several meanings does an utterance carry? Closed sets of phrases against tolerant ears.

An utterance is compared with every phrase of every meaning: as a whole, contained in it, nearly the same
(recognisers misspell), or sharing its telling words. What is left over of the utterance casts doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, tokens_of, worded
from voicebot.dialog.understanding.scoring import ACCEPT, AMBIGUOUS, Hit, Meaning, Phrase, decide, partial
from voicebot.dialog.understanding.wording import Wording, wording_of

if TYPE_CHECKING:
    from voicebot.dialog.understanding.nearness import PhraseIndex, Place

__all__ = ["ACCEPT", "AMBIGUOUS", "Hit", "Meaning", "PhraseBook", "best_meaning", "compile_meaning"]

_WEAK_COMMANDS = frozenset(
    ("abort", "again", "back", "human", "options", "pass", "previous", "quit", "reception", "what")
)
"""Commands that are everyday words as well: "my back hurts"."""

_ALL_BUT_SURE = 0.99
"""Score of a phrase and words that say nothing beside it: without them it would be no other."""

_SURE = 1.0
"""Score of an utterance that is a phrase and nothing else."""


def compile_meaning(
    name: str, phrases: tuple[str, ...], lexicon: Lexicon, *, command: bool = False
) -> Meaning:
    """Prepare phrases for comparison. Meanings that many steps share are made once."""
    return _compiled(name, phrases, wording_of(lexicon), command)


@lru_cache(maxsize=4096)
def _compiled(name: str, phrases: tuple[str, ...], wording: Wording, command: bool) -> Meaning:
    lexicon = wording.lexicon
    generic = phrases in (lexicon.yes, lexicon.no) or name in ("yes", "no")
    opposite = {"yes": "no", "no": "yes"}.get(name, "") if generic else ""
    tokens = tuple(
        dict.fromkeys(t for phrase in phrases if (t := worded(tokens_of(phrase, lexicon), lexicon)))
    )
    return Meaning(name, tokens, generic, command, opposite)


def best_meaning(text: str, meanings: tuple[Meaning, ...], lexicon: Lexicon) -> tuple[Meaning, float] | None:
    """Return what the caller most likely means with a score of 0 to 1, or None where nothing is plausible.

    Whoever asks again and again keeps a `PhraseBook`.
    """
    return _book(meanings, wording_of(lexicon)).best(text)


@lru_cache(maxsize=64)
def _book(meanings: tuple[Meaning, ...], wording: Wording) -> PhraseBook:
    return PhraseBook(meanings, wording.lexicon)


class PhraseBook:
    """The meanings of one step. Made ready with the first answer: in 2 ms, then some microseconds an answer.

    Meanings have different names; of two of one name the first counts.
    """

    def __init__(self, meanings: Sequence[Meaning], lexicon: Lexicon) -> None:
        self.meanings = tuple({meaning.name: meaning for meaning in reversed(meanings)}.values())[::-1]
        self._wording = wording_of(lexicon)
        self._judged: dict[Tokens, Meaning | None] = {}

    @cached_property
    def _phrases(self) -> list[Phrase]:
        return [phrase for meaning in self.meanings for phrase in _phrases_of(meaning, self._wording)]

    @cached_property
    def _index(self) -> PhraseIndex:
        from voicebot.dialog.understanding.nearness import PhraseIndex  # numpy: not before the first answer

        return PhraseIndex([phrase.tokens for phrase in self._phrases], self._wording)

    @cached_property
    def _partly(self) -> dict[str, list[int]]:
        """Telling word -> the phrases that have it."""
        found: dict[str, list[int]] = {}
        for at, phrase in enumerate(self._phrases):
            for token in dict.fromkeys(phrase.telling):
                found.setdefault(token, []).append(at)
        return found

    @cached_property
    def _said(self) -> dict[Tokens, list[int]]:
        """What phrases say -> the phrases."""
        found: dict[Tokens, list[int]] = {}
        for at, phrase in enumerate(self._phrases):
            found.setdefault(phrase.tokens, []).append(at)
        return found

    @cached_property
    def _kinds(self) -> list[int]:
        kinds = {meaning.name: at for at, meaning in enumerate(self.meanings)}
        return [kinds[phrase.meaning.name] for phrase in self._phrases]

    def surely(self, text: str) -> Meaning | None:
        """Return the meaning of which `text` is a phrase and nothing else, or None: a look-up, no search."""
        tokens, core = self._wording.words(text)
        return self._sure(tokens) or (None if tokens in self._said else self._sure(core))

    def best(self, text: str) -> tuple[Meaning, float] | None:
        """Return what the caller most likely means with a score of 0 to 1, or None where nothing is."""
        tokens, core = self._wording.words(text)
        if not tokens:
            return None
        # Fillers first stay in, since "please do" and "I think so" are answers; then they are taken out.
        meaning = self._sure(tokens) or (None if tokens in self._said else self._sure(core))
        if meaning is not None:
            return meaning, _SURE
        meaning = self._among_silent_words(tokens)
        if meaning is not None:
            return meaning, _ALL_BUT_SURE
        utterances = (tokens,) if core == tokens else (tokens, core)
        found: tuple[Meaning, float] | None = None
        for words, places in zip(utterances, self._index.places(*utterances), strict=True):
            hits = self._hits(places)
            decided = decide(words, hits, self._partial(words), self.meanings, self._wording)
            if decided is not None and (found is None or decided[1] > found[1]):
                found = decided
            if found is not None and found[1] >= _ALL_BUT_SURE:
                break
        return found

    def _among_silent_words(self, tokens: Tokens) -> Meaning | None:
        """Find "friday" in "on friday, please": one sure phrase, and beside it words that say nothing."""
        wording = self._wording
        telling = tuple(token for token in tokens if token not in wording.silent)
        found = self._telling.get(telling)
        if found is None or not wording.negators.isdisjoint(tokens) or wording.unsure(tokens):
            return None
        if any(phrase.issubset(tokens) for phrase in self._of_silent_words):
            return None
        meaning, phrases = found
        said = any(
            self._sure(p)
            for p in phrases
            if any(tokens[at : at + len(p)] == p for at in range(len(tokens) - len(p) + 1))
        )
        return meaning if said else None

    @cached_property
    def _telling(self) -> dict[Tokens, tuple[Meaning, list[Tokens]]]:
        """Telling words -> the one meaning whose phrases have just these, and those phrases."""
        found: dict[Tokens, tuple[Meaning, list[Tokens]]] = {}
        shared: set[Tokens] = set()
        for phrase in self._phrases if not self._wording.endings else ():
            telling = tuple(token for token in phrase.tokens if token not in self._wording.silent)
            meaning, phrases = found.setdefault(telling, (phrase.meaning, []))
            if meaning.name != phrase.meaning.name or meaning.generic or meaning.command:
                shared.add(telling)
            else:
                phrases.append(phrase.tokens)
        return {words: each for words, each in found.items() if words and words not in shared}

    @cached_property
    def _of_silent_words(self) -> list[frozenset[str]]:
        """The phrases that are made of words which say nothing by themselves: "what was that"."""
        silent = self._wording.silent
        return [
            frozenset(phrase.tokens)
            for phrase in self._phrases
            if not phrase.meaning.generic and silent.issuperset(phrase.tokens)
        ]

    def hits(self, tokens: Tokens) -> list[Hit]:
        """Return every phrase in `tokens`, those within each other as well: what, from where to where."""
        return self._hits(self._index.places(tokens)[0])

    def _hits(self, places: list[Place]) -> list[Hit]:
        phrases = self._phrases
        return [Hit(phrases[at], start, start + length, same) for at, length, start, same in places]

    def _partial(self, tokens: Tokens) -> list[Phrase]:
        """Return the phrases of which the utterance has telling words."""
        if self._partly.keys().isdisjoint(tokens):
            return []
        found = {at for token in tokens for at in self._partly.get(token, ())}
        return [self._phrases[at] for at in sorted(found)]

    def _sure(self, tokens: Tokens) -> Meaning | None:
        """Return what a phrase means that, said alone, needs no thought: none of another meaning is like it.

        All others go the long way: what two meanings share or nearly share, and yes and no in words that
        also tell of something else. A phrase is judged when it is said first: to judge all would take a
        minute for ten thousand.
        """
        places = self._said.get(tokens)
        if places is None:
            return None
        if tokens not in self._judged:
            self._judged[tokens] = next(
                (
                    meaning
                    for at in reversed(places)
                    if not self._index.doubted(at, self._kinds)
                    and not ((meaning := self._phrases[at].meaning).generic and self._tells_more(tokens))
                ),
                None,
            )
        return self._judged[tokens]

    def _tells_more(self, tokens: Tokens) -> bool:
        """Whether a yes or no is in doubt, or may hint at something else."""
        return self._wording.unsure(tokens) or bool(partial(self._partial(tokens), tokens, self._wording))


@lru_cache(maxsize=4096)
def _phrases_of(meaning: Meaning, wording: Wording) -> tuple[Phrase, ...]:
    return tuple(_phrase(meaning, tokens, wording) for tokens in meaning.phrases)


def _phrase(meaning: Meaning, tokens: Tokens, wording: Wording) -> Phrase:
    closed = meaning.generic or meaning.command or wording.lexicon.endings
    telling = () if closed else tuple(token for token in tokens if token not in wording.silent)
    return Phrase(
        meaning,
        tokens,
        weak=_is_weak(tokens, meaning, wording),
        negating=not wording.negators.isdisjoint(tokens),
        telling=telling if len(telling) >= 2 else (),
    )


def _is_weak(tokens: Tokens, meaning: Meaning, wording: Wording) -> bool:
    text = " ".join(tokens)
    if meaning.generic:
        return text in wording.lexicon.weak
    if meaning.command:
        return text in _WEAK_COMMANDS or wording.silent.issuperset(tokens)
    return False
