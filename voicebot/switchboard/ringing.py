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


REFUSED = 500
"""Asterisk's status where a channel cannot be made: no such telephone, or none that is registered."""
WORDS = {
    1: ("Asterisk knows no such number", "name it as Asterisk does"),
    17: ("it is busy", "try again when it is free"),
    18: ("it does not respond", "is it switched on and registered?"),
    19: ("nobody answered", "is the telephone with its owner?"),
    20: ("it is not registered", "switch it on, or let it register with Asterisk"),
    21: ("the call was refused there", "does it take calls, or does it hold them off?"),
}
"""What causes (ITU-T Q.850) mean to people, and the remedy."""
REASONS = {
    "asterisk_lost": "the connection to Asterisk was lost",
    "app_taken": "another gateway has taken the name of our application",
    "hung_up": "it hung up at once",
    "caller": "it hung up at once",
}
"""The same of why a channel of ours ended."""


class NotReached(Exception):
    """Nobody answered: why, in words for people, and the `remedy`.

    `cause`: ITU-T Q.850, 0 where the telephone could not be rung.
    """

    def __init__(self, cause: int, why: str = "", remedy: str = "") -> None:
        known, mended = WORDS.get(cause, (f"it ended with cause {cause}", "see Asterisk's log"))
        super().__init__(known if cause in WORDS else REASONS.get(why, why) or known)
        self.cause = cause
        self.remedy = remedy or mended


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
        except ValueError as error:
            raise NotReached(0, str(error), "correct the channel in voicebot.toml") from error
        except PbxError as error:
            raise await self._why_not(error) from error
        self.inbox.confirm(self.channel_id)

    async def _why_not(self, error: PbxError) -> NotReached:
        """Find out why Asterisk cannot ring: its answer is the same for all reasons."""
        technology, _, rest = self.endpoint.partition("/")
        name, _, uri = rest.partition("/")
        resource = name if uri else name.rpartition("@")[2]  # PJSIP/trunk/sip:..., PJSIP/number@trunk
        if error.status != REFUSED or self.endpoint.startswith(DIALPLAN):
            return NotReached(0, str(error), "`voicebot doctor` checks Asterisk")
        try:
            told = await self._ari.request(requests.get_endpoint(technology, resource))
        except ValueError:
            told = None
        except PbxError as unknown:
            if "Endpoint not found" in str(unknown):
                what = f"Asterisk knows no {technology}/{resource}"
                return NotReached(0, what, "name it in voicebot.toml as Asterisk does (pjsip.conf)")
            told = None
        if isinstance(told, dict) and told.get("state") == "offline":
            remedy = "switch the telephone on, or let it register with Asterisk"
            return NotReached(0, f"{technology}/{resource} is not registered", remedy)
        return NotReached(0, str(error), "see Asterisk's log")

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
