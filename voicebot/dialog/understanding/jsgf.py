"""JSGF (W3C JSpeech Grammar Format 1.0) for recognisers that are led by a grammar."""

from __future__ import annotations

from collections.abc import Iterable

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.model.slots import Slot

_MOST_UNROLLED_DIGITS = 8


def jsgf_of(phrases: Iterable[str], slot: Slot | None, lexicon: Lexicon) -> str:
    """Return a grammar of one public rule: an answer, perhaps led in and followed by small talk."""
    rules = []
    answers = ["( " + " | ".join(_word(phrase) for phrase in phrases) + " )"] if phrases else []
    if slot is not None and slot.type == "digits":
        rules.append(f"<digit> = {_any(lexicon.digits)};")
        rules.append(f"<digits> = {_digits(slot, lexicon)};")
        answers.append("<digits>")
    elif slot is not None and slot.type == "number":
        words = dict.fromkeys((*lexicon.digits, *lexicon.tens, *lexicon.scales))
        rules.append(f"<number> = ( {_any(words)} )+;")
        answers.append("<number>")
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
