"""A supervisor who speaks into a call by the browser's microphone."""

from __future__ import annotations

import asyncio

from voicebot.audio.frames import bytes_per_frame, to_pcm, to_samples
from voicebot.audio.live_voice import LiveVoice
from voicebot.audio.octave import Halving
from voicebot.call.people import Company
from voicebot.errors import PbxError, UserError
from voicebot.switchboard.supervisors.modes import Mode, Presence
from voicebot.switchboard.supervisors.snoop import Aside

BROWSER_RATE = 16000
"""Hz, of the PCM that is fed."""
MOST_AT_ONCE = 64_000
"""Bytes (2 s) taken in one piece; what is beyond is dropped."""


class Microphone:
    """16-bit little-endian mono at `sample_rate` goes in by `feed`. `await open()`, then `close()` is due.

    closed: the supervisor has left, or the call is over
    """

    sample_rate = BROWSER_RATE

    def __init__(self, presence: Presence, mode: Mode, by: str) -> None:
        self.call_id = presence.call.id
        self.mode = mode
        self.by = by
        self.closed = False
        self._presence = presence
        self._call = presence.call
        rate = self._call.stage.port.sample_rate
        self._voice = LiveVoice(rate)
        self._half = Halving() if rate != BROWSER_RATE else None
        self._frame = bytes_per_frame(BROWSER_RATE)
        self._rest = bytearray()
        self._aside: Aside | None = None
        self._with: Company | None = None
        self._closing: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to be heard. Raises UserError; then nothing has changed."""
        presence, call = self._presence, self._call
        if self.mode == "listen":
            raise UserError("a microphone is not for listening", "listen without it")
        presence.check(self.mode, self.by, self)
        if self.mode == "whisper":
            assert call.company is not None
            self._with = call.company
            self._aside = Aside(call.stage.services)
            try:
                await self._aside.open(call.company.channel_id, self._voice)
            except BaseException as error:  # also where the browser has gone meanwhile
                await self._aside.close()
                if not isinstance(error, PbxError):
                    raise
                raise UserError(f"the person cannot be whispered to: {error}", "try again") from error
        try:
            await presence.enter(self, self.by, self.mode)
        except BaseException:
            await self.close()
            raise
        if self._aside is None:
            call.stage.port.playout.join(self._voice)
        else:
            call.on_company.append(self._company_changed)
        call.over.add_done_callback(lambda _: self._fall_silent())

    def _company_changed(self) -> None:
        """Whom we whispered to has gone, and nobody else shall hear what was meant for them."""
        if self._call.company is not self._with and not self.closed:
            self._fall_silent()
            self._closing = asyncio.create_task(self.close(), name="whisper ends")

    def feed(self, pcm: bytes) -> None:
        """Take what the microphone gave, of any length; never waits."""
        if self.closed:
            return
        self._rest += pcm[:MOST_AT_ONCE]
        while len(self._rest) >= self._frame:
            frame = bytes(self._rest[: self._frame])
            del self._rest[: self._frame]
            self._voice.feed(frame if self._half is None else to_pcm(self._half.push(to_samples(frame))))

    async def close(self) -> None:
        """Leave the call; what has changed by being there is undone, even if cancelled. Idempotent."""
        self._fall_silent()
        aside, self._aside = self._aside, None
        try:
            if aside is not None:
                await aside.close()
        finally:
            await self._presence.leave(self)

    def _fall_silent(self) -> None:
        self.closed = True
        if self._company_changed in self._call.on_company:
            self._call.on_company.remove(self._company_changed)
        self._call.stage.port.playout.leave(self._voice)
