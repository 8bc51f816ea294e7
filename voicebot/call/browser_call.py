"""Calls by a browser's microphone: ordinary calls, without a telephone and without Asterisk.

calls = BrowserCalls(routes=..., dialog=..., services=..., most=...)
line = await calls.open("600", "Sara", "en-US")     # UserError: what is not there, or no room
line.feed(pcm)                                      # 16-bit little-endian mono, 16 kHz
async for pcm in line: ...                          # the same, 20 ms each, to the end of the call
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePath

import structlog

from voicebot.ari.events import CallerId, Channel, DialplanPlace
from voicebot.call.browser_leg import BrowserLeg
from voicebot.call.call import Call
from voicebot.call.people import People, Presenter
from voicebot.call.record import CallRecord
from voicebot.call.routing import find_route
from voicebot.call.services import Services, voice_of
from voicebot.call.speaking import Speaking
from voicebot.config import Config, Route
from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.model.dialog import Dialog
from voicebot.dialog.turns import Handover, SpokenText
from voicebot.errors import UserError
from voicebot.media.browser_peer import BROWSER_RATE
from voicebot.media.port import HeardFrame, MediaPort
from voicebot.pbx.no_asterisk import NoAsterisk

log = structlog.get_logger(__name__)

KEYS = frozenset("0123456789*#ABCD")
APOLOGY_LIMIT_S = 20.0
"""From the hand-over to the end of what is said about it."""


class BrowserCall(Call):
    """One call by a browser's microphone. People cannot take it over: they need a telephone's channel."""

    def __init__(
        self,
        call_id: str,
        called: str,
        caller_name: str,
        route: Route,
        dialog: Dialog,
        services: Services,
        people: People | None,
    ) -> None:
        channel = Channel(
            id=call_id,
            name=f"Browser/{call_id}",
            caller=CallerId(name=caller_name),
            dialplan=DialplanPlace(exten=called),
        )
        asterisk = NoAsterisk()
        services = replace(services, ari=asterisk)
        nobody = _NoTelephone(people, route) if people is not None else None
        super().__init__(call_id, channel, asterisk.subscribe(call_id), route, dialog, services, nobody)
        self.record.direction = "browser"
        self.answered = asyncio.Event()
        self.leg: BrowserLeg | None = None

    def _make_leg(self, port: MediaPort) -> BrowserLeg:
        self.leg = BrowserLeg(self.id, port, self._inbox)
        return self.leg

    def _answered(self) -> None:
        super()._answered()
        self.answered.set()

    async def _give_back(self) -> None:
        """There is no dialplan that could go on."""

    def heard(self, frame: HeardFrame) -> None:
        if self.leg is not None and self.leg.peer is not None:
            self.leg.peer.tick()
        super().heard(frame)


class BrowserLine:
    """The browser's end of a call."""

    sample_rate = BROWSER_RATE

    def __init__(self, call: BrowserCall, ending: asyncio.Task[CallRecord]) -> None:
        self.call = call
        self._ending = ending

    def feed(self, pcm: bytes) -> None:
        """Take what the microphone gave, any length; too much at once is dropped."""
        if (leg := self.call.leg) is not None and leg.peer is not None:
            leg.peer.feed(pcm)

    def press(self, digit: str) -> None:
        """Press a key. Raises UserError for what is none."""
        if digit not in KEYS:
            raise UserError(f"{digit!r} is no key", "0 to 9, *, # and A to D are")
        if self.call.leg is not None:
            self.call.leg.press(digit)

    def hang_up(self) -> None:
        """End the call. Idempotent."""
        if self.call.leg is not None:
            self.call.leg.leave()

    async def ended(self) -> CallRecord:
        """Wait for the end of the call; return its record."""
        return await asyncio.shield(self._ending)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        peer = self.call.leg.peer if self.call.leg is not None else None
        while peer is not None and (some := await peer.some()):
            for frame in some:
                yield frame


class BrowserCalls:
    """Opens them.

    routes:    whose dialogs can be talked to, in the languages that those have
    dialog:    returns a route's dialog as it stands now
    services:  the process, as a call on a route sees it
    people:    queues and conferences of our own, None: there are none
    accepts:   whether the process takes calls at all now
    hold:      holds a call to its end as one of the process's; `Call.run` is due in it
    """

    def __init__(
        self,
        config: Config,
        *,
        dialog: Callable[[Route], Awaitable[Dialog]],
        services: Callable[[Route], Services],
        people: People | None = None,
        accepts: Callable[[], bool] = lambda: True,
        hold: Callable[[Call], Awaitable[object]] = Call.run,
    ) -> None:
        self._routes: Sequence[Route] = config.routes
        self._resolve = config.resolve
        self._most = config.panel.microphone_calls
        self._dialog = dialog
        self._services = services
        self._people = people
        self._accepts = accepts
        self._hold = hold
        self._calls: dict[BrowserCall, asyncio.Task[CallRecord]] = {}
        self._opening = 0

    @property
    def calls(self) -> tuple[Call, ...]:
        """Those that live now."""
        return tuple(self._calls)

    async def open(self, dialog_or_route: str = "", caller_name: str = "", language: str = "") -> BrowserLine:
        """Call a number of ours, or a dialog: its file, with or without the path, or only `booking`.

        Returns once the bot is about to speak. Raises UserError where the dialog, route or language is not
        there, or there is no room; a call that fails at once has a record that says why.
        """
        self._check_accepted()
        if len(self._calls) + self._opening >= self._most:
            raise UserError(
                f"{self._most} calls by microphone are under way already",
                "wait until one has ended, or raise panel.microphone_calls",
            )
        route, called = self._find(dialog_or_route)
        self._opening += 1
        try:
            dialog = await self._dialog(route)
        finally:
            self._opening -= 1
        self._check_accepted()  # it may have been told to stop meanwhile
        if language and language not in dialog.languages:
            raise UserError(
                f"{dialog.name} is not held in {language}", f"choose of {', '.join(dialog.languages)}"
            )
        if language:
            route = route.model_copy(update={"language": language})
        services = self._services(route)
        return await self._begin(
            BrowserCall(_new_id(), called, caller_name, route, dialog, services, self._people)
        )

    def _check_accepted(self) -> None:
        if not self._accepts():
            raise UserError("no calls are taken now", "the gateway is stopping or overloaded: try again soon")

    async def close(self, reason: str = "shutdown") -> None:
        """End all calls, and wait for their records."""
        for call in self._calls:
            call.end(reason)
        if self._calls:
            await asyncio.wait(self._calls.values())

    async def _begin(self, call: BrowserCall) -> BrowserLine:
        running = asyncio.create_task(self._run(call), name=f"browser call {call.id}")
        self._calls[call] = running
        running.add_done_callback(lambda _: self._calls.pop(call, None))
        answered = asyncio.create_task(call.answered.wait(), name="answered")
        try:
            await asyncio.wait({running, answered}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:  # the browser went away while it was being opened
            call.end("caller")
            raise
        finally:
            answered.cancel()
        if not call.answered.is_set():
            why = "; ".join(running.result().faults) or "it ended at once"
            raise UserError(f"the call could not begin: {why}", "see the call's record, and the log")
        return BrowserLine(call, running)

    async def _run(self, call: BrowserCall) -> CallRecord:
        await self._hold(call)
        return call.record

    def _find(self, wanted: str) -> tuple[Route, str]:
        """Return the route, and what was called."""
        for route in self._routes:
            file = PurePath(route.dialog)
            if wanted in (route.dialog, str(self._resolve(route.dialog)), file.name, file.stem):
                return route, "" if route.number.startswith("_") else route.number
        if not wanted and self._routes:
            return self._routes[0], ""
        if (found := find_route(self._routes, wanted)) is not None:
            return found, wanted
        known = ", ".join(f"{route.number} ({PurePath(route.dialog).stem})" for route in self._routes)
        raise UserError(f"there is no dialog or number {wanted!r}", f"there are: {known or 'none'}")


class _NoTelephone:
    """`People` who cannot take a browser over, and say so."""

    def __init__(self, people: People, route: Route) -> None:
        self._people, self._route = people, route

    def takes(self, handover: Handover) -> bool:
        return self._people.takes(handover)

    async def serve(self, presenter: Presenter, handover: Handover) -> Handover | None:
        stage = presenter.stage
        done = asyncio.Event()
        speaking = Speaking(
            tts=stage.services.tts,
            library=stage.services.library,
            playout=stage.port.playout,
            sample_rate=stage.port.sample_rate,
            voice=partial(voice_of, stage.services.config, self._route),
            on_began=lambda bargein: None,
            on_done=done.set,
            on_fault=stage.scribe.fault,
            numbers=stage.prompts,
        )
        language = stage.live.language
        text = lexicon_of(language).texts["no_telephone"][0]
        presenter.attend(_Announcement(speaking))
        speaking.say((SpokenText(text, language),))
        stage.scribe.bot_begins("", speaking.prompts)
        heard = None
        try:
            async with asyncio.timeout(APOLOGY_LIMIT_S):
                await done.wait()
        except TimeoutError:
            log.warning("caller not told that people need a telephone")
        finally:
            if not done.is_set():
                heard = speaking.stop().text
            stage.scribe.bot_ends(stage.clock(), heard=heard)
        return None


class _Announcement:
    """Nobody listens; only when the words are over matters."""

    def __init__(self, speaking: Speaking) -> None:
        self.prompt_started, self.prompt_finished = speaking.prompt_started, speaking.prompt_finished

    def heard(self, frame: HeardFrame) -> None: ...

    def press(self, digit: str) -> None: ...


def _new_id() -> str:
    return os.urandom(8).hex()
