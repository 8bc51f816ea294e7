"""A language model's words, cut into sentences while they come, so that the first is spoken at once. Pure."""

from __future__ import annotations

from voicebot.speech.sentences import split_sentences


class SentenceCutter:
    """Cuts words that come piece by piece into sentences, each told as soon as the next one begins."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, piece: str) -> list[str]:
        """Take the next piece; return the sentences that are complete with it."""
        self._rest += piece
        if not any(sign in piece for sign in ".!?…。！？\n \t"):  # noqa: RUF001 - nothing ends within a word
            return []
        *whole, last = [sentence.text for sentence in split_sentences(self._rest)] or [""]
        if not whole:
            return []
        gap = " " if self._rest[-1:].isspace() else ""
        self._rest = last + gap
        return whole

    def end(self) -> list[str]:
        """Return what is left, at the end of the reply."""
        rest, self._rest = self._rest, ""
        return [sentence.text for sentence in split_sentences(rest)]
