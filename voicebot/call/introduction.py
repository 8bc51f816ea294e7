"""The first words of a call that we placed: callees hear who calls before anything counts as an answer.

People who pick up say "Hello?" or their name, into our first words as often as not. That is a greeting, even
where it would be an answer ("Yes?"). Only who wants no more calls, or a person, is heard at once.
"""

from __future__ import annotations

GREETING_S = 2.5
"""Speech that begins so soon after the answer greets us."""
MOST_RESTARTS = 2
"""So often the first words begin again; after that they go on where they were held."""
MOST_INTERRUPTIONS = 6
"""Who has talked over them so often wants to be heard, whatever they have heard of us."""
AT_ONCE = frozenset(("opt_out", "agent"))
"""Commands that need no introduction."""


class Introduction:
    """Follows a dialog's first turn. `answered_at`: when they picked up, in seconds of the call's clock."""

    def __init__(self, answered_at: float) -> None:
        self._greets_until = answered_at + GREETING_S
        self._to_begin = 1
        self._several = False
        self._interruptions = 0
        self.heard = False
        self.starts_over = True
        """Whether our first words begin again after what was absorbed last."""

    def begins(self, prompts: int) -> None:
        """The dialog's first turn has so many prompts; the last one is its question."""
        self._to_begin = max(1, prompts)
        self._several = prompts > 1
        self._interruptions = 0
        self.heard = False
        self.starts_over = True

    def prompt_began(self) -> None:
        """One of our prompts began. Of several the last is the question; a single one must be over."""
        self._to_begin -= 1
        if self._to_begin == 0 and self._several:
            self.heard = True

    def prompts_done(self) -> None:
        """All of them were played."""
        self.heard = True

    def absorbs(self, began_at: float, command: str) -> bool:
        """Whether speech that began then is no answer yet. command: which one it is taken for, or ""."""
        if command in AT_ONCE or self.heard:
            return False
        if began_at <= self._greets_until:
            return True
        if self._interruptions >= MOST_INTERRUPTIONS:
            return False
        self._interruptions += 1
        self.starts_over = self._interruptions <= MOST_RESTARTS
        return True
