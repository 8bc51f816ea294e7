"""JSGF (W3C JSpeech Grammar Format 1.0) for recognisers that are led by a grammar."""

from __future__ import annotations

from collections.abc import Iterable

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.model.slots import Slot

_MOST_UNROLLED_DIGITS = 8


def jsgf_of(phrases: Iterable[str], slot: Slot | None, lexicon: Lexicon, words: Iterable[str] = ()) -> str:
    """Return a grammar of one public rule: an answer, perhaps led in and followed by small talk.

    `words` are those of which days, times, amounts and the like are made, in any order and number; digits and
    whole numbers have rules of their own. Raises ValueError where nothing can be said.
    """
    rules = []
    phrases, words = list(phrases), list(words)
    answers = [_any(phrases)] if phrases else []
    if slot is not None and slot.type == "digits":
        rules.append(f"<digit> = {_any(lexicon.digits)};")
        rules.append(f"<digits> = {_digits(slot, lexicon)};")
        answers.append("<digits>")
    elif slot is not None and slot.type == "number":
        numbers = dict.fromkeys((*lexicon.digits, *lexicon.tens, *lexicon.scales))
        rules.append(f"<number> = ( {_any(numbers)} )+;")
        answers.append("<number>")
    elif words:
        rules.append(f"<words> = ( {_any(dict.fromkeys(words))} )+;")
        answers.append("<words>")
    if not answers:
        raise ValueError("a grammar needs something that can be said")
    lead = f"[ {_any(lexicon.leads)} ] " if lexicon.leads else ""
    tail = f" [ {_any(lexicon.tails)} ]" if lexicon.tails else ""
    public = f"public <answer> = {lead}( {' | '.join(answers)} ){tail};"
    return "\n".join((f"#JSGF V1.0 UTF-8 {lexicon.language};", "grammar step;", public, *rules, ""))


def _any(words: Iterable[str]) -> str:
    return "( " + " | ".join(_word(word) for word in words) + " )"


def _word(phrase: str) -> str:
    """Only letters, digits, apostrophes and spaces: nothing that JSGF could take for an operator."""
    return "".join(c if c.isalnum() or c in "' " else " " for c in phrase).strip() or "<NULL>"


def _digits(slot: Slot, lexicon: Lexicon) -> str:
    """Exactly as many digits as the slot wants where that is short; repeats ("double two") beside it."""
    low, high = slot.digits_range
    if high > _MOST_UNROLLED_DIGITS:
        return "<digit>+"
    exact = " ".join(["<digit>"] * low + ["[ <digit> ]"] * (high - low))
    if not lexicon.multipliers or high < 2:
        return exact
    around = " ".join(["[ <digit> ]"] * (high - 2))
    return f"( {exact} ) | ( {around} {_any(lexicon.multipliers)} <digit> {around} )"
