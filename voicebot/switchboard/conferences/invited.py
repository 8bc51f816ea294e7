"""Telephones that are rung to take part in a conference."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from voicebot.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    Event,
    StasisEnd,
    Vanished,
)
from voicebot.call.services import Services
from voicebot.conference.participant import Participant
from voicebot.conference.room import Refused
from voicebot.errors import PbxError, UserError
from voicebot.pbx.persevering import finish
from voicebot.switchboard.conferences.phonebook import Entry
from voicebot.switchboard.conferences.room import LiveRoom
from voicebot.switchboard.conferences.views import InvitationView
from voicebot.switchboard.ringing import NotReached, Ringing

RING_S = 40
"""How long an invited telephone rings."""
ANSWER_GRACE_S = 5.0
"""After Asterisk should have stopped ringing, until the invitation is given up."""

log = structlog.get_logger(__name__)


class Invitation:
    """One telephone, from ringing to the end of its stay.

    channel: which telephone;  shown: on its display
    sit:   lets the participant into the room; notice: takes events of their channel
    """

    def __init__(
        self,
        services: Services,
        phone: Entry,
        who: str,
        by: str,
        host: bool,
        shown: str,
        sit: Callable[[Participant], LiveRoom],
        notice: Callable[[LiveRoom, str, Event], None],
    ) -> None:
        self._ringing = Ringing(services, phone.channel, name=shown, longest_s=RING_S)
        self.id = self._ringing.channel_id
        self.view = InvitationView(self.id, phone.name or who, by, time.time())
        self.rings = True
        self.channel = phone.channel
        self.failure: UserError | None = None  # why they did not come in
        self._phone = phone
        self._host = host
        self._sit = sit
        self._notice = notice

    async def ring(self) -> None:
        """Begin to ring. Raises UserError where Asterisk cannot; undone where it fails or is cancelled."""
        try:
            await self._ringing.begin()
        except NotReached as error:
            await self._ringing.hang_up()
            raise UserError(f"the telephone was not reached: {error}", error.remedy) from error
        except BaseException:
            await finish(self._ringing.hang_up())
            raise

    async def attend(self) -> None:
        """Let them in when they answer, and stay with them to the end. Undoes all on every path."""
        room: LiveRoom | None = None
        try:
            async with asyncio.timeout(RING_S + ANSWER_GRACE_S):
                await self._ringing.answered()
            self.rings = False
            room = self._sit(
                Participant(
                    self.id,
                    name=self._phone.name,
                    number=self._phone.number or self._phone.channel,
                    host=self._host,
                    unaware=True,
                    since_at=time.time(),
                )
            )
            await self._stay(room)
        except NotReached as why:
            self.failure = UserError(str(why), why.remedy)
        except Refused as refused:
            self.failure = UserError(f"not let in: the conference is {refused.why}", "look how it stands")
        except TimeoutError:
            self.failure = UserError("nobody answered", "is the telephone with its owner?")
        except UserError as error:
            self.failure = error
        except PbxError as error:
            self.failure = UserError(str(error), "look how the conference stands")
        finally:
            if self.failure is not None:
                log.info("invited in vain", who=self._phone.channel, why=str(self.failure))
            self.rings = False
            if room is not None:
                room.leave(self.id)
            await finish(self._undo(room))

    async def _stay(self, room: LiveRoom) -> None:
        following = asyncio.create_task(self._follow(room))
        waited: set[asyncio.Future[Any]] = {following, room.seat(self.id).over}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if following.done():
                following.result()
        finally:
            following.cancel()

    async def _follow(self, room: LiveRoom) -> None:
        async for event in self._ringing.inbox:
            if isinstance(event, ChannelDestroyed | StasisEnd | Vanished):
                return
            if isinstance(event, ChannelDtmfReceived):
                room.press(self.id, event.digit)
            else:
                self._notice(room, self.id, event)

    async def _undo(self, room: LiveRoom | None) -> None:
        await self._ringing.hang_up()
        if room is not None and room.room.over:
            await room.closed.wait()
