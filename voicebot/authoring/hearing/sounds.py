"""Which answers of a dialog sound alike, so that a recogniser may take one for the other?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from voicebot.authoring.hearing.heard import Heard, choices_of, commands_of, values_of
from voicebot.authoring.hearing.soundlike import (
    ALIKE,
    SYMBOLS,
    Word,
    cheapest_exchanges,
    distance_of_words,
    most_edits,
    weight,
    words_of,
)
from voicebot.dialog.checking.finding import Finding, Path
from voicebot.dialog.language.languages import known, lexicon_of
from voicebot.dialog.language.text import plain
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.model.words import COMMANDS
from voicebot.engines.phonemes import pronounce

Phonemes = Callable[[str, str], tuple[str, ...]]
"""Phrase, language -> its sounds: IPA symbols, " " between words."""

USUAL = 3
"""Phrases of the language for yes, no and each command that are looked at: those that most callers say."""
MOST_PHRASES = 1000
"""Of one place; those of longer lists are not looked at."""
MOST_TOLD = 10
"""Pairs that are told of one place."""
MOST_COMPARED = 300_000
"""Pairs of phrases of one dialog and language that are compared sound by sound: seconds."""
_ROUNDING = 1e-4
REMEDY = "use words that sound different, or give both a key"


class Pair(NamedTuple):
    """Two phrases of different meanings that sound alike; `distance` is 0 for the same sound."""

    one: str
    phrase: str
    other: str
    other_phrase: str
    distance: float


def sound_alike(phrases: Mapping[str, Sequence[str]], phonemes: Phonemes, language: str) -> list[Pair]:
    """Return the phrases of different meanings that sound alike, the likest first."""
    heard = [Heard(meaning, phrase, ()) for meaning, said in phrases.items() for phrase in said]
    pairs = [
        Pair(one.meaning, one.phrase, other.meaning, other.phrase, far)
        for one, other, far in Ear(phonemes, language).alike(heard, [])
    ]
    return sorted(pairs, key=lambda pair: pair.distance)


def sound_findings(dialog: Dialog, phonemes: Phonemes | None = None) -> list[Finding]:
    """Return a warning for each two meanings that sound alike where both are understood.

    Choices of a step or slot among each other, with yes and no where they are answers, and with the commands
    that are understood everywhere. Each pair of meanings is told once a place, by its likest phrases.
    `phonemes` is espeak-ng's where it is not given. Included dialogs are looked at by themselves.
    """
    findings: list[Finding] = []
    phonemes = phonemes or pronounce()
    for language in dialog.languages:
        if not known(language):
            continue
        ear = Ear(phonemes, language)
        commands = list(_commands(dialog, language))
        for answers, others in _places(dialog, language, commands):
            findings += _told(ear.alike(answers[:MOST_PHRASES], others))
            if not ear.left:
                break
        if not ear.left:
            what = f"has too many phrases that are somewhat alike: {MOST_COMPARED} pairs were compared"
            findings.append(Finding(("steps",), what, "offer less in a step", "sound", True, True))
    return list(dict.fromkeys(findings))


class Ear:
    """Compares phrases of one language by their sounds; each is pronounced once."""

    def __init__(self, phonemes: Phonemes, language: str) -> None:
        self._phonemes = phonemes
        self._language = language
        self._known: dict[str, _Sound] = {}
        self.left = MOST_COMPARED

    def alike(self, heard: Sequence[Heard], others: Sequence[Heard]) -> list[tuple[Heard, Heard, float]]:
        """Return the pairs of different meanings that sound alike: of `heard`, and of one with `others`.

        The second of a pair is the later one of `heard`. Pairs of which no author wrote either are left out.
        """
        everyone = [*heard, *others]
        sounds = [self._sound(each.phrase) for each in everyone]
        found = []
        for at, second in _likely(sounds, len(heard)):
            one, other = everyone[at], everyone[second]
            if one.meaning == other.meaning or (one.path is None and other.path is None):
                continue
            if sounds[at].said == sounds[second].said:
                continue  # the same words: not a matter of sound
            if not self.left:
                break
            self.left -= 1
            far = distance_of_words(sounds[at].words, sounds[second].words, ALIKE)
            if far < ALIKE:
                found.append((one, other, far) if second < len(heard) else (other, one, far))
        return found

    def _sound(self, phrase: str) -> _Sound:
        found = self._known.get(phrase)
        if found is None:
            found = self._known[phrase] = _Sound.of(phrase, self._phonemes(phrase, self._language))
        return found


class _Sound(NamedTuple):
    """A phrase as it is pronounced.

    said:     its words, without punctuation
    words:    the sounds of each
    ends:     its first and last word, as numbers
    total:    the weight of its sounds
    counts:   how often it has each of SYMBOLS
    nearest:  what each of SYMBOLS costs at the least to become one of its sounds
    """

    said: str
    words: list[Word]
    ends: tuple[int, int]
    total: float
    counts: npt.NDArray[np.float32]
    nearest: npt.NDArray[np.float32]

    @classmethod
    def of(cls, phrase: str, sounds: tuple[str, ...]) -> _Sound:
        words = words_of(sounds)
        heard = [sound for word in words for sound in word]
        counts = np.zeros(len(SYMBOLS), np.float32)
        for sound in heard:
            if sound in SYMBOLS:
                counts[SYMBOLS[sound]] += 1
        ends = (hash(words[0]), hash(words[-1])) if words else (0, 0)
        return cls(plain(phrase), words, ends, sum(map(weight, heard)), counts, cheapest_exchanges(heard))


def _likely(sounds: Sequence[_Sound], own: int) -> Iterator[tuple[int, int]]:
    """Yield the pairs that may be alike, at least one of the first `own`: most are ruled out all at once.

    No edits cost less than exchanging each sound for the likest that the other phrase has. Of phrases that
    share words, only the others count, of which we know that they weigh no more than all.
    """
    if not own or len(sounds) < 2:
        return
    counts = np.stack([sound.counts for sound in sounds])
    nearest = np.stack([sound.nearest for sound in sounds])
    total = np.array([sound.total for sound in sounds], np.float32)
    most = np.array([most_edits(sound.total) for sound in sounds], np.float32)
    ends = np.array([sound.ends for sound in sounds])
    least = np.maximum(counts[:own] @ nearest.T, (counts @ nearest[:own].T).T)
    least = np.maximum(least, np.abs(total[:own, None] - total[None, :]))
    share = (ends[:own, None, :] == ends[None, :, :]).any(axis=2)
    scale = np.where(share, np.maximum(total[:own, None], total), np.maximum(most[:own, None], most))
    for one, other in np.argwhere(least <= ALIKE * scale + _ROUNDING).tolist():
        if one < other:
            yield one, other


def _told(pairs: Iterable[tuple[Heard, Heard, float]]) -> Iterator[Finding]:
    """Yield a finding for each two meanings, by their likest phrases."""
    likest: dict[frozenset[str], tuple[Heard, Heard, float]] = {}
    for pair in pairs:
        both = frozenset((pair[0].meaning, pair[1].meaning))
        if both not in likest or pair[2] < likest[both][2]:
            likest[both] = pair
    ranked = sorted(likest.values(), key=lambda pair: pair[2])
    for one, other, _ in ranked[:MOST_TOLD]:
        here, there = (other, one) if other.path is not None else (one, other)
        what = f'"{here.phrase}" sounds like "{there.phrase}" (`{there.meaning}`)'
        assert here.path is not None, "an author wrote one of them"
        yield Finding(here.path, what, REMEDY, "sound", True, here.at_key, here.table)


def _commands(dialog: Dialog, language: str) -> Iterator[Heard]:
    """Yield what is understood in every step."""
    lexicon = lexicon_of(language)
    for name in COMMANDS:
        own = dialog.file.always.get(name)
        on = name != "agent" if own is None else not own.off
        if on and name != "skip" and (name != "opt_out" or dialog.file.outbound):
            yield from (Heard(name, phrase) for phrase in lexicon.commands.get(name, ())[:USUAL])
    yield from commands_of(dialog, language)


def _usual(meanings: Iterable[str], language: str, path: Path | None = None) -> Iterator[Heard]:
    """Yield the usual words for yes and no, if they are among `meanings`."""
    lexicon = lexicon_of(language)
    for meaning, phrases in (("yes", lexicon.yes), ("no", lexicon.no)):
        if meaning in meanings:
            at = (*path, meaning) if path is not None else None
            yield from (Heard(meaning, phrase, at, True) for phrase in phrases[:USUAL])


def _places(
    dialog: Dialog, language: str, commands: list[Heard]
) -> Iterator[tuple[list[Heard], list[Heard]]]:
    """Yield what is understood together: what was written there, and what is beside it.

    Values of a slot are compared among each other and with commands once, not in each step that fills it.
    """
    yield (
        [each for each in commands if each.path is not None],
        [each for each in commands if each.path is None],
    )
    values: dict[str, list[Heard]] = {}
    for name, slot in dialog.file.slots.items():
        values[name] = list(values_of(dialog, language, name))
        if values[name]:
            values[name] += _usual(slot.choices, language, ("slots", name, "choices"))
            yield values[name], commands
        elif slot.type == "yes_no":
            values[name] = list(_usual(("yes", "no"), language))
    for name, step in dialog.file.steps.items():
        if step.choices:
            answers = list(choices_of(dialog, language, name))
            answers += _usual(step.choices, language, ("steps", name, "choices"))
            beside = [heard for slot in step.fill for heard in values.get(slot, ())]
            yield answers, [*beside, *commands]
