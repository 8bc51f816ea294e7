"""Ringing a telephone, until somebody answers: agents', supervisors', those of participants and of callers.

ringing = Ringing(services, "PJSIP/anna", name="Support", number="+12025550142")
try:
    await ringing.begin()       # NotReached
    await ringing.answered()    # NotReached; else the channel is in our application
    ...
finally:
    await ringing.hang_up()
"""

from __future__ import annotations

import asyncio

from voicebot.ari import requests
from voicebot.ari.events import ChannelDestroyed, StasisStart, Vanished
from voicebot.ari.ids import Kind
from voicebot.call.services import Services
from voicebot.errors import PbxError
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import finish, tolerant

LONGEST_RING_S = 180
"""Asterisk stops ringing by itself after so long, should we not live to do it."""
DIALPLAN = "Local/"
"""Begins what the dialplan rings for us. Asterisk gives such a channel the best format that it knows,
192 kHz, unless it is told ours, and would convert each frame up and down again.
"""
PERSON = "person"
"""First argument with which such channels enter our application."""


class NotReached(Exception):
    """Nobody answered. `cause`: ITU-T Q.850, 0 where the telephone could not be rung."""

    def __init__(self, cause: int, why: str = "") -> None:
        super().__init__(why or f"cause {cause}")
        self.cause = cause


class Ringing:
    """One telephone, rung once.

    endpoint:     the channel to dial;  number, name: what its display shows
    longest_s:    Asterisk stops by itself then
    channel_id, inbox: of the channel, from `begin()` on
    """

    def __init__(
        self,
        services: Services,
        endpoint: str,
        *,
        number: str = "",
        name: str = "",
        longest_s: int = LONGEST_RING_S,
    ) -> None:
        self.endpoint = endpoint
        self.channel_id = services.ari.new_id(Kind.PERSON)
        self.inbox: EventInbox = services.ari.subscribe()
        self._ari = services.ari
        self._codec = services.config.media.codec
        self._number, self._name = number, name
        self._longest_s = longest_s
        self._asking = asyncio.Lock()  # nobody hangs up what Asterisk is just being asked for

    async def begin(self) -> None:
        """Have Asterisk ring. Raises NotReached where it cannot; `hang_up()` is due in any case."""
        self.inbox.expect(self.channel_id)
        try:
            request = requests.originate(
                app=self._ari.app,
                channel_id=self.channel_id,
                endpoint=self.endpoint,
                timeout_s=self._longest_s,
                caller_number=self._number,
                caller_name=self._name,
                args=PERSON,
                formats=self._codec if self.endpoint.startswith(DIALPLAN) else "",
            )
            async with self._asking:
                await finish(self._ari.request(request))
        except (PbxError, ValueError) as error:
            raise NotReached(0, str(error)) from error
        self.inbox.confirm(self.channel_id)

    async def answered(self) -> None:
        """Wait until somebody answers. Raises NotReached."""
        while True:
            match await self.inbox.get():
                case StasisStart(channel=channel) if channel.id == self.channel_id:
                    return
                case ChannelDestroyed(channel=channel) as ended if channel.id == self.channel_id:
                    raise NotReached(ended.cause, ended.cause_txt)
                case Vanished(id=self.channel_id, reason=reason):
                    raise NotReached(0, reason)

    async def hang_up(self) -> None:
        """Stop ringing, or end the channel; follow it no more. Idempotent."""
        async with self._asking:
            pass
        await tolerant(self._ari, requests.hang_up(self.channel_id))
        self.inbox.close()
