"""Asks a caller who would rather be called back at which number, and whether it can be dialled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import structlog

from voicebot.acd.keys import CallBackKeys
from voicebot.call.stage import Stage
from voicebot.errors import UserError
from voicebot.switchboard.queues.announcer import Announcer
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.texts import spaced

ASK_S = 40.0
"""Who was asked for the number and says nothing for so long goes on waiting."""

KeyedAnswer = Literal["confirmed", "changed", "refused"]

log = structlog.get_logger(__name__)


class NumberQuestion:
    """One question, said as often as the caller keys another number.

    dialled: returns what a number is dialled as; raises UserError where it may not be
    number:  that the caller called from; proposed to them where it can be dialled
    until:   then they have not answered
    """

    def __init__(
        self, stage: Stage, announcer: Announcer, side: Side, dialled: Callable[[str], str], number: str
    ) -> None:
        try:
            known = dialled(number)
        except UserError:
            known = ""
        self._keys = CallBackKeys(known)
        self._stage = stage
        self._announcer = announcer
        self._side = side
        self._dialled = dialled
        self._asked_at = stage.clock()

    @property
    def number(self) -> str:
        """The number that was proposed, or keyed, last."""
        return self._keys.number

    @property
    def until(self) -> float:
        return self._asked_at + ASK_S

    def press(self, digit: str) -> KeyedAnswer | None:
        """Take a key, which shows that the caller is at it."""
        self._asked_at = self._stage.clock()
        return self._keys.press(digit)

    async def ask(self) -> None:
        """Have it said: the caller's time begins at its end."""
        texts, number = self._announcer.texts, self.number
        text = texts.confirm_call_back.format(number=spaced(number)) if number else texts.ask_number
        self._asked_at = self._stage.clock()
        samples = await self._announcer.rendered(text)
        if samples is not None:
            self._side.sound.say(samples)
            self._asked_at = self._stage.clock() + len(samples) / self._stage.port.sample_rate

    def settle(self, answer: KeyedAnswer) -> KeyedAnswer | Literal["impossible"]:
        """Return what an answer comes to; then `number` is as it is dialled."""
        if answer == "refused":
            return answer
        try:
            self._keys.number = self._dialled(self.number)
        except UserError as why_not:
            log.info("no call-back", why=str(why_not))
            return "impossible"
        return answer
