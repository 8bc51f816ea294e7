"""The caller's side of a talk: their bridge, our media in it, and what they hear while they are alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from voicebot.ari import requests
from voicebot.audio.frames import Samples
from voicebot.call.leg import Ari, Leg
from voicebot.errors import PbxError
from voicebot.switchboard.hold_sound import HoldSound
from voicebot.switchboard.telephone import Telephone

AGAIN_AFTER_S = (0.1, 0.3, 1.0)
"""Pauses between attempts to bring our media back to a caller who would hear nothing without them."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PersonOnLine:
    """A `Company`: the person who has the caller. channel_id: of their telephone"""

    name: str
    channel_id: str
    side: Side

    async def keep(self, who: str, wanted: bool) -> None:
        await self.side.keep(who, wanted)


class Side:
    """Our media stay out of the bridge while two persons talk in it, so that Asterisk joins just the two.

    `keep` names who wants our media in all the same: the recording, a supervisor who listens or speaks.

    kept_changed: is told when somebody wants them in, or no more
    """

    def __init__(self, ari: Ari, leg: Leg, sound: HoldSound, music: Samples, keep: set[str]) -> None:
        self.leg = leg
        self.sound = sound
        self.music = music
        self.with_person = False
        self.kept_changed: Callable[[], None] = lambda: None
        self._ari = ari
        self._keep = keep
        self._media_in = True
        self._joined_in = ""
        self._moving = asyncio.Lock()

    @property
    def kept(self) -> bool:
        """Whether somebody needs our media between the two."""
        return bool(self._keep)

    async def admit(self, phone: Telephone) -> None:
        """Let a person in: the music plays until they are there. Raises PbxError; then it goes on."""
        bridge_id = self.leg.bridge_id
        await phone.join(bridge_id)
        self._joined_in = bridge_id
        self.with_person = True
        self.sound.stop()
        await self._settle_media()
        if self.leg.bridge_id != bridge_id:  # lost meanwhile, and nobody was with the caller to be told
            await self.admit(phone)

    async def repair(self, phone: Telephone) -> None:
        """The leg has made media or bridge anew. Raises PbxError."""
        self._media_in = not self.leg.media_apart
        if self.with_person and self._joined_in != self.leg.bridge_id:
            await self.admit(phone)
        else:
            await self._settle_media()

    async def hold(self) -> None:
        """Let the caller hear music; whoever is in the bridge may leave it then."""
        self.with_person = False
        await self._settle_media()
        self.sound.start(self.music)

    async def keep(self, who: str, wanted: bool) -> None:
        """Keep our media in the bridge for `who`, or no more."""
        (self._keep.add if wanted else self._keep.discard)(who)
        self.kept_changed()
        await self._settle_media()

    async def _settle_media(self) -> None:
        async with self._moving:  # the call may want them kept while the talk begins or ends
            for pause_s in (*AGAIN_AFTER_S, None):
                wanted = not self.with_person or bool(self._keep)
                if wanted == self._media_in or await self._move_media(wanted):
                    return
                if not wanted or pause_s is None:  # the two hear each other all the same
                    return
                await asyncio.sleep(pause_s)

    async def _move_media(self, wanted: bool) -> bool:
        """Let our media in, or take them out. False where Asterisk does not: perhaps they were just lost."""
        leg, change = self.leg, requests.add_channels if wanted else requests.remove_channels
        leg.media_apart = not wanted  # whoever makes them anew just now puts them where they belong
        try:
            await self._ari.request(change(leg.bridge_id, leg.media_id))
        except PbxError as error:
            log.warning("media not moved", wanted=wanted, error=str(error))
            return False
        self._media_in = wanted
        return True
