"""Taking a caller's message, where that is the work that a dialog wants done: begun, ended, given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voicebot.call.hearing import Hearing
from voicebot.call.message import EndedBy, MessageRecorder
from voicebot.call.working import WorkDone
from voicebot.dialog.turns import MessageRecorded, RecordMessage

Recorder = Callable[[RecordMessage, Callable[[EndedBy], None]], MessageRecorder]
"""Makes what records a message, given whom to tell that it has ended."""


class MessageTaking:
    """The messages of one session, one after another.

    make: makes what records one;  hearing: gives it what is heard;  done: is told of a message that has ended
          by itself, as the work that it was
    """

    def __init__(self, make: Recorder, hearing: Hearing, done: Callable[[WorkDone], None]) -> None:
        self._make = make
        self._hearing = hearing
        self._done = done
        self._number = 0
        self._message: MessageRecorder | None = None
        self._finishing: asyncio.Task[MessageRecorded] | None = None

    def begin(self, work: RecordMessage, number: int) -> None:
        """The caller speaks now, unless they do already. number: of the work"""
        if self._message is None:
            self._number = number
            self._message = self._make(work, self._ended)
            self._hearing.tap = self._message.take

    def press(self, digit: str) -> bool:
        """A key belongs to the message, if there is one: tells whether."""
        if self._message is None:
            return False
        self._message.press(digit)
        return True

    def over(self) -> None:
        """The dialog has been told of it."""
        self._finishing = None

    async def give_up(self, by: EndedBy) -> MessageRecorded | None:
        """End a message that was begun, and keep it; None where there is none."""
        if self._finishing is not None:
            finishing, self._finishing = self._finishing, None
            return await finishing
        return await self._finish(by) if self._message is not None else None

    def _ended(self, by: EndedBy) -> None:
        """Called from the media tick."""
        if self._message is None or self._finishing is not None:
            return
        number = self._number

        def tell(finishing: asyncio.Task[MessageRecorded]) -> None:
            if not finishing.cancelled():
                self._done(WorkDone(number, finishing.result()))

        self._finishing = asyncio.create_task(self._finish(by), name="message")
        self._finishing.add_done_callback(tell)

    async def _finish(self, by: EndedBy) -> MessageRecorded:
        assert self._message is not None, "it was begun"
        message, self._message = self._message, None
        self._hearing.tap = None
        return await message.finish(by)
