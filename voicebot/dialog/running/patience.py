"""How long the bot is patient with answers that fail."""

from __future__ import annotations

import copy
from collections.abc import Hashable

from voicebot.dialog.model.dialog import Limits
from voicebot.dialog.turns import Event, Silence, Unheard

MOST_UNHEARD = 3
"""Failures of recognition in a row before we stop asking again."""


class Patience:
    """Counts what goes wrong in a call, and says when it is enough.

    Silences, misunderstandings and impossible values count together in a step; silences in a row also over
    all steps. What our recogniser failed to hear is counted apart: it is not the caller's fault.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failures: dict[str, int] = {}
        self._silences = self._turns = 0
        self.unheard = 0
        self._failed_from: frozenset[str] = frozenset()

    def copy(self) -> Patience:
        other = copy.copy(self)
        other._failures = dict(self._failures)
        return other

    def key(self) -> Hashable:
        """Return what decides how patient we are; the number of turns is left out."""
        failures = frozenset((kind, count) for kind, count in self._failures.items() if count)
        return failures, self._silences, self.unheard, self._failed_from

    def enter_step(self) -> None:
        """Begin anew: the caller has come further."""
        if self._failures:
            self._failures = {}

    def note(self, event: Event) -> bool:
        """Take note of what the caller did; return whether the call has gone on for too long."""
        self._turns += 1
        self._silences = self._silences + 1 if isinstance(event, Silence) else 0
        self.unheard = self.unheard + 1 if isinstance(event, Unheard) else 0
        return self._turns > self._limits.turns

    @property
    def silent_for_good(self) -> bool:
        """Whether the caller has been silent too often in a row, over all steps."""
        return self._silences >= self._limits.silences

    @property
    def deaf(self) -> bool:
        """Whether recognition has failed too often in a row."""
        return self.unheard >= MOST_UNHEARD

    @property
    def exhausted(self) -> bool:
        """Whether too much has failed in this step."""
        return sum(self._failures.values()) >= self._limits.failures

    def fail(self, kind: str) -> int:
        """Count a `noinput`, `nomatch` or `invalid`; return which attempt of its kind it was."""
        self._failures[kind] = self._failures.get(kind, 0) + 1
        return self._failures[kind]

    def fail_step(self, step: str) -> bool:
        """Take note that `step` has failed; return whether it had failed before."""
        before = step in self._failed_from
        self._failed_from |= {step}
        return before
