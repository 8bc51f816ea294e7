"""What a step expects to hear (for recognisers), and what an answer means (for the dialog)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.language.text import plain, tokens_of
from voicebot.dialog.model.slots import MOST_DIGITS, Slot, Value, meaning_of
from voicebot.dialog.turns import DtmfExpectation
from voicebot.dialog.understanding.jsgf import jsgf_of
from voicebot.dialog.understanding.phrases import ACCEPT, best_meaning, compile_meaning
from voicebot.dialog.understanding.values import (
    fits_digits,
    fits_number,
    phrases_by_value,
    read_digits,
    read_number,
    read_open,
)
from voicebot.speech.stt import Expectation, Transcript

HOPELESS_CONFIDENCE = 0.2
"""A recogniser that is less sure than this has heard nothing that may be used."""

DOUBTFUL_CONFIDENCE = 0.45
"""Below this only an answer that fits almost exactly is taken."""

EXACT = 0.9
"""Score of an answer that fits almost exactly."""

COMMAND_IN_OPEN = 0.93
"""Where anything may be said, a command must be said almost alone."""

TERMINATOR = "#"
"""The key that ends a string of digits; keyed alone it may be a choice."""

TEXT_INTERDIGIT_MS = 1500
"""Silence after keys that ends them where words were expected."""

SINGLE_KEYS = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class Match:
    """An answer that was understood.

    meaning:  the choice, the command, or the value as text ("yes", "4271")
    score:    0 to 1, how well the words fit
    value:    the value with its type, for a slot: True, "4271", 42
    command:  it is a global command, not an answer to the question
    by_key:   it was keyed
    """

    meaning: str
    score: float = 1.0
    value: Value = ""
    command: bool = False
    by_key: bool = False


class Grammar:
    """The answers that one step understands.

    expects:   choices (meaning -> phrases; an empty tuple takes the meaning's own name, and `yes`/`no` bring
               all their synonyms), or a `Slot`, or the name of a slot type ("yes_no"), or None
    commands:  global commands, meaning -> phrases
    keys:      single key -> meaning of a choice or a command
    """

    def __init__(
        self,
        expects: Mapping[str, Sequence[str]] | Slot | str | None,
        language: str = "en-US",
        *,
        commands: Mapping[str, Sequence[str]] | None = None,
        keys: Mapping[str, str] | None = None,
        choices: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.language = language
        self.lexicon = lexicon = lexicon_of(language)
        if isinstance(expects, str):
            expects = Slot.model_validate({"type": expects})
        self.slot = expects if isinstance(expects, Slot) else None
        closed: dict[str, tuple[str, ...]] = {}
        if self.slot is not None:
            closed.update(phrases_by_value(self.slot, lexicon))
        elif isinstance(expects, Mapping):
            closed.update(self._with_defaults(expects))
        self._slot_meanings = frozenset(closed) if self.slot is not None else frozenset()
        closed.update(self._with_defaults(choices or {}))
        self._closed = closed
        self._commands = {name: tuple(phrases) for name, phrases in (commands or {}).items()}
        self._meanings = (
            *(compile_meaning(name, phrases, lexicon) for name, phrases in closed.items()),
            *(compile_meaning(n, phrases, lexicon, command=True) for n, phrases in self._commands.items()),
        )
        self.keys = dict(keys or {})
        if self.slot is not None and self.slot.type in ("yes_no", "weekday"):
            for number, meaning in enumerate(phrases_by_value(self.slot, lexicon), 1):
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

    @property
    def spelled(self) -> bool:
        """Whether digits are expected, so that a key is part of an answer rather than a choice."""
        return self.slot is not None and self.slot.type in ("digits", "number")

    def expectation(self, prompt: str = "") -> Expectation:
        """Return what a recogniser may know: answers before commands, the usual before the rare.

        The phrases of all meanings take turns, so that whoever uses only the first few favours none.
        """
        lexicon = self.lexicon
        open_ = self.slot is not None and self.slot.open
        usual = {"yes": lexicon.yes, "no": lexicon.no}
        answers = _in_turn([self._for_grammar(p, usual.get(name, ())) for name, p in self._closed.items()])
        commands = _in_turn(
            [self._for_grammar(p, lexicon.commands.get(name, ())) for name, p in self._commands.items()]
        )
        phrases = tuple(dict.fromkeys(p for p in (*answers, *commands) if p))
        words: tuple[str, ...] = ()
        if self.spelled:
            words = (*self.lexicon.digits, *self.lexicon.multipliers)
            if self.slot is not None and self.slot.type == "number":
                words = (*words, *self.lexicon.tens, *self.lexicon.scales)
        jsgf = "" if open_ or not (phrases or words) else jsgf_of(phrases, self.slot, self.lexicon)
        return Expectation(self.language, phrases, words, jsgf, open_, prompt)

    def _for_grammar(self, phrases: tuple[str, ...], ours: tuple[str, ...]) -> list[str]:
        """Leave out the rarer of our own phrases where a language says so; the author's all stay."""
        rare = ours[self.lexicon.in_grammars :] if self.lexicon.in_grammars else ()
        return [plain(phrase) for phrase in phrases if phrase not in rare]

    def dtmf(self) -> DtmfExpectation:
        """Return which keys may come."""
        if self.slot is not None and self.slot.type == "text":
            keys = "".join(key for key in "*#ABCD" if key in self.keys)
            return DtmfExpectation(
                keys, min_digits=1, max_digits=MOST_DIGITS, interdigit_ms=TEXT_INTERDIGIT_MS
            )
        if self.slot is None or not self.spelled:
            return DtmfExpectation(keys="".join(key for key in SINGLE_KEYS if key in self.keys))
        low, high = self.slot.digits_range if self.slot.type == "digits" else (1, 12)
        return DtmfExpectation(
            keys="".join(key for key in "*ABCD" if key in self.keys), min_digits=low, max_digits=high
        )

    def match(self, text: str, confidence: float | None = None) -> Match | None:
        """Return what `text` means here, or None where it means nothing or too much.

        `confidence` is the recogniser's, 0 to 1, None where it has none.
        """
        if confidence is not None and confidence < HOPELESS_CONFIDENCE:
            return None
        found = self._best(text)
        if found is None or found.score < ACCEPT:
            return None
        if confidence is not None and confidence < DOUBTFUL_CONFIDENCE and found.score < EXACT:
            return None
        return found

    def match_transcript(self, transcript: Transcript) -> Match | None:
        """Match the text, or else the best of the recogniser's alternatives; `no_speech` is no answer."""
        if transcript.no_speech:
            return None
        found = self.match(transcript.text, transcript.confidence)
        for other in transcript.alternatives if found is None else ():
            found = self.match(other, transcript.confidence)
            if found is not None:
                break
        return found

    def match_keys(self, digits: str) -> Match | None:
        """Return what keyed `digits` (terminator removed) mean here."""
        if self.slot is not None and self.spelled:
            if self.slot.type == "digits" and fits_digits(digits, self.slot):
                return Match(digits, value=digits, by_key=True)
            if self.slot.type == "number" and digits.isascii() and digits.isdigit() and len(digits) <= 12:
                if fits_number(int(digits), self.slot):
                    return Match(str(int(digits)), value=int(digits), by_key=True)
                return None
        meaning = self.keys.get(digits or TERMINATOR)
        if meaning is None:
            if self.slot is not None and self.slot.type == "text" and digits:
                return Match(digits, value=digits, by_key=True)
            return None
        if meaning not in self._closed:
            return Match(meaning, command=True, by_key=True)
        return Match(meaning, value=self._value(meaning), by_key=True)

    def _value(self, meaning: str) -> Value:
        if self.slot is not None and self.slot.type == "yes_no" and meaning in self._slot_meanings:
            return meaning == "yes"
        return meaning

    def _best(self, text: str) -> Match | None:
        closed: Match | None = None
        best = best_meaning(text, self._meanings, self.lexicon)
        if best is not None:
            meaning, score = best
            value = "" if meaning.command else self._value(meaning.name)
            closed = Match(meaning.name, score, value, meaning.command)
        if self.slot is None or self.slot.type in ("yes_no", "choice", "weekday"):
            return closed
        if self.slot.open:
            if closed is not None and closed.score >= COMMAND_IN_OPEN:
                return closed
            opened = read_open(text, self.slot, self.lexicon)
            return Match(opened[0], opened[1], opened[0]) if opened else closed
        read = read_digits if self.slot.type == "digits" else read_number
        found = read(tokens_of(text, self.lexicon), self.slot, self.lexicon)
        if found is None:
            return closed
        value, score = found
        if closed is not None and closed.score > score:
            return closed
        return Match(meaning_of(value), score, value)


def _in_turn(lists: list[list[str]]) -> list[str]:
    return [phrase for row in zip_longest(*lists, fillvalue="") for phrase in row]
