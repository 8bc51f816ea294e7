"""Whether anything sensitive is on a call's line just now."""

from __future__ import annotations


class Privacy:
    """One call's; shared by its conversations, its recording, and those who listen in.

    secret: something sensitive is being said, asked for, or worked on: nobody else may hear it, nor may it
            be kept. It stays so until a turn follows that is known to be harmless.
    """

    __slots__ = ("secret",)

    def __init__(self) -> None:
        self.secret = False
