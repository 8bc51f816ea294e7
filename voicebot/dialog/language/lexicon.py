"""What the bot knows of a language: how people say yes, digits and commands, and what it says by itself.

A language is data (`english.py`, `korean.py`), so that a new one is a new file and no new code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Phrases = tuple[str, ...]


def listed(text: str) -> Phrases:
    """Read "yes, of course" as a tuple of phrases."""
    return tuple(phrase for part in text.split(",") if (phrase := " ".join(part.split())))


def mapped(text: str) -> dict[str, str]:
    """Read "i'm: i am, it's: it is" as a mapping."""
    return {key.strip(): value.strip() for key, _, value in (part.partition(":") for part in listed(text))}


@dataclass(frozen=True, slots=True, eq=False)
class Lexicon:
    """One language. All phrases are lower case without punctuation, contractions already expanded.

    yes, no:        complete answers, the most usual first
    weak:           words of `yes`/`no` that also occur inside other sentences: they count only nearly alone
    unsure:         whoever says this has not answered
    inverted:       how a question of the caller begins that has the words of an answer ("can I come")
    nameless:       whoever says this, or something of `unsure`, has not told a name
    fillers:        words and phrases that carry no meaning, removed before matching
    stopwords:      function words, which do not count as "something else was said"
    negators:       words that negate what follows within two words
    negators_after: words that negate what precedes them (Korean)
    contractions:   spoken short forms and what they stand for
    endings:        what may follow a word without changing it (Korean particles)
    ordinals:       which of the choices is meant, from 0, -1 the last ("second": 1); `beside_ordinals`: words
                    around it; `no_ordinals`: pairs of words that are none ("one second")
    pressing:       what stands beside the key of a choice, where callers say it ("press two", "number two")
    digits:         word -> digit; `homophones` count only between digits
    multipliers:    "double" -> 2, "triple" -> 3
    tens, scales:   further words of numbers: from ten to ninety-nine, and those that multiply
    weekdays:       ISO name -> its spoken forms
    decoys:         phrases that hold an answer and are none ("good morning")
    in_grammars:    of the phrases for yes, no and each command, how many a recogniser's grammar holds (0:
                    all; a small model confuses many; whatever it does hear is matched with all of them)
    counted:        what a number of people is followed by ("people"), beside the name of its slot
    before_counts:  words before a number that counts something, where it might be an hour ("for")
    groups:         "party", where "of" and a number follow
    undecided:      words between two values of which only one can be meant ("or")
    before_hours:   words before a number that is an hour ("at")
    leads, tails:   what people say before and after an answer (only for generated grammars)
    lacking:        whoever says this has nothing to answer with, which skips an optional question
    name_leads:     what people say before their name
    date_words, time_words, money_words, phone_words: further words of such answers, for recognisers
    corrects:       what stands before a corrected answer ("i said", "i meant")
    corrects_after: what stands after it ("i mean", "instead")
    takes_back:     beginnings of who takes an answer back, even where a name was asked for ("no", "actually")
    excepts:        what stands between a yes and what is not right ("but")
    changes:        the same with a slot's name for `{called}`, the new answer following, or none
    softeners:      what may stand before either ("no", "sorry")
    commands:       command -> phrases
    texts:          what the bot says by itself: `noinput`, `nomatch` (by attempt), `by_voice` (keyed in
                    vain), `failed`, `unheard`, `error`, `help`, `confirm`, and what can be said for each
                    type of slot
    """

    language: str
    yes: Phrases
    no: Phrases
    weak: frozenset[str]
    unsure: Phrases
    fillers: Phrases
    stopwords: frozenset[str]
    negators: frozenset[str]
    digits: Mapping[str, str]
    weekdays: Mapping[str, Phrases]
    commands: Mapping[str, Phrases]
    texts: Mapping[str, Phrases]
    negators_after: frozenset[str] = frozenset()
    inverted: Phrases = ()
    contractions: Mapping[str, str] = field(default_factory=dict)
    endings: Phrases = ()
    homophones: Mapping[str, str] = field(default_factory=dict)
    multipliers: Mapping[str, int] = field(default_factory=dict)
    tens: Mapping[str, int] = field(default_factory=dict)
    scales: Mapping[str, int] = field(default_factory=dict)
    decoys: Phrases = ()
    pressing: frozenset[str] = frozenset()
    ordinals: Mapping[str, int] = field(default_factory=dict)
    beside_ordinals: frozenset[str] = frozenset()
    no_ordinals: frozenset[tuple[str, str]] = frozenset()
    in_grammars: int = 0
    counted: Phrases = ()
    before_counts: frozenset[str] = frozenset()
    before_hours: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    undecided: frozenset[str] = frozenset()
    leads: Phrases = ()
    tails: Phrases = ()
    lacking: Phrases = ()
    name_leads: Phrases = ()
    nameless: Phrases = ()
    date_words: Phrases = ()
    time_words: Phrases = ()
    money_words: Phrases = ()
    phone_words: Phrases = ()
    corrects: Phrases = ()
    corrects_after: Phrases = ()
    takes_back: Phrases = ()
    excepts: frozenset[str] = frozenset()
    changes: Phrases = ()
    softeners: Phrases = ()
