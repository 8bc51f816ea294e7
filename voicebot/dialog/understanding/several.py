"""Several slots told in one breath: "two tickets for Friday"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, is_content, tokens_of, worded
from voicebot.dialog.model.slots import Slot
from voicebot.dialog.understanding.counts import WHENS, apart
from voicebot.dialog.understanding.reading import Reading, readings, words_of

MOST_READINGS = 4
"""Readings of each slot that are tried, the best first; of many slots only the best."""

_LEFTOVER = 0.04
"""Doubt for each telling word that no slot explains."""

_UNUSED = 0.002
"""Doubt for any other: "go back" is the command, though a seat may be called "back"."""

Phrases = Mapping[str, Sequence[str]]


def read_several(
    text: str, slots: Mapping[str, tuple[Slot, Phrases]], lexicon: Lexicon, now: datetime, language: str
) -> tuple[tuple[tuple[str, Reading], ...], float]:
    """Return what each slot was told, and a score of 0 to 1 for all of it.

    `slots` are the open ones with the phrases of the closed ones' values. No word counts for two slots.
    """
    tokens = words_of(text, lexicon)
    most = MOST_READINGS if len(slots) < 4 else 1
    found = {
        name: _candidates(slot, phrases, tokens, lexicon, now, language)
        for name, (slot, phrases) in slots.items()
    }
    specs = {name: slot for name, (slot, _) in slots.items()}
    if any(slot.type in WHENS for slot in specs.values()):
        found, others = apart(found, specs, tokens, lexicon)
        if others is not tokens:
            again = {name: slot for name, slot in specs.items() if slot.type in WHENS}
            found |= {name: readings(slot, others, lexicon, now, language) for name, slot in again.items()}
    found = {name: candidates[:most] for name, candidates in found.items()}
    best = max(_assignments(list(found.items()), frozenset()), key=_rank)
    if not best:
        return (), 0.0
    used = {at for _, reading in best for at in _tokens(reading)}
    rest = sum(1 for at, token in enumerate(tokens) if at not in used and is_content(token, lexicon))
    unused = len(tokens) - len(used)
    return best, max(0.0, 1.0 - _LEFTOVER * rest - _UNUSED * unused)


def _rank(chosen: tuple[tuple[str, Reading], ...]) -> tuple[int, int, float]:
    good = [reading for _, reading in chosen if not reading.invalid]
    return len(good), len(chosen), sum(reading.score for _, reading in chosen)


def _assignments(
    found: list[tuple[str, list[Reading]]], used: frozenset[int]
) -> list[tuple[tuple[str, Reading], ...]]:
    if not found:
        return [()]
    (name, candidates), rest = found[0], found[1:]
    chosen = _assignments(rest, used)
    for reading in candidates:
        span = _tokens(reading)
        if not span & used:
            chosen += [((name, reading), *others) for others in _assignments(rest, used | span)]
    return chosen


def _tokens(reading: Reading) -> frozenset[int]:
    return frozenset(at for start, end in reading.places for at in range(start, end))


def _candidates(
    slot: Slot, phrases: Phrases, tokens: Tokens, lexicon: Lexicon, now: datetime, language: str
) -> list[Reading]:
    if slot.open:
        return []
    if not slot.closed:
        found = readings(slot, tokens, lexicon, now, language)
        return [] if _undecided(found, tokens, lexicon) else found
    found = []
    for value, said in phrases.items():
        for phrase in said:
            wanted = worded(tokens_of(phrase, lexicon), lexicon)
            for start in range(len(tokens) - len(wanted) + 1) if wanted else ():
                if worded(tokens[start : start + len(wanted)], lexicon) == wanted:
                    meant: bool | str = value == "yes" if slot.type == "yes_no" else value
                    found.append(Reading(meant, 1.0, start, start + len(wanted)))
    # the longest phrase explains most; two different values of one slot are no answer
    found.sort(key=lambda reading: reading.start - reading.end)
    outer = [r for r in found if not any(_within(r, o) for o in found)]
    return found[:1] if len({r.value for r in outer}) == 1 else []


def _undecided(found: list[Reading], tokens: Tokens, lexicon: Lexicon) -> bool:
    """Whether two values were left to choose from: "Thursday or Friday"."""
    if lexicon.undecided.isdisjoint(tokens) or len({r.value for r in found}) < 2:
        return False
    starts, ends = {r.start for r in found}, {r.end for r in found}
    return any(t in lexicon.undecided and at in ends and at + 1 in starts for at, t in enumerate(tokens))


def _within(inner: Reading, outer: Reading) -> bool:
    return (
        outer.start <= inner.start
        and inner.end <= outer.end
        and (outer.end - outer.start > inner.end - inner.start)
    )
