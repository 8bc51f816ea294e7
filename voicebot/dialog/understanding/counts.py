"""Numbers beside days and times in one breath: in "for two on Friday at eight" the two is no hour.

A number that is a part of a day or a time of day counts nothing; an hour that was said as one ("at eight")
does not either. What counts ("for two", "two people") is hidden from those who read days and times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, tokens_of
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.line import Reading

WHENS = frozenset(("date", "time", "datetime"))
_CLOCKS = frozenset(("time", "datetime"))
_PARTS_OF_WHENS = frozenset(("number", "digits", "money", "time"))
_UNMARKED = 0.9
"""Score of a bare number for which nobody asked, where it may be an hour."""

Span = tuple[int, int]
Found = Mapping[str, list[Reading]]


def apart(
    found: Found, slots: Mapping[str, Slot], tokens: Tokens, lexicon: Lexicon
) -> tuple[dict[str, list[Reading]], Tokens]:
    """Return the readings that may stand beside each other, and `tokens` without what counts something.

    The tokens are the same where nothing was hidden. `slots` are the open ones, the one asked for first.
    """
    days = _atoms(p for n, s in slots.items() if s.type == "date" for r in found[n] for p in r.places)
    whens = _atoms(p for n, s in slots.items() if s.type in WHENS for r in found[n] for p in r.places)
    kept = {
        name: [r for r in readings if not _within(r, days if slots[name].type == "time" else whens)]
        if slots[name].type in _PARTS_OF_WHENS
        else readings
        for name, readings in found.items()
    }
    if not any(slot.type in _CLOCKS for slot in slots.values()):
        return kept, tokens
    focus = next(iter(slots))
    for name, slot in slots.items():
        if slot.type != "number" or not kept[name]:
            continue
        names = _names(slot, lexicon)
        numbers = _numbers(kept[name], whens, tokens, names, lexicon)
        counts = next((r for r in numbers if _counted(r, tokens, names)), None)
        counts = counts or next((r for r in numbers if _before(r, tokens) in lexicon.before_counts), None)
        if counts is None and numbers and name == focus and _another_clock(found, slots, numbers[0]):
            counts = numbers[0]
        least = 1.0 if name == focus else _UNMARKED
        kept[name] = [r if r is counts else replace(r, score=min(r.score, least)) for r in numbers]
        if counts is not None:
            kept[name].sort(key=lambda r: r.start != counts.start)
            hidden = lexicon.fillers[:1] * (counts.end - counts.start)
            return kept, (*tokens[: counts.start], *hidden, *tokens[counts.end :])
    return kept, tokens


def _numbers(
    readings: list[Reading], whens: list[Span], tokens: Tokens, names: Sequence[Tokens], lexicon: Lexicon
) -> list[Reading]:
    """Return the readings that may count something in their order: not "at eight", nor "Friday eight"."""
    ends = {end for _, end in whens} if len(readings) == 1 else set()
    may = [
        r
        for r in readings
        if _counted(r, tokens, names) or not (_before(r, tokens) in lexicon.before_hours or r.start in ends)
    ]
    return sorted(may, key=lambda r: r.start)


def _before(reading: Reading, tokens: Tokens) -> str:
    return tokens[reading.start - 1] if reading.start else ""


def _another_clock(found: Found, slots: Mapping[str, Slot], number: Reading) -> bool:
    """Whether a time of day was said beside the number."""
    return any(
        span != (number.start, number.end) and (slots[name].type == "time" or reading.other is not None)
        for name in found
        if slots[name].type in _CLOCKS
        for reading in found[name]
        for span in reading.places
    )


def _atoms(spans: Iterable[Span]) -> list[Span]:
    """Return the spans that hold no other one."""
    every = set(spans)
    return [s for s in every if not any(o != s and s[0] <= o[0] and o[1] <= s[1] for o in every)]


def _within(reading: Reading, spans: Sequence[Span]) -> bool:
    """Whether a reading is a part of one of `spans`, not all of it."""
    start, end = reading.start, reading.end
    return any(first <= start and end <= last and end - start < last - first for first, last in spans)


def _names(slot: Slot, lexicon: Lexicon) -> list[Tokens]:
    """Return the words that tell what the number counts, the longest first."""
    words = [tokens_of(name, lexicon) for name in (*slot.called, *lexicon.counted)]
    last = [name[-1:] for name in words[: len(slot.called)]]
    return sorted({*words, *last} - {()}, key=len, reverse=True)


def _counted(reading: Reading, tokens: Tokens, names: Sequence[Tokens]) -> bool:
    return any(tokens[reading.end : reading.end + len(name)] == name for name in names)
