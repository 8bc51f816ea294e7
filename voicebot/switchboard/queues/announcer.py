"""What somebody who waits is told, over the music and between it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voicebot.acd.expecting import Announcing
from voicebot.audio.frames import Samples
from voicebot.call.services import voice_of
from voicebot.call.stage import Stage
from voicebot.config import QueueConfig, Route
from voicebot.switchboard.hold_sound import Phrases, rendered
from voicebot.switchboard.queues.side import Side
from voicebot.switchboard.queues.texts import Texts, announcement_text

WORDS_LIMIT_S = 60.0


class Announcer:
    """Speaks to one caller, by the media of their own call.

    phrases: what many who wait are told;  busy: whether nobody shall be told anything aside now
    """

    def __init__(
        self, stage: Stage, route: Route, phrases: Phrases, texts: Texts, side: Side, busy: Callable[[], bool]
    ) -> None:
        self.texts = texts
        self._stage = stage
        self._route = route
        self._phrases = phrases
        self._side = side
        self._busy = busy

    async def announce(self, config: QueueConfig, position: Callable[[], tuple[int, float | None]]) -> None:
        """Greet, then tell the place in the queue and what else the operator wants, again and again.

        position: returns the place, from 1, and the expected wait in s
        """
        clock = self._stage.clock
        announcing = Announcing(
            clock(),
            every_s=config.announce_s,
            say_position=config.say_position,
            say_wait=config.say_wait,
            call_back=config.call_back and bool(config.call_back_trunk),
        )
        while announcing.due is not None:
            await asyncio.sleep(max(0.0, announcing.due - clock()))
            what = None if self._busy() else announcing.next(clock(), *position())
            if what is not None:
                text = announcement_text(
                    self.texts, what, greeting=config.greeting, call_back_key=config.call_back_key
                )
                await self.say(text, aside=True)
            announcing.said(clock())

    async def say(self, text: str, *, aside: bool = False) -> None:
        """Say something, while the music plays until its first word; return when it was heard.

        aside: not, where the caller is `busy` by the time it could be said
        """
        samples = await self.rendered(text, shared=True)
        if samples is None or (aside and self._busy()):
            return
        await asyncio.wait({self._side.sound.say(samples)}, timeout=WORDS_LIMIT_S)

    async def rendered(self, text: str, *, shared: bool = False) -> Samples | None:
        """Return the speech of a text, None where it cannot be had. `shared`: others are told the same."""
        services, rate = self._stage.services, self._stage.port.sample_rate
        voice = voice_of(services.config, self._route, self.texts.language)
        if not shared:
            return await rendered(services.tts, text, voice, rate)
        engine = self._route.speech(voice.language).tts
        return await self._phrases.speak(services.tts, engine, text, voice, rate)
