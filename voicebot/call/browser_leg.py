"""The leg of a call by a browser's microphone: no channel, no bridge, no Asterisk; only media and keys."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Self

from voicebot.ari.requests import NORMAL_CLEARING
from voicebot.call.leg import Digit, Ended, Leg, LegEvent
from voicebot.errors import CallEnded, PbxError
from voicebot.media.browser_peer import BrowserPeer
from voicebot.media.port import MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.no_asterisk import NoAsterisk

NORMAL_TEXT = "Normal Clearing"
MOST_KEYS = 100
"""Keys that may wait; more are not taken."""


class BrowserLeg(Leg):
    """Joins the browser with our media. `peer` is there while the leg stands."""

    def __init__(self, channel_id: str, port: MediaPort, inbox: EventInbox) -> None:
        super().__init__(NoAsterisk(), channel_id, port, inbox)
        self.peer: BrowserPeer | None = None
        self._media = port
        self._keys: asyncio.Queue[str] = asyncio.Queue()  # "" wakes who waits at the end

    async def __aenter__(self) -> Self:
        try:
            self.peer = BrowserPeer(self._media.host, self._media.port, self._media.codec)
            self._media.connect(self.peer.host, self.peer.port)
        except OSError as error:
            self._close()
            raise PbxError(f"no media for a browser: {error.strerror or error}") from error
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end(Ended("bot", NORMAL_CLEARING, NORMAL_TEXT))
        self._close()

    def _close(self) -> None:
        if self.peer is not None:
            self.peer.close()
        self._media.close()

    # --- from the browser -------------------------------------------------------------------------------

    def press(self, digit: str) -> None:
        """The caller pressed a key; too many at once are not taken."""
        if self._keys.qsize() < MOST_KEYS:
            self._keys.put_nowait(digit)

    def leave(self) -> None:
        """The caller hangs up, or their browser is gone."""
        self._end(Ended("caller", NORMAL_CLEARING, NORMAL_TEXT))

    def _end(self, ended: Ended) -> None:
        self.ended = self.ended or ended
        self._keys.put_nowait("")

    # --- as any leg -------------------------------------------------------------------------------------

    async def hang_up(self, cause: int = NORMAL_CLEARING) -> None:
        self._end(Ended("bot", cause))

    async def hand_over(
        self, context: str, extension: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """There is nowhere to go on: the call is over, as it would be for the dialog."""
        self.ended = self.ended or Ended("handed_over")

    async def events(self) -> AsyncIterator[LegEvent]:
        """Yield keys. Raises CallEnded at the end of the call."""
        while self.ended is None:
            digit = await self._keys.get()
            if digit:
                yield Digit(digit)
        raise CallEnded(self.ended.reason, self.ended.cause)
