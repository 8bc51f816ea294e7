"""How people begin a correction: "no, I said", "change the day to"."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import Tokens, tokens_of
from voicebot.dialog.model.dialog import Dialog


class _Beginnings:
    """Phrases that an utterance may begin with, found by a look-up for each length."""

    def __init__(self, phrases: Iterable[Tokens]) -> None:
        self._phrases = frozenset(phrase for phrase in phrases if phrase)
        self._lengths = sorted({len(phrase) for phrase in self._phrases}, reverse=True)
        self.first = frozenset(phrase[0] for phrase in self._phrases)

    def longest(self, words: Tokens) -> Tokens:
        """Return the longest phrase that `words` begin with; () for none."""
        if not words or words[0] not in self.first:
            return ()
        return next((words[:n] for n in self._lengths if words[:n] in self._phrases), ())


class Openings:
    """The beginnings of corrections in one language, with the names of a dialog's slots."""

    def __init__(self, dialogs: tuple[Dialog, ...], language: str) -> None:
        lexicon = lexicon_of(language)
        self._softeners = _Beginnings(tokens_of(word, lexicon) for word in lexicon.softeners)
        self._cues = _Beginnings(tokens_of(cue, lexicon) for cue in lexicon.corrects)
        self._slots: dict[Tokens, str] = {}
        for dialog in dialogs:
            for slot, spec in dialog.file.slots.items():
                for name in dialog.phrases_in(language, spec.called or (slot.replace("_", " "),)):
                    for change in lexicon.changes:
                        said = change.replace("{called}", name.removeprefix("the "))
                        self._slots.setdefault(tokens_of(said, lexicon), slot)
        self._changes = _Beginnings(self._slots)
        self._after = frozenset(tokens_of(cue, lexicon) for cue in lexicon.corrects_after)
        self._last = frozenset(cue[-1] for cue in self._after)
        self._takes_back = _Beginnings(tokens_of(word, lexicon) for word in lexicon.takes_back)
        self._negators = lexicon.negators
        self._excepts = lexicon.excepts
        self._first = self._softeners.first | self._cues.first | self._changes.first
        self._called = {
            tokens_of(name.removeprefix("the "), lexicon): slot
            for dialog in dialogs
            for slot, spec in dialog.file.slots.items()
            for name in dialog.phrases_in(language, spec.called or (slot.replace("_", " "),))
        }

    def begin(self, words: Tokens) -> bool:
        """Whether `words` may be a correction, by the first or last of them or a "not"; most are none."""
        return words[0] in self._first or words[-1] in self._last or self.denies(words)

    def denies(self, words: Tokens) -> bool:
        """Whether something is ruled out: "not Tuesday, Friday"."""
        return not self._negators.isdisjoint(words)

    def takes_back(self, words: Tokens) -> bool:
        """Whether `words` begin like those of somebody who takes an answer back: "no", "actually"."""
        return bool(self._takes_back.longest(words))

    def excepted(self, words: Tokens) -> Tokens:
        """Return what follows the "but" of "yes, but Friday"; () where there is none."""
        at = next((at for at, word in enumerate(words) if word in self._excepts), len(words))
        return words[at:] if at else ()

    def before_cue(self, words: Tokens) -> Tokens | None:
        """Return what precedes "I mean" at the end; None where there is no such cue, or nothing before it."""
        for length in range(min(4, len(words) - 1), 0, -1):
            if words[-length:] in self._after:
                return words[:-length]
        return None

    def softened(self, words: Tokens) -> Tokens:
        """Take away "no", "sorry" and the like at the start."""
        while (softener := self._softeners.longest(words)) and len(softener) < len(words):
            words = words[len(softener) :]
        return words

    def after_cue(self, words: Tokens) -> Tokens | None:
        """Return what follows "I said"; None where there is no such cue, or nothing after it."""
        cue = self._cues.longest(words)
        return words[len(cue) :] if cue and len(cue) < len(words) else None

    def named(self, words: Tokens) -> Iterator[tuple[str, Tokens]]:
        """Yield the slot whose name follows "change the", and what follows that."""
        change = self._changes.longest(words)
        if change:
            yield self._slots[change], words[len(change) :]

    def named_last(self, words: Tokens) -> Iterator[tuple[str, Tokens]]:
        """Yield the slot whose name stands last, and what precedes it: "four people"."""
        for length in range(min(3, len(words) - 1), 0, -1):
            slot = self._called.get(words[-length:])
            if slot is not None:
                yield slot, words[:-length]
                return


@lru_cache(maxsize=256)
def openings_of(dialogs: tuple[Dialog, ...], language: str) -> Openings:
    """Return the beginnings of corrections where these dialogs are open."""
    return Openings(dialogs, language)
