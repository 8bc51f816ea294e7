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
        name: [
            r
            for r in readings
            if _of_a_group(r, tokens, lexicon)
            or not _within(r, days if slots[name].type == "time" else whens)
        ]
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
        surely = (r for r in numbers if _counted(r, tokens, names) or _of_a_group(r, tokens, lexicon))
        counts = next(surely, None)
        counts = counts or next((r for r in numbers if _before(r, tokens) in lexicon.before_counts), None)
        if counts is None and numbers and name == focus and _another_clock(found, slots, numbers[0]):
            counts = numbers[0]
        most = 1.0 if name == focus and counts is None else _UNMARKED
        kept[name] = [replace(r, score=1.0 if r is counts else min(r.score, most)) for r in numbers]
        if counts is not None:
            kept[name].sort(key=lambda r: r.start != counts.start)
            # "for three, no, four of us": neither is an hour
            earlier = [
                r for r in numbers if r.start < counts.start and _before(r, tokens) in lexicon.before_counts
            ]
            hidden = {at for r in (counts, *earlier) for at in range(r.start, r.end)}
            return kept, tuple(lexicon.fillers[0] if at in hidden else t for at, t in enumerate(tokens))
    return kept, tokens


def _numbers(
    readings: list[Reading], whens: list[Span], tokens: Tokens, names: Sequence[Tokens], lexicon: Lexicon
) -> list[Reading]:
    """Return the readings that may count something in their order: not "at eight", nor "Friday eight"."""
    alone = len(readings) == 1 and not lexicon.endings  # a Korean number has its counter with it
    alone = alone and not any(tokens[at - 1] in lexicon.before_hours for at, _ in whens if at)
    ends = {end for _, end in whens} if alone else set()
    may = [
        r
        for r in readings
        if _counted(r, tokens, names) or not (_before(r, tokens) in lexicon.before_hours or r.start in ends)
    ]
    return sorted(may, key=lambda r: r.start)


def _of_a_group(reading: Reading, tokens: Tokens, lexicon: Lexicon) -> bool:
    """Whether it is the four of "a party of four"."""
    before = tokens[max(0, reading.start - 2) : reading.start]
    return len(before) == 2 and before[0] in lexicon.groups and before[1] in lexicon.before_counts


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
