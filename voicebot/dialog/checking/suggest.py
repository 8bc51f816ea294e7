"""Names offered to authors who mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

from voicebot.errors import all_there

NEAR_ENOUGH = 60
"""Similarity of whole names (0 to 100) from which on one is offered as "did you mean"."""
MOST_NAMED = 12
"""Names that are listed where none is near."""


def nearest(word: str, among: Iterable[str]) -> str | None:
    """Return the name that was meant, or None."""
    from rapidfuzz import fuzz, process  # here, since most dialogs have no mistake

    # Whole against whole: parts of names are alike too easily ("cake" and "call.number").
    found = process.extractOne(word, list(among), scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH)
    return found[0] if found else None


def near(word: str, among: Iterable[str]) -> str:
    """Return "did you mean `name`?", or ""."""
    found = nearest(word, among)
    return f"did you mean `{found}`?" if found else ""


def near_or_all(word: str, among: Iterable[str]) -> str:
    """Return "did you mean `name`?", or the names that there are, or ""."""
    names = list(among)
    return near(word, names) or (all_there(names[:MOST_NAMED]) if names else "")
