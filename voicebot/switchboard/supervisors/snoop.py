"""A channel of Asterisk's that hears another one, and speaks into its ear."""

from __future__ import annotations

import asyncio

import structlog

from voicebot.ari import requests
from voicebot.ari.events import ChannelDestroyed, StasisStart, Vanished
from voicebot.ari.ids import Kind
from voicebot.ari.requests import Direction
from voicebot.audio.live_voice import LiveVoice
from voicebot.call.leg import Ari, Leg
from voicebot.call.services import Services
from voicebot.errors import CallEnded, PbxError
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.persevering import finish, tolerant

START_LIMIT_S = 2.0
"""From the request to the channel's StasisStart; it takes about 1 ms."""

log = structlog.get_logger(__name__)


class Snoop:
    """One snooping channel. `await open(...)`, then `close()` is due, also where it failed."""

    def __init__(self, ari: Ari) -> None:
        self.id = ari.new_id(Kind.SNOOP)
        self.inbox = ari.subscribe()
        self._ari = ari

    async def open(self, channel_id: str, *, spy: Direction, whisper: Direction) -> None:
        """Snoop on a channel. Raises PbxError where it is gone, or Asterisk refuses."""
        self.inbox.expect(self.id)
        request = requests.snoop(channel_id, app=self._ari.app, snoop_id=self.id, spy=spy, whisper=whisper)
        await finish(self._ari.request(request))
        self.inbox.confirm(self.id)
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while True:
                    event = await self.inbox.get()
                    if isinstance(event, StasisStart) and event.channel.id == self.id:
                        return
                    if isinstance(event, ChannelDestroyed | Vanished):
                        raise PbxError("whom we wanted to hear has hung up")
        except TimeoutError as error:
            raise PbxError("the snooping channel did not enter our application") from error

    async def join(self, bridge_id: str) -> None:
        """Let whoever is in that bridge hear, and be heard. Raises PbxError."""
        await self._ari.request(requests.add_channels(bridge_id, self.id))

    async def close(self) -> None:
        """Undo it. Idempotent; done to its end even if cancelled."""
        await finish(self._undo())

    async def _undo(self) -> None:
        await tolerant(self._ari, requests.hang_up(self.id))
        self.inbox.close()


class Aside:
    """Our own voice in one party's ear alone: a snooping channel that is joined with media of ours.

    A `MediaListener` that hears nothing. `await open(...)`, then `close()` is due, also where it failed.
    """

    def __init__(self, services: Services) -> None:
        self.port: MediaPort
        self._services = services
        self._snoop = Snoop(services.ari)
        self._leg: Leg | None = None

    async def open(self, channel_id: str, voice: LiveVoice) -> None:
        """Let `voice` be heard by the party of a channel. Raises PbxError."""
        services = self._services
        await self._snoop.open(channel_id, spy="none", whisper="out")
        port = services.media.open_port(
            self._snoop.id, services.config.media.codec, vad=services.vad(), listener=self
        )
        leg = Leg(services.ari, self._snoop.id, port, self._snoop.inbox, services.config.media.advertise)
        try:
            await leg.__aenter__()
        except CallEnded as ended:
            raise PbxError("whom we wanted to speak to has hung up") from ended
        self._leg = leg
        port.playout.join(voice)

    async def close(self) -> None:
        """Undo it. Idempotent."""
        leg, self._leg = self._leg, None
        if leg is not None:
            await leg.__aexit__(None, None, None)
        await self._snoop.close()

    # --- from the media tick ----------------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        """What the party says is heard elsewhere."""

    def prompt_started(self, prompt_id: int, at: float) -> None:
        """There are no prompts."""

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        """There are no prompts."""

    def keyed(self, digit: str) -> None:
        """A snooping channel has no keys."""
