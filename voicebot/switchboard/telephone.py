"""A telephone that we ring: an agent's, a second person's, or that of a caller who is called back.

    phone = Telephone(services, "PJSIP/anna", name="Support", number="+12025550142")
    try:
        await phone.ring()                 # NotReached; else somebody has answered, and hears us
        await phone.join(bridge_id)        # they are in another bridge; `home()` brings them back
    finally:
        await phone.close()

It has a leg of its own (`call/leg.py`): a bridge, and media by which we speak to whoever answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from voicebot.ari import requests
from voicebot.call.leg import Digit, Leg
from voicebot.call.services import Services
from voicebot.errors import CallEnded, PbxError, UserError
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import finish
from voicebot.switchboard.hold_sound import HoldSound
from voicebot.switchboard.ringing import NotReached, Ringing

log = structlog.get_logger(__name__)


class Telephone:
    """One telephone, rung once. A `MediaListener` of its own port.

    gone:     is done when they have hung up, with the reason
    on_key:   is told each key;  on_replaced: that media or bridge were lost, and made anew
    """

    def __init__(self, services: Services, endpoint: str, *, number: str = "", name: str = "") -> None:
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.on_key: Callable[[str], None] = lambda digit: None
        self.on_replaced: Callable[[], None] = lambda: None
        self.sound: HoldSound
        self.leg: Leg
        self._services = services
        self._ringing = Ringing(services, endpoint, number=number, name=name)
        self._following: asyncio.Task[None] | None = None
        self._entered = False
        self._closed = False

    @property
    def channel_id(self) -> str:
        return self._ringing.channel_id

    @property
    def endpoint(self) -> str:
        return self._ringing.endpoint

    # --- ringing ----------------------------------------------------------------------------------------

    async def ring(self) -> None:
        """Ring until somebody answers. Raises NotReached. Cancelled, it stops ringing; `close()` is due."""
        await self._ringing.begin()
        await self._ringing.answered()
        try:
            await self._pick_up(self._ringing.inbox)
        except CallEnded as ended:
            raise NotReached(ended.cause or 0, ended.reason) from ended
        except (PbxError, UserError) as error:  # no port is free, for instance
            raise NotReached(0, str(error)) from error

    async def _pick_up(self, inbox: EventInbox) -> None:
        """Speak to whoever answered: a bridge and media of their own."""
        services = self._services
        self._port: MediaPort = services.media.open_port(
            self.channel_id, services.config.media.codec, vad=services.vad(), listener=self
        )
        self.sound = HoldSound(self._port.playout, self._port.sample_rate)
        self.leg = Leg(services.ari, self.channel_id, self._port, inbox, services.config.media.advertise)
        await self.leg.__aenter__()
        self._entered = True
        self._following = asyncio.create_task(self._follow(), name="telephone")

    async def _follow(self) -> None:
        reason = "error"
        try:
            async for event in self.leg.events():
                if isinstance(event, Digit):
                    self.on_key(event.digit)
                else:
                    self.on_replaced()
        except CallEnded as ended:
            reason = ended.reason
        except PbxError as error:
            log.warning("telephone lost", channel=self.channel_id, error=str(error))
        finally:
            if not self.gone.done():
                self.gone.set_result(reason)

    # --- talking ----------------------------------------------------------------------------------------

    @property
    def sample_rate(self) -> int:
        return self._port.sample_rate

    async def join(self, bridge_id: str) -> None:
        """Go into another bridge. Raises PbxError where it, or whoever answered, is gone."""
        self.leg.away = bridge_id != self.leg.bridge_id  # nobody brings them home when that bridge is lost
        await self._services.ari.request(requests.add_channels(bridge_id, self.channel_id))

    async def home(self) -> None:
        """Come back to where we alone speak to them. Raises PbxError."""
        await self.join(self.leg.bridge_id)

    async def close(self) -> None:
        """Stop ringing, hang up, undo all. Idempotent; done to its end even if cancelled."""
        if not self._closed:
            self._closed = True
            await finish(self._undo())

    async def _undo(self) -> None:
        if self._following is not None:
            self._following.cancel()
            await asyncio.wait({self._following})
        if self._entered:
            await self.leg.__aexit__(None, None, None)
        else:
            await self._ringing.hang_up()
        if not self.gone.done():
            self.gone.set_result("bot")

    # --- from the media tick ----------------------------------------------------------------------------

    def heard(self, frame: HeardFrame) -> None:
        """What they say to us alone means nothing."""

    def prompt_started(self, prompt_id: int, at: float) -> None:
        self.sound.prompt_started(prompt_id)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        self.sound.prompt_finished(prompt_id)

    def keyed(self, digit: str) -> None:
        """Keys come as ARI events."""
