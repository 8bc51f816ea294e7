"""Offering one caller to one agent: ring, whisper, wait for the key. The rules are `acd/offer.py`'s."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from voicebot.acd import offer as rules
from voicebot.acd.offer import Offer, Stage
from voicebot.audio.frames import Samples
from voicebot.call.speaking import Beep, beep
from voicebot.switchboard.ringing import NotReached
from voicebot.switchboard.telephone import Telephone

log = structlog.get_logger(__name__)


class Offering:
    """One offer at work. `await run()` ends with the offer JOINING (the agent has accepted), or OVER.

    whisper: makes what the agent hears, while their telephone rings; None where it cannot be had: they hear
             a tone then, and know the key
    """

    def __init__(
        self,
        phone: Telephone,
        offer: Offer,
        whisper: Callable[[], Awaitable[Samples | None]],
        clock: Callable[[], float],
    ) -> None:
        self.phone = phone
        self.offer = offer
        self._whisper = whisper
        self._clock = clock
        self._events: asyncio.Queue[rules.Event] = asyncio.Queue()

    async def run(self) -> Offer:
        words = asyncio.ensure_future(self._whisper())
        try:
            await self._ring()
            if self.offer.stage is Stage.WHISPERING:
                await self._ask(words)
        except asyncio.CancelledError:
            self.offer.handle(rules.Withdrawn(), self._clock())
            raise
        finally:
            words.cancel()
        return self.offer

    async def _ring(self) -> None:
        ringing = asyncio.create_task(self.phone.ring(), name="ringing")
        try:
            due = self.offer.deadline
            assert due is not None, "who rings has a limit"
            await asyncio.wait({ringing}, timeout=max(0.0, due - self._clock()))
        finally:
            late = not ringing.done()
            if late:
                ringing.cancel()
                await asyncio.wait({ringing})
        if late:
            self.offer.handle(rules.TimeUp(), max(self._clock(), due))
            return
        try:
            ringing.result()
        except NotReached as why:
            log.info("telephone not reached", channel=self.phone.endpoint, why=f"{why}: {why.remedy}")
            self.offer.handle(rules.NotAnswered(why.cause, str(why)), self._clock())
            return
        self.phone.on_key = lambda digit: self._events.put_nowait(rules.Key(digit))
        self.phone.gone.add_done_callback(lambda _: self._events.put_nowait(rules.Gone()))
        self.offer.handle(rules.Answered(), self._clock())

    async def _ask(self, words: asyncio.Future[Samples | None]) -> None:
        """Say what it is about until they decide."""
        said = 0
        while self.offer.stage in (Stage.WHISPERING, Stage.ASKED):
            if self.offer.stage is Stage.WHISPERING and said < self.offer.whispers:
                said = self.offer.whispers
                await self._say(words)
                continue
            self.offer.handle(await self._next(), self._clock())
        self.phone.sound.stop()

    async def _say(self, words: asyncio.Future[Samples | None]) -> None:
        """Speak, as soon as there is something to say; a key or a hangup may come before."""
        event = asyncio.create_task(self._next())
        try:
            both: set[asyncio.Future[Any]] = {words, event}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if event.done():
                self.offer.handle(event.result(), self._clock())
                return
        finally:
            event.cancel()
        samples = words.result()
        if samples is None:
            samples = beep(Beep(), self.phone.sample_rate)
        heard = self.phone.sound.say(samples)
        heard.add_done_callback(
            lambda ended: None if ended.cancelled() else self._events.put_nowait(rules.Whispered())
        )

    async def _next(self) -> rules.Event:
        due = self.offer.deadline
        try:
            async with asyncio.timeout(None if due is None else max(0.0, due - self._clock())):
                return await self._events.get()
        except TimeoutError:
            return rules.TimeUp()
