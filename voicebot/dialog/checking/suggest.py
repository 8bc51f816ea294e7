"""Names offered to authors who mistyped one."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

NEAR_ENOUGH = 60
"""Similarity of whole names (0 to 100) from which on one is offered as "did you mean"."""


def near(word: str, among: Iterable[str]) -> str:
    """Return "did you mean `name`?", or ""."""
    # Whole against whole: parts of names are alike too easily ("cake" and "call.number").
    found = process.extractOne(word, list(among), scorer=fuzz.ratio, score_cutoff=NEAR_ENOUGH)
    return f"did you mean `{found[0]}`?" if found else ""
