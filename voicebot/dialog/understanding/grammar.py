"""What a step expects to hear (for recognisers), and what an answer means (for the dialog)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import zip_longest
from typing import TYPE_CHECKING

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import plain, tokens_of, without_fillers
from voicebot.dialog.model.dialog import Vectors
from voicebot.dialog.model.slots import MOST_DIGITS, Slot, Value, meaning_of
from voicebot.dialog.turns import DtmfExpectation
from voicebot.dialog.understanding.jsgf import jsgf_of
from voicebot.dialog.understanding.match import Match
from voicebot.dialog.understanding.ordinals import place_told
from voicebot.dialog.understanding.phrases import ACCEPT, Meaning, PhraseBook, compile_meaning
from voicebot.dialog.understanding.reading import Reading, read_slot, value_of_keys
from voicebot.dialog.understanding.several import Phrases, read_several
from voicebot.dialog.understanding.values import phrases_by_value, read_open
from voicebot.dialog.understanding.vocabulary import words_of
from voicebot.speech.stt import Expectation, Transcript

if TYPE_CHECKING:
    from voicebot.dialog.understanding.intents import Intents

__all__ = ["ACCEPT", "Grammar", "Match"]

HOPELESS_CONFIDENCE = 0.2
"""A recogniser that is less sure than this has heard nothing that may be used."""

DOUBTFUL_CONFIDENCE = 0.45
"""Below this only an answer that fits almost exactly is taken."""

EXACT = 0.9
"""Score of an answer that fits almost exactly."""

COMMAND_IN_OPEN = 0.93
"""Where anything may be said, a command must be said almost alone."""

IMPOSSIBLE = 0.7
"""Score from which on a value that is not possible is told so; a worse one was not understood."""

WHOLLY = 0.97
"""Score of an utterance that is a value and nothing else: no phrase can be meant."""

CLEARLY = 0.72
"""Score from which on a likeness to examples counts more than a yes or no beside it."""

_COMMAND = "/"
"""Before the name of a command where a choice has the same name."""

TERMINATOR = "#"
"""The key that ends a string of digits; keyed alone it may be a choice."""

TEXT_INTERDIGIT_MS = 1500
"""Silence after keys that ends them where words or single keys were expected."""

INTERDIGIT_MS = 3000
"""The same where digits were expected."""

SINGLE_KEYS = "0123456789*#ABCD"

NOON = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
"""The clock of a grammar that nobody tells the time."""

_KEYED_LENGTHS = {"number": (1, 12), "money": (1, 12), "date": (3, 8), "time": (3, 4), "phone": (3, 15)}
"""Fewest and most keys of an answer, by type of slot."""


class Grammar:
    """The answers that one step understands.

    expects:   choices (meaning -> phrases; an empty tuple takes the meaning's own name, and `yes`/`no` bring
               all their synonyms), or a `Slot`, or the name of a slot type ("yes_no"), or None
    commands:  global commands, meaning -> phrases
    keys:      single key -> meaning of a choice or a command
    choices:   answers beside the slot, meaning -> phrases
    phrases:   those of the slot's values, where the dialog has others than the slot itself
    others:    further slots that may be told in the same breath, each with the phrases of its values
    name:      the name of the slot
    examples:  sentences whose likeness tells a choice, where no phrase does; `vectors` help to compare them
    """

    def __init__(
        self,
        expects: Mapping[str, Sequence[str]] | Slot | str | None,
        language: str = "en-US",
        *,
        commands: Mapping[str, Sequence[str]] | None = None,
        keys: Mapping[str, str] | None = None,
        choices: Mapping[str, Sequence[str]] | None = None,
        phrases: Phrases | None = None,
        others: Mapping[str, tuple[Slot, Phrases]] | None = None,
        name: str = "",
        examples: Phrases | None = None,
        vectors: Vectors | None = None,
    ) -> None:
        self.language = language
        self.lexicon = lexicon = lexicon_of(language)
        if isinstance(expects, str):
            expects = Slot.model_validate({"type": expects})
        self.slot = expects if isinstance(expects, Slot) else None
        self.name = name
        self.others = dict(others or {})
        closed: dict[str, tuple[str, ...]] = {}
        if self.slot is not None:
            own = phrases if phrases is not None else phrases_by_value(self.slot, lexicon)
            closed.update({value: tuple(said) for value, said in own.items()})
        elif isinstance(expects, Mapping):
            closed.update(self._with_defaults(expects))
        self._values = dict(closed) if self.slot is not None else {}
        closed.update(self._with_defaults(choices or {}))
        self._closed = closed
        self._commands = {name: tuple(phrases) for name, phrases in (commands or {}).items()}
        meanings = [compile_meaning(name, phrases, lexicon) for name, phrases in closed.items()]
        meanings += [self._compiled_command(name, said) for name, said in self._commands.items()]
        self._book = PhraseBook(meanings, lexicon)
        self._examples = {
            meaning: (*(examples or {}).get(meaning, ()), *said)
            for meaning, said in closed.items()
            if meaning not in ("yes", "no")
        }
        self._has_examples = bool(examples)
        self._vectors = vectors
        self._expected: Expectation | None = None
        self.keys = dict(keys or {})
        if self.slot is not None and self.slot.type in ("yes_no", "weekday"):
            for number, meaning in enumerate(self._values, 1):
                self.keys.setdefault(str(number), meaning)
        elif self.slot is not None:
            self.keys.update({c.key: value for value, c in self.slot.choices.items() if c.key})

    def _with_defaults(self, choices: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """`yes` and `no` bring their synonyms; a choice without phrases is said by its name."""
        filled = {}
        for name, phrases in choices.items():
            phrases = tuple(phrases) or (name.replace("_", " "),)
            known = {"yes": self.lexicon.yes, "no": self.lexicon.no}.get(name, ())
            filled[name] = tuple(dict.fromkeys((*phrases, *known)))
        return filled

    def _compiled_command(self, name: str, phrases: tuple[str, ...]) -> Meaning:
        """Prepare a command. A choice of its name takes what says that name: "cancel that"."""
        if name not in self._closed:
            return compile_meaning(name, phrases, self.lexicon, command=True)
        others = tuple(phrase for phrase in phrases if name not in phrase.split())
        return compile_meaning(f"{_COMMAND}{name}", others, self.lexicon, command=True)

    def make_ready(self) -> None:
        """Do now what the first answer would else wait for."""
        self.expectation()
        self._book.best("some words that are no answer")
        if self._has_examples:
            self._intents.best("some words that are no answer")

    @property
    def spelled(self) -> bool:
        """Whether digits are expected, so that a key is part of an answer rather than a choice."""
        return self.slot is not None and self.slot.type in ("digits", *_KEYED_LENGTHS)

    @property
    def keyed(self) -> bool:
        """Whether keys can answer; a command by key is no answer."""
        typed = self.slot is not None and (self.spelled or self.slot.type == "text")
        return typed or any(meaning in self._closed for meaning in self.keys.values())

    @cached_property
    def _intents(self) -> Intents:
        from voicebot.dialog.understanding.intents import Intents  # numpy is for those who use examples

        return Intents(self._examples, self.lexicon, similarity=self._vectors)

    # --- what is expected -------------------------------------------------------------------------------

    def expectation(self, prompt: str = "") -> Expectation:
        """Return what a recogniser may know: answers before commands, the usual before the rare.

        The phrases of all meanings take turns, so that whoever uses only the first few favours none.
        """
        if self._expected is None:
            self._expected = self._expectation()
        return replace(self._expected, prompt=prompt)

    def _expectation(self) -> Expectation:
        lexicon = self.lexicon
        slots = [*([self.slot] if self.slot is not None else []), *(slot for slot, _ in self.others.values())]
        open_ = any(slot.open or slot.type in ("email", "spelled") for slot in slots) or self._has_examples
        usual = {"yes": lexicon.yes, "no": lexicon.no}
        listed = [self._for_grammar(p, usual.get(name, ())) for name, p in self._closed.items()]
        listed += [
            [plain(p) for p in said] for _, phrases in self.others.values() for said in phrases.values()
        ]
        commands = [self._for_grammar(p, lexicon.commands.get(n, ())) for n, p in self._commands.items()]
        phrases = tuple(dict.fromkeys(p for p in (*_in_turn(listed), *_in_turn(commands)) if p))
        words = dict.fromkeys(word for slot in slots for word in words_of(slot.type, self.language))
        jsgf = ""
        if not open_ and (phrases or words):
            jsgf = jsgf_of(phrases, self.slot, lexicon, words)
        return Expectation(self.language, phrases, tuple(words), jsgf, open_)

    def _for_grammar(self, phrases: tuple[str, ...], ours: tuple[str, ...]) -> list[str]:
        """Leave out the rarer of our own phrases where a language says so; the author's all stay."""
        rare = ours[self.lexicon.in_grammars :] if self.lexicon.in_grammars else ()
        return [plain(phrase) for phrase in phrases if phrase not in rare]

    def dtmf(self, terminator: str | None = None, interdigit_ms: int | None = None) -> DtmfExpectation:
        """Return which keys may come."""
        ends = TERMINATOR if terminator is None else terminator
        waits = INTERDIGIT_MS if interdigit_ms is None else interdigit_ms
        if self.slot is not None and self.slot.type == "text":
            keys = "".join(key for key in "*#ABCD" if key in self.keys)
            waits = TEXT_INTERDIGIT_MS if interdigit_ms is None else interdigit_ms
            return DtmfExpectation(keys, 1, MOST_DIGITS, ends, waits)
        if self.slot is None or not self.spelled:
            waits = TEXT_INTERDIGIT_MS if interdigit_ms is None else interdigit_ms
            keys = "".join(key for key in SINGLE_KEYS if key in self.keys)
            return DtmfExpectation(keys, terminator=ends, interdigit_ms=waits)
        low, high = _KEYED_LENGTHS.get(self.slot.type, self.slot.digits_range)
        own = "ABCD" if self.slot.type == "money" else "*ABCD"  # a star is the decimal point of an amount
        keys = "".join(key for key in own if key in self.keys)
        return DtmfExpectation(keys, low, high, ends, waits)

    # --- what it means ----------------------------------------------------------------------------------

    def match(self, text: str, confidence: float | None = None, now: datetime = NOON) -> Match | None:
        """Return what `text` means here, or None where it means nothing, too much, or nothing possible.

        `confidence` is the recogniser's, 0 to 1, None where it has none. `now` is the call's clock.
        """
        found = self.understand(text, confidence, now)
        return None if found is None or found.invalid else found

    def understand(self, text: str, confidence: float | None = None, now: datetime = NOON) -> Match | None:
        """Return the same, and a value that is not possible with the reason in `invalid`."""
        if confidence is not None and confidence < HOPELESS_CONFIDENCE:
            return None
        found = self._best(text, now)
        if found is None or found.score < (IMPOSSIBLE if found.invalid else ACCEPT):
            found = self._said_key(text) or self._counted(text)
        if found is None:
            return None
        if confidence is not None and confidence < DOUBTFUL_CONFIDENCE and found.score < EXACT:
            return None
        return found

    def match_transcript(self, transcript: Transcript, now: datetime = NOON) -> Match | None:
        """Match the text, or else the best of the recogniser's alternatives; `no_speech` is no answer."""
        found = self.understand_transcript(transcript, now)
        return None if found is None or found.invalid else found

    def understand_transcript(self, transcript: Transcript, now: datetime = NOON) -> Match | None:
        """Understand the text, or an alternative where the text means nothing possible."""
        if transcript.no_speech:
            return None
        first = self.understand(transcript.text, transcript.confidence, now)
        if first is not None and not first.invalid:
            return first
        for other in transcript.alternatives:
            found = self.match(other, transcript.confidence, now)
            if found is not None:
                return found
        return first

    def match_keys(self, digits: str, now: datetime = NOON) -> Match | None:
        """Return what keyed `digits` (terminator removed) mean here; None where it is not possible."""
        found = self.understand_keys(digits, now)
        return None if found is None or found.invalid else found

    def understand_keys(self, digits: str, now: datetime = NOON) -> Match | None:
        """Return the same, and a value that is not possible with the reason in `invalid`."""
        meaning = self.keys.get(digits or TERMINATOR)
        if self.slot is not None and self.spelled:
            read = value_of_keys(self.slot, digits, now, self.language) if digits else None
            if read is not None and (not read.invalid or meaning is None):
                return self._match_of(read, by_key=True)
        if meaning is None:
            if self.slot is not None and self.slot.type == "text" and digits:
                return Match(digits, value=digits, by_key=True, fills=((self.name, digits),))
            return None
        if meaning not in self._closed:
            return Match(meaning, command=True, by_key=True)
        return self._closed_match(meaning, 1.0, by_key=True)

    def _closed_match(self, meaning: str, score: float, *, by_key: bool = False) -> Match:
        if meaning not in self._values:
            return Match(meaning, score, meaning, choice=True, by_key=by_key)
        yes_no = self.slot is not None and self.slot.type == "yes_no"
        value: Value = meaning == "yes" if yes_no else meaning
        return Match(meaning, score, value, by_key=by_key, fills=((self.name, value),))

    def _said_key(self, text: str) -> Match | None:
        """Take "two" or "press two" for the key of a choice."""
        if self.others or not (self.slot is None or self.slot.type in ("choice", "yes_no")):
            return None
        lexicon = self.lexicon
        words = without_fillers(tokens_of(text, lexicon), lexicon)
        told = [word for word in words if word not in lexicon.pressing]
        if lexicon.endings:
            told = [word.removesuffix(end) for word in told for end in lexicon.pressing if word.endswith(end)]
        if len(told) != 1:
            return None
        meaning = self.keys.get(lexicon.digits.get(told[0], told[0]))
        return self._closed_match(meaning, EXACT) if meaning in self._closed else None

    def _counted(self, text: str) -> Match | None:
        """Take "the second one" for a choice, in the author's order."""
        if self.others or not (self.slot is None or self.slot.type == "choice"):
            return None
        names = tuple(self._closed if self.slot is None else self._values)
        place = place_told(text, len(names), self.lexicon)
        return None if place is None else self._closed_match(names[place], EXACT)

    def _match_of(self, read: Reading, name: str | None = None, *, by_key: bool = False) -> Match:
        name = self.name if name is None else name
        return Match(
            meaning_of(read.value),
            read.score,
            read.value,
            by_key=by_key,
            invalid=read.invalid,
            fills=((name, read.value),),
            instead=() if read.other is None else ((name, read.other),),
        )

    def _best(self, text: str, now: datetime) -> Match | None:
        typed: Reading | None = None
        slot = self.slot
        if slot is not None and not (self.others or slot.closed or slot.open):
            typed = read_slot(slot, text, self.lexicon, now, self.language)
            if (
                typed is not None
                and typed.score >= WHOLLY
                and not typed.invalid
                and not self._book.surely(text)
            ):
                return self._match_of(typed)
        closed: Match | None = None
        best = self._book.best(text)
        if best is not None:
            meaning, score = best
            closed = (
                Match(meaning.name.removeprefix(_COMMAND), score, "", command=True)
                if meaning.command
                else self._closed_match(meaning.name, score)
            )
        if self._has_examples and (closed is None or self._hints_at_more(closed)):
            closed = self._intent(text, closed)
        if self.slot is None:
            return closed
        if self.others:
            return self._best_of_several(text, closed, now)
        if self.slot.closed:
            return closed
        if self.slot.open:
            if closed is not None and closed.score >= COMMAND_IN_OPEN:
                return closed
            opened = read_open(text, self.slot, self.lexicon)
            return self._match_of(Reading(opened[0], opened[1])) if opened else closed
        if typed is None or (closed is not None and (closed.score > typed.score or typed.invalid)):
            return closed
        return self._match_of(typed)

    def _hints_at_more(self, closed: Match) -> bool:
        """Whether a yes or no left words over that tell something: "yes, but a bit later"."""
        return closed.meaning in ("yes", "no") and not closed.command and closed.score < WHOLLY

    def _intent(self, text: str, closed: Match | None) -> Match | None:
        """Return what `text` is like; beside a yes or no only where it is clearly like it."""
        intent = self._intents.best(text)
        if intent is None or (closed is not None and intent[1] < CLEARLY):
            return closed
        return self._closed_match(*intent)

    def _best_of_several(self, text: str, closed: Match | None, now: datetime) -> Match | None:
        assert self.slot is not None
        slots = {self.name: (self.slot, self._values), **self.others}
        found, score = read_several(text, slots, self.lexicon, now, self.language)
        possible = [(name, read) for name, read in found if not read.invalid]
        if closed is not None and not closed.fills and (not possible or closed.score > score):
            return closed
        if possible:
            values = tuple((name, read.value) for name, read in possible)
            meaning = " ".join(meaning_of(v) for _, v in values)
            refused = tuple((n, r.value, r.invalid) for n, r in found if r.invalid and r.score >= IMPOSSIBLE)
            instead = tuple((name, read.other) for name, read in found if read.other is not None)
            return Match(meaning, score, values[0][1], fills=values, refused=refused, instead=instead)
        if found:
            name, read = found[0]
            return replace(self._match_of(read, name), score=score)
        if self.slot.open and not closed:
            opened = read_open(text, self.slot, self.lexicon)
            return self._match_of(Reading(opened[0], opened[1])) if opened else None
        return closed


def _in_turn(lists: list[list[str]]) -> list[str]:
    return [phrase for row in zip_longest(*lists, fillvalue="") for phrase in row]
