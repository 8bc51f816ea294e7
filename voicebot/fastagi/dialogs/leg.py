"""The leg of a call over AGI: one task has Asterisk play what is due and wait for keys, one thing at a time.

A prompt that plays ends at once when something else is to be done: Asterisk gives up STREAM FILE and
WAIT FOR DIGIT for the next command. So callers interrupt a prompt by voice as they do in any other call.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import structlog

from voicebot.agi.command import AgiError, CallerHungUp, CommandFailed
from voicebot.agi.media import KEYS
from voicebot.call.leg import Digit, Ended, Leg, LegEvent
from voicebot.call.privacy import Privacy
from voicebot.errors import CallEnded, PbxError
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.dialogs.files import PromptFiles
from voicebot.fastagi.dialogs.playout import SAMPLE_RATE, Piece
from voicebot.fastagi.dialogs.port import AgiPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.no_asterisk import NoAsterisk

GRACE_S = 0.06
"""After a key a prompt waits so long whether it shall go on: what the key means is found out meanwhile."""

_UNSEEN = "Asterisk cannot play a prompt: does it see the folder agi.prompts, and may it read it?"

log = structlog.get_logger(__name__)


class AgiLeg(Leg):
    """`files`: where prompts go; `results` are set as channel variables when the leg is left."""

    def __init__(self, channel: AgiChannel, port: AgiPort, inbox: EventInbox, files: PromptFiles) -> None:
        super().__init__(NoAsterisk(), channel.environment.unique_id, port, inbox)
        self.results: Mapping[str, str] = {}
        self.privacy = Privacy()
        self._channel = channel
        self._media = port
        self._files = files
        self._told: asyncio.Queue[str | CallEnded] = asyncio.Queue()
        self._line: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        try:
            await self._channel.answer()
        except CallerHungUp as gone:
            self.ended = Ended("caller")
            raise CallEnded("caller") from gone
        except AgiError as error:
            raise PbxError(f"Asterisk does not answer the call: {error}") from error
        self._line = asyncio.create_task(self._serve(), name="agi line")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._leave_line()
        self._media.close()
        if isinstance(error, CallEnded) and error.reason == "supervisor":
            await self.hang_up()  # who ends a call wants it ended: the dialplan does not go on
        if self.ended is None:
            self.ended = Ended("bot")
        try:
            await self._channel.set_variables(self.results)
        except (AgiError, CallerHungUp) as refused:
            if self.ended.reason != "caller":
                log.warning("the dialplan is not told how the dialog went", why=str(refused))

    # --- as any leg -------------------------------------------------------------------------------------

    async def hang_up(self, cause: int = 16) -> None:
        if self.ended is None:
            self.ended = Ended("bot", cause)
            await self._leave_line()
            with suppress(AgiError, CallerHungUp):
                await self._channel.hang_up()

    async def hand_over(
        self, context: str, extension: str, variables: Mapping[str, str] | None = None
    ) -> None:
        await self._leave_line()
        try:
            await self._channel.set_variables(dict(variables or {}))
            await self._channel.go_on_at(context, extension)
        except CallerHungUp as gone:
            self.ended = Ended("caller")
            raise CallEnded("caller") from gone
        except AgiError as error:
            raise PbxError(str(error)) from error
        self.ended = Ended("handed_over")

    async def events(self) -> AsyncIterator[LegEvent]:
        """Yield keys. Raises CallEnded when the caller or the session is gone."""
        while True:
            told = await self._told.get()
            if isinstance(told, CallEnded):
                raise told
            yield Digit(told)

    # --- the line ---------------------------------------------------------------------------------------

    async def _leave_line(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.cancel()
            await asyncio.wait({line})

    async def _serve(self) -> None:
        """Play and wait, until cancelled or until the caller is gone."""
        try:
            grace = False
            while True:
                self._media.changed.clear()
                piece = None if grace else self._media.playout.next_piece()
                if piece is not None:
                    digit = await self._play(piece)
                else:
                    digit = await self._wait(GRACE_S if grace else None)
                grace = bool(digit)
                if digit:
                    self._told.put_nowait(digit)
        except CallerHungUp:
            self.ended = self.ended or Ended("caller")
            self._told.put_nowait(CallEnded("caller"))
        except (AgiError, OSError) as error:
            self._break(str(error))
        except Exception as error:  # a mistake of ours: the call may not hang for it
            log.exception("the line of a call over AGI failed")
            self._break(repr(error))

    def _break(self, why: str) -> None:
        log.error("the line of a call over AGI broke", why=why)
        self.ended = self.ended or Ended("media_lost")
        self._told.put_nowait(CallEnded("media_lost"))

    async def _wait(self, limit_s: float | None) -> str:
        """Wait for a key in silence, until there is something else to do; "" for none."""
        waiting = asyncio.create_task(self._channel.stream_file(self._files.silence, KEYS))
        try:
            await self._changed_or(waiting, limit_s)
            if not waiting.done():
                self._channel.interrupt()
            return (await waiting).digit
        except CommandFailed as error:
            raise AgiError(_UNSEEN) from error
        finally:
            await _stop(waiting)

    async def _play(self, piece: Piece) -> str:
        """Play a piece as long as it is wanted; return the key that ended it, "" for none."""
        async with self._files.kept(piece.samples, secret=self.privacy.secret) as file:
            if not self._media.playout.wants(piece):
                return ""  # it was dropped while the file was written
            return await self._play_file(file, piece)

    async def _play_file(self, file: str, piece: Piece) -> str:
        playout, loop = self._media.playout, asyncio.get_running_loop()
        began = loop.time()
        playout.sound(piece, piece.offset)
        playing = asyncio.create_task(self._channel.stream_file(file, KEYS, piece.offset))
        reached: int | None = None
        interrupted = False
        try:
            while not playing.done():
                await self._changed_or(playing)
                if not playing.done() and not playout.wants(piece):
                    interrupted = True
                    self._channel.interrupt()
                    break
            played = await playing
            reached = played.position or None
            if not played.digit and not interrupted:
                reached = len(piece.samples)  # to its end: where Asterisk says that is, there is no more
            return played.digit
        except CommandFailed as error:
            raise AgiError(_UNSEEN) from error
        finally:
            await _stop(playing)
            playout.sound(None, 0)
            if reached is None:  # Asterisk does not say
                reached = piece.offset + round((loop.time() - began) * SAMPLE_RATE)
            playout.played(piece, reached)

    async def _changed_or(self, doing: asyncio.Future[Any], limit_s: float | None = None) -> None:
        """Return when it is done, when there is something else to look at, or when the time is up."""
        looking = asyncio.create_task(self._media.changed.wait())
        try:
            await asyncio.wait({doing, looking}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
            self._media.changed.clear()
        finally:
            looking.cancel()


async def _stop(doing: asyncio.Task[Any]) -> None:
    """End a command, if it is not over, and take what came of it."""
    doing.cancel()
    await asyncio.wait({doing})
    if not doing.cancelled():
        doing.exception()
