"""Telephones that are rung to take part in a conference."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog

from voicebot.ari import requests
from voicebot.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    Event,
    StasisEnd,
    StasisStart,
    Vanished,
)
from voicebot.ari.ids import Kind
from voicebot.call.leg import Ari
from voicebot.conference.participant import Participant
from voicebot.conference.room import Refused
from voicebot.errors import PbxError, UserError
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import finish, tolerant
from voicebot.switchboard.conferences.phonebook import Entry
from voicebot.switchboard.conferences.room import LiveRoom
from voicebot.switchboard.conferences.views import InvitationView

RING_S = 40
"""How long an invited telephone rings."""
ANSWER_GRACE_S = 5.0
"""After Asterisk should have stopped ringing, until the invitation is given up."""

log = structlog.get_logger(__name__)


class Invitation:
    """One telephone, from ringing to the end of its stay.

    sit: lets the participant into the room; notice: takes events of their channel
    """

    def __init__(
        self,
        ari: Ari,
        phone: Entry,
        who: str,
        by: str,
        host: bool,
        sit: Callable[[Participant], LiveRoom],
        notice: Callable[[LiveRoom, str, Event], None],
    ) -> None:
        self.id = ari.new_id(Kind.PERSON)
        self.view = InvitationView(self.id, phone.name or who, by, time.time())
        self.rings = True
        self._ari = ari
        self._phone = phone
        self._host = host
        self._sit = sit
        self._notice = notice
        self._inbox: EventInbox = ari.subscribe()

    async def ring(self, shown: str) -> None:
        """Begin to ring; `shown` is the name on the display. Raises UserError where Asterisk cannot."""
        self._inbox.expect(self.id)
        request = requests.originate(
            app=self._ari.app,
            channel_id=self.id,
            endpoint=self._phone.channel,
            timeout_s=RING_S,
            caller_name=shown,
        )
        try:
            await self._ari.request(request)
        except PbxError as error:
            self._inbox.close()
            raise UserError(
                f"{self._phone.channel} cannot be rung: {error}", "see whether the telephone is registered"
            ) from error
        self._inbox.confirm(self.id)

    async def attend(self) -> None:
        """Let them in when they answer, and stay with them to the end. Undoes all on every path."""
        room: LiveRoom | None = None
        try:
            async with asyncio.timeout(RING_S + ANSWER_GRACE_S):
                if not await self._answered():
                    return
            self.rings = False
            room = self._sit(
                Participant(
                    self.id,
                    name=self._phone.name,
                    number=self._phone.number or self._phone.channel,
                    host=self._host,
                    since_at=time.time(),
                )
            )
            await self._stay(room)
        except Refused as refused:
            log.info("invited, and not let in", who=self._phone.channel, why=refused.why)
        except TimeoutError:
            log.info("an invited telephone is let go", who=self._phone.channel)
        except (UserError, PbxError) as error:
            log.warning("invitation failed", who=self._phone.channel, error=str(error))
        finally:
            self.rings = False
            if room is not None:
                room.leave(self.id)
            await finish(self._undo(room))

    async def _answered(self) -> bool:
        async for event in self._inbox:
            if isinstance(event, StasisStart):
                return True
            if isinstance(event, ChannelDestroyed | StasisEnd | Vanished):
                log.info("an invited telephone did not answer", who=self._phone.channel)
                return False
        return False

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
        async for event in self._inbox:
            if isinstance(event, ChannelDestroyed | StasisEnd | Vanished):
                return
            if isinstance(event, ChannelDtmfReceived):
                room.press(self.id, event.digit)
            else:
                self._notice(room, self.id, event)

    async def _undo(self, room: LiveRoom | None) -> None:
        await tolerant(self._ari, requests.hang_up(self.id))
        self._inbox.close()
        if room is not None and room.room.over:
            await room.closed.wait()
