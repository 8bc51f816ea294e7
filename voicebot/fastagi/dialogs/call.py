"""One call over AGI: an ordinary call, whose leg is a session of AGI."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import cast

from voicebot.ari.events import CallerId, Channel, DialplanPlace
from voicebot.call.call import Call
from voicebot.call.handover import VARIABLE_PREFIX, as_variable
from voicebot.call.leg import Leg
from voicebot.call.services import Services
from voicebot.config import Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.running.interpreter import Interpreter
from voicebot.dialog.turns import BotTurn, Event, Listen, Understood
from voicebot.fastagi.channel import AgiChannel
from voicebot.fastagi.dialogs.files import PromptFiles
from voicebot.fastagi.dialogs.leg import AgiLeg
from voicebot.fastagi.dialogs.port import AgiMedia, AgiPort
from voicebot.media.loop import MediaLoop
from voicebot.media.port import MediaPort
from voicebot.pbx.no_asterisk import NoAsterisk


class AgiCall(Call):
    """`voice`: whether the caller's voice comes too (EAGI). When the dialog is over the dialplan goes on: it
    finds VOICEBOT_OUTCOME, VOICEBOT_GOAL (1 or 0), VOICEBOT_CALL, and each slot as VOICEBOT_<SLOT>.
    """

    def __init__(
        self,
        call_id: str,
        channel: AgiChannel,
        route: Route,
        dialog: Dialog,
        services: Services,
        files: PromptFiles,
        *,
        voice: bool,
    ) -> None:
        told = channel.environment
        asterisk = NoAsterisk()
        self.media = AgiMedia()
        super().__init__(
            call_id,
            Channel(
                id=told.unique_id,
                name=told.channel,
                caller=CallerId(told.caller_name, told.caller),
                dialplan=DialplanPlace(told.context, told.called),
            ),
            asterisk.subscribe(told.unique_id),
            route,
            dialog,
            # The call asks its media for one port, and its port for what AgiPort has.
            replace(services, ari=asterisk, media=cast(MediaLoop, self.media)),
        )
        self.record.codec = AgiPort.codec
        self.answered = asyncio.Event()
        self._session = channel
        self._files = files
        self._voice = voice
        self._mind: Interpreter
        self._deaf_steps: set[str] = set()

    def _make_leg(self, port: MediaPort) -> Leg:
        leg = AgiLeg(self._session, cast(AgiPort, port), self._inbox, self._files)
        leg.privacy = self._live.privacy
        self.agi_leg = leg
        return leg

    def _interpreter(self, dialog: Dialog, route: Route) -> Interpreter:
        self._mind = super()._interpreter(dialog, route)
        return self._mind

    def _answered(self) -> None:
        super()._answered()
        self.answered.set()

    async def _give_back(self) -> None:
        """The dialplan goes on by itself when the session ends."""

    def _on_turn(self, turn: BotTurn, event: Event | None, understood: Understood | None) -> None:
        super()._on_turn(turn, event, understood)
        if isinstance(turn.then, Listen) and not self._voice:
            keys = turn.then.dtmf
            if not keys.keys and not keys.max_digits and turn.then.step not in self._deaf_steps:
                self._deaf_steps.add(turn.then.step)
                why = "no key answers it, and without EAGI no voice comes"
                self.record.faults.append(f"step {turn.then.step}: {why}")

    async def _before_hangup(self) -> None:
        await super()._before_hangup()
        mind = self._mind
        results = {f"{VARIABLE_PREFIX}{name.upper()}": as_variable(str(v)) for name, v in mind.slots.items()}
        results[f"{VARIABLE_PREFIX}OUTCOME"] = mind.outcome or "hangup"
        results[f"{VARIABLE_PREFIX}GOAL"] = "1" if mind.goal else "0"
        results[f"{VARIABLE_PREFIX}CALL"] = self.id
        self.agi_leg.results = results
