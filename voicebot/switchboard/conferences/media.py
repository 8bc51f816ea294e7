"""A room at Asterisk: its bridge, and our own leg in it, by which we hear everybody and all hear us."""

from __future__ import annotations

import asyncio
from typing import Protocol

from voicebot.ari import requests
from voicebot.ari.events import Event, StasisStart, is_end_of, parse_channel
from voicebot.ari.ids import Kind
from voicebot.call.leg import MEDIA_START_TIMEOUT_S, Ari
from voicebot.call.services import Services
from voicebot.errors import PbxError
from voicebot.media.port import HeardFrame, MediaListener, MediaPort
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import tolerant


class Ear(Protocol):
    """Who hears the room, and is told of prompts."""

    def heard(self, frame: HeardFrame) -> None: ...

    def prompt_started(self, prompt_id: int, at: float) -> None: ...

    def prompt_finished(self, prompt_id: int, at: float) -> None: ...


class RoomMedia:
    """Bridge, media channel and port of one room. `undo()` is due on every path after `build()` began.

    bridge_id: where the participants' channels belong
    port:      hears the mix of all participants, and speaks to all
    ears:      given every frame of it
    inbox:     events of the bridge and the media channel
    hangover_ms: of the port's voice activity detector
    """

    def __init__(self, room_id: str, name: str, video: bool, services: Services) -> None:
        self._services = services
        self._ari: Ari = services.ari
        self._name = name
        self._video = video
        self.ears: list[Ear] = []
        self.bridge_id = self._ari.new_id(Kind.BRIDGE)
        self.media_id = ""
        self.inbox: EventInbox = self._ari.subscribe()
        vad = services.vad()
        self.hangover_ms = vad.hangover_ms
        self.port: MediaPort = services.media.open_port(
            room_id, services.config.media.codec, vad=vad, listener=_Ears(self.ears)
        )

    async def build(self) -> None:
        """Make the bridge, and put our media channel into it. Raises PbxError."""
        self.inbox.expect(self.bridge_id)
        await self._ari.request(requests.create_bridge(self.bridge_id, self._name, video=self._video))
        self.inbox.confirm(self.bridge_id)
        await self._ari.request(requests.subscribe(self._ari.app, f"bridge:{self.bridge_id}"))
        await self._add_media()

    async def rebuild(self) -> None:
        """Put another media channel into the bridge, for the one before is gone. Raises PbxError."""
        self.inbox.forget(self.media_id)
        await self._add_media()

    async def _add_media(self) -> None:
        config = self._services.config.media
        self.media_id = self._ari.new_id(Kind.MEDIA)
        self.inbox.expect(self.media_id)
        reply = await self._ari.request(
            requests.external_media(
                app=self._ari.app,
                channel_id=self.media_id,
                host=config.advertise or self.port.host,
                port=self.port.port,
                format=self.port.codec,
            )
        )
        self.inbox.confirm(self.media_id)
        where = parse_channel(reply).channelvars
        try:
            self.port.connect(where["UNICASTRTP_LOCAL_ADDRESS"], int(where["UNICASTRTP_LOCAL_PORT"]))
        except (KeyError, ValueError, OSError) as error:
            raise PbxError(f"Asterisk does not say where a room's media channel listens: {error}") from error
        await self._media_started()
        await self._ari.request(requests.add_channels(self.bridge_id, self.media_id))

    async def _media_started(self) -> None:
        try:
            async with asyncio.timeout(MEDIA_START_TIMEOUT_S):
                async for event in self.inbox:
                    if isinstance(event, StasisStart) and event.channel.id == self.media_id:
                        return
        except TimeoutError as error:
            raise PbxError("a room's media channel did not enter our application") from error

    def lost(self, event: Event) -> str:
        """Tell what this event takes from us: `bridge`, `media`, or ""."""
        if is_end_of(event, self.bridge_id):
            return "bridge"
        return "media" if self.media_id and is_end_of(event, self.media_id) else ""

    async def undo(self) -> None:
        """Remove all of it from Asterisk, and give the port back."""
        self.port.close()
        if self.media_id:
            await tolerant(self._ari, requests.hang_up(self.media_id))
        await tolerant(self._ari, requests.delete_bridge(self.bridge_id))
        self.inbox.close()


class _Ears(MediaListener):
    """Hands what comes from the tick to all who hear the room."""

    def __init__(self, ears: list[Ear]) -> None:
        self._ears = ears

    def heard(self, frame: HeardFrame) -> None:
        for ear in self._ears:
            ear.heard(frame)

    def prompt_started(self, prompt_id: int, at: float) -> None:
        for ear in self._ears:
            ear.prompt_started(prompt_id, at)

    def prompt_finished(self, prompt_id: int, at: float) -> None:
        for ear in self._ears:
            ear.prompt_finished(prompt_id, at)

    def keyed(self, digit: str) -> None:
        """Nobody presses keys on our own leg."""
