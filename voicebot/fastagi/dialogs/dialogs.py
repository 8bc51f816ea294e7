"""agi://host/dialog/600: the route of a number, held over AGI; `called` in its place is the dialled one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

import structlog

from voicebot.agi.command import AgiError
from voicebot.agi.status import FAILED, STATUS
from voicebot.call.call import Call
from voicebot.call.routing import find_route
from voicebot.call.services import Services
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import UserError
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.dialogs.call import AgiCall
from voicebot.fastagi.dialogs.files import PromptFiles
from voicebot.fastagi.dialogs.voice import follow_voice, voice_of
from voicebot.fastagi.scripts import UnknownScript

CALLED = "called"
"""The name that stands for the number that was dialled."""

BROKEN = ("error", "media_lost")
"""Ends of a call that are told to the dialplan as `failed`."""

log = structlog.get_logger(__name__)


class AgiDialogs:
    """Holds the dialogs of routes over AGI; `run` is the handler of the kind `dialog`.

    dialog:   returns a route's dialog as it stands now
    services: the process, as a call on a route sees it
    hold:     holds a call to its end, as the gateway does
    accepts:  whether the gateway takes calls now

    Raises UserError where the folder of prompts cannot be used.
    """

    def __init__(
        self,
        config: Config,
        *,
        dialog: Callable[[Route], Awaitable[Dialog]],
        services: Callable[[Route], Services],
        hold: Callable[[Call], Awaitable[None]],
        accepts: Callable[[], bool],
    ) -> None:
        self._routes = config.routes
        folder = config.var / "agi" if not config.agi.prompts else config.resolve(config.agi.prompts)
        self._files = PromptFiles(folder, config.agi.prompts_seen_as)
        self._dialog = dialog
        self._services = services
        self._hold = hold
        self._accepts = accepts

    async def run(self, channel: AgiChannel, name: str) -> None:
        """Hold one call. The dialplan goes on when it returns, and if this process dies it finds `failed`.

        Raises UnknownScript, and AgiError for a call that did not end as its dialog or its caller wanted.
        """
        await channel.set_variable(STATUS, FAILED)
        number = channel.environment.called if name == CALLED else name
        route = find_route(self._routes, number)
        if route is None:
            raise UnknownScript(f"there is no route for {number}")
        if not self._accepts():
            raise AgiError("the gateway takes no calls now")
        try:
            dialog = await self._dialog(route)
        except UserError as error:
            raise AgiError(f"the dialog cannot be held: {error.problems[0]}") from error
        # Nobody elsewhere has us connect to a port of this machine.
        place = voice_of(channel.environment) if channel.local else None
        services, id_ = self._services(route), os.urandom(8).hex()
        call = AgiCall(id_, channel, route, dialog, services, self._files, voice=place is not None)
        call.record.called.number = number
        voice = None
        if place is not None:
            following = follow_voice(place, call.answered, lambda pcm: call.media.port.feed(pcm))
            voice = asyncio.create_task(following, name="agi voice")
        try:
            await self._hold(call)
        finally:
            if voice is not None:
                voice.cancel()
                await asyncio.gather(voice, return_exceptions=True)
        if call.record.ended_by in BROKEN:
            raise AgiError(f"the call ended by {call.record.ended_by}")
