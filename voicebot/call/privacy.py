"""Whether anything sensitive is on a call's line just now."""

from __future__ import annotations

from collections.abc import Iterable

from voicebot.dialog.turns import End, Handover, Listen, SpokenAudio, SpokenText, Work

Then = Listen | Work | End | Handover | None


class Privacy:
    """One call's; shared by its conversations, its recording, and those who listen in.

    secret: something sensitive is being said, asked for, or worked on: nobody else may hear it, nor may it
            be kept. It stays so until a turn follows that is known to be harmless.
    """

    __slots__ = ("lasting", "secret")

    def __init__(self) -> None:
        self.secret = False
        self.lasting = False

    def turn(self, prompts: Iterable[object], before: Then, then: Then) -> None:
        """A turn begins that says these prompts, after one that waited for `before`."""
        said = any(isinstance(prompt, SpokenText | SpokenAudio) and prompt.sensitive for prompt in prompts)
        # Work that follows a sensitive question is begun while the caller may still be at it.
        works_on = isinstance(then, Work) and _sensitive(before) and self.secret
        self.secret = said or _sensitive(then) or works_on or self.lasting

    def led_away(self) -> None:
        """The dialog is led elsewhere: the caller may still be at a sensitive answer, until the next one."""
        self.lasting = self.secret

    def answered(self) -> None:
        """The caller has given an answer."""
        self.lasting = False

    def handed_over(self) -> None:
        """No dialog has the caller any more, and what the bot said last has been said. Who was led away from
        a sensitive answer may still be giving it, until they are `met`."""
        self.secret = self.lasting

    def met(self) -> None:
        """A person talks to the caller now."""
        self.secret = self.lasting = False


def _sensitive(then: Then) -> bool:
    return isinstance(then, Listen | Work) and getattr(then, "sensitive", False)
