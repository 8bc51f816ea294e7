"""The gateway: the one place that builds everything, wires it, takes calls in, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Protocol

import structlog

from voicebot.app.dialogs import DialogState, DialogStore
from voicebot.app.lag import LagWatch
from voicebot.app.multilingual import LibraryByLanguage, SttByLanguage, TtsByLanguage
from voicebot.app.outbound_calls import CAMPAIGN, OutboundCalls, Refused, Unserved, answer_of
from voicebot.app.speech import SpeechEngines
from voicebot.ari import requests
from voicebot.ari.events import Channel, Event, StasisStart
from voicebot.call.call import Call
from voicebot.call.live import Hub
from voicebot.call.outbound import Campaigns
from voicebot.call.people import People
from voicebot.call.routing import find_route
from voicebot.call.scribe import Observer
from voicebot.call.services import Services
from voicebot.call.speaking import PromptLibrary
from voicebot.config import Config, Route
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.model.dialog import Dialog
from voicebot.engines.vads import build_vad
from voicebot.errors import PbxError, Problem, SpeechUnavailable, UserError
from voicebot.media.loop import MediaLoop
from voicebot.pbx.ari_client import AriClient, Link
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.speech.stt import SttService
from voicebot.speech.tts import TtsService
from voicebot.work.desk import WorkDesk
from voicebot.work.hooks import known_hooks

log = structlog.get_logger(__name__)

LAG_WATCH_S = 0.25


class Speech(Protocol):
    """The speech engines of all routes; an async context manager that loads them."""

    async def __aenter__(self) -> Speech: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def stt(self, name: str) -> SttService: ...

    def tts(self, name: str) -> TtsService: ...

    def library(self, tts_name: str) -> PromptLibrary: ...

    async def render_ahead(
        self, served: Iterable[tuple[Route, Dialog]], progress: Callable[[int, int], None]
    ) -> None: ...


class Gateway:
    """Answers calls with dialogs.

        gateway = Gateway(config)
        await gateway.start()               # UserError: what is wrong and how to mend it
        await gateway.run_until_stopped()   # SIGTERM, SIGINT

    `observer` is told every turn of every call; `progress(done, total)` of the prompts rendered at start;
    `speech` makes the speech engines, for tests. `campaigns` knows the calls that we place; without it they
    are hung up. `prepare()` makes a campaign's dialogs ready before its first call is answered. `hub` is told
    what happens in calls; `people` makes the queues and conferences that callers are handed over to, once
    Asterisk and engines are there.
    """

    def __init__(
        self,
        config: Config,
        *,
        observer: Observer | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
        speech: Callable[[Config, Callable[[Route], Sequence[str]]], Speech] = SpeechEngines,
        campaigns: Campaigns | None = None,
        hub: Hub | None = None,
        people: Callable[[Gateway], People] | None = None,
    ) -> None:
        self._config = config
        self._observer = observer
        self._progress = progress
        self._make_speech = speech
        self._campaigns = campaigns
        self._hub = hub
        self._make_people = people
        self._people: People | None = None
        self._stack = AsyncExitStack()
        self._desk = WorkDesk(config)
        surroundings = Surroundings(hooks=known_hooks(), environment=config.dialogs.env)
        self._dialogs = DialogStore(config, surroundings, self._on_reload, self._desk.hooks)
        self._ended: str | None = None
        self._linked = False
        self._starting = 0
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._rendering: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._lag = LagWatch()
        self._outbound = OutboundCalls(campaigns, self._dialogs, self.services)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that live now."""
        return tuple(self._calls.values())

    @property
    def dialogs(self) -> tuple[DialogState, ...]:
        """The dialogs in service, and why newer versions were refused."""
        return self._dialogs.states

    @property
    def accepts(self) -> bool:
        """Whether the next call would be taken."""
        return not (self._stopping.is_set() or self._lag.overloaded) and self.room > 0

    @property
    def stopping(self) -> asyncio.Event:
        """Set when the gateway was told to stop."""
        return self._stopping

    @property
    def ready(self) -> bool:
        """Whether calls may be sent to it at all: connected to Asterisk, not stopping, not overloaded."""
        return self._linked and not (self._stopping.is_set() or self._lag.overloaded)

    @property
    def capacity(self) -> int:
        """How many calls it takes at once."""
        return self._config.limits.calls

    @property
    def room(self) -> int:
        """How many more calls it could take now, if it is ready."""
        return max(0, self.capacity - len(self._calls) - self._starting)

    async def start(self) -> None:
        """Load dialogs, engines and prompts, then connect to Asterisk. Undoes itself on any UserError."""
        config = self._config
        await asyncio.to_thread(self._dialogs.load)
        self._environment = environment_of(config)
        _check_address(config.media.bind)
        vad = build_vad(config.vad)
        try:
            self._speech = await self._stack.enter_async_context(self._make_speech(config, self._languages))
            await self._speech.render_ahead(
                [(route, self._dialogs.dialog_of(route)) for route in config.routes], self._progress
            )
            await self._stack.enter_async_context(self._desk)
            self._media = MediaLoop(
                config.media.bind, config.media.first_port, config.media.last_port, failed=self._media_failed
            )
            self._media.start()
            self._stack.callback(self._media.stop)
            self._vad = vad
            self._ari = AriClient(  # at hand before it is entered: callers come while it connects
                config.asterisk.ari_url,
                config.asterisk.ari_user,
                config.asterisk.ari_password.get_secret_value(),
                config.asterisk.app,
                on_unclaimed=self._on_event,
                on_link=self._on_link,
            )
            if self._make_people is not None:
                self._people = self._make_people(self)
            await self._stack.enter_async_context(self._ari)
        except BaseException:
            await self._stack.aclose()
            raise

    async def run_until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT, let live calls finish, then undo everything.

        Raises UserError when another gateway takes our application's name.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        watch = asyncio.create_task(self._watch_lag(), name="lag watch")
        files = asyncio.create_task(self._dialogs.watch(), name="dialog files")
        closed = asyncio.create_task(self._ari.wait_closed(), name="ari closed")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            broken: asyncio.Future[Any] = self._media.stopped
            waited: set[asyncio.Future[Any]] = {closed, stopping, broken}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            if broken.done():  # without a media tick no call can go on
                log.critical("the media tick failed", error=repr(broken.exception()))
                self._end_all("error")
            await self._drain()
            for ended in (closed, broken):
                if ended.done():
                    ended.result()
        finally:
            for task in (watch, files, closed, stopping, *self._rendering):
                task.cancel()
            await self._stack.aclose()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    def stop(self) -> None:
        """Take no more calls; live ones may finish."""
        if not self._stopping.is_set():
            log.info("stopping", live_calls=len(self._calls))
        self._stopping.set()

    async def _drain(self) -> None:
        try:
            async with asyncio.timeout(self._config.limits.drain_s):
                if self._campaigns is not None:
                    await self._campaigns.quiet()  # who answers while we stop is served all the same
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            log.warning("calls are ended: they took too long", live_calls=len(self._calls))
        self._end_all("shutdown")
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _end_all(self, reason: str) -> None:
        self._ended = reason
        for call in self._calls.values():
            call.end(reason)

    # --- calls ------------------------------------------------------------------------------------------

    def _on_event(self, event: Event) -> None:
        if not isinstance(event, StasisStart):
            return
        try:
            self._take(event)
        except Exception:  # a mistake of ours must not leave a caller in silence
            log.exception("call not taken")
            self._spawn(self._refuse(event.channel.id))

    def _take(self, event: StasisStart) -> None:
        """Start the call, or give the caller back to the dialplan."""
        if event.args[:1] == (CAMPAIGN,):
            self._take_outbound(event)
            return
        number = event.args[0] if event.args else event.channel.dialplan.exten
        route = find_route(self._config.routes, number)
        if route is None or not self.accepts:
            why = "no route" if route is None else "stopping" if self._stopping.is_set() else "overload"
            log.warning("call not taken", called=number, why=why)
            self._spawn(self._refuse(event.channel.id))
            return
        inbox = self._ari.subscribe(event.channel.id)  # at once: its next event may be there already
        self._serve(event.channel, inbox, self._inbound(event.channel, inbox, route, number))

    def _take_outbound(self, event: StasisStart) -> None:
        """Somebody answered a call of ours. They are served even while we stop: we have rung them up."""
        answer = answer_of(event, asyncio.get_running_loop().time(), datetime.now(UTC))
        full = self._lag.overloaded or not self.room
        inbox = self._ari.subscribe(event.channel.id)
        call = self._outbound.take(os.urandom(8).hex(), event, inbox, answer, full)
        self._serve(event.channel, inbox, call)

    def _serve(self, channel: Channel, inbox: EventInbox, coming: Coroutine[Any, Any, Call]) -> None:
        self._starting += 1
        self._spawn(self._hold(channel, inbox, coming))

    async def _hold(self, channel: Channel, inbox: EventInbox, coming: Coroutine[Any, Any, Call]) -> None:
        """Hold a call, once it is known what it is about."""
        try:
            call = await coming
        except Refused as why:
            log.warning("call hung up", channel=channel.name, why=str(why))
            inbox.close()
            await self._hang_up(channel.id)
            return
        except Exception as error:  # a mistake of ours must not leave a caller in silence
            if isinstance(error, Unserved):
                log.error("call not served", channel=channel.name, why=str(error))
            else:
                log.exception("call not taken")
            inbox.close()
            await self._refuse(channel.id)
            return
        finally:
            self._starting -= 1
        if self._ended is not None:
            call.end(self._ended)
        self._calls[call.id] = call
        try:
            await call.run()
        finally:
            del self._calls[call.id]

    async def _inbound(self, channel: Channel, inbox: EventInbox, route: Route, number: str) -> Call:
        """Return a call to a number of ours, with its route's dialog as it stands now."""
        call = self._call(channel, inbox, route, await self._dialogs.fresh(route))
        call.record.called.number = number
        return call

    def _call(self, channel: Channel, inbox: EventInbox, route: Route, dialog: Dialog) -> Call:
        return Call(os.urandom(8).hex(), channel, inbox, route, dialog, self.services(route))

    @property
    def ari(self) -> AriClient:
        return self._ari

    def services(self, route: Route) -> Services:
        """Return the process as a call on this route sees it. Only once started."""
        return Services(
            config=self._config,
            ari=self._ari,
            media=self._media,
            stt=SttByLanguage(route, self._speech.stt),
            tts=TtsByLanguage(route, self._speech.tts),
            library=LibraryByLanguage(route, self._speech.library),
            vad=self._vad,
            work=self._desk,
            environment=self._environment,
            observer=self._observer,
            people=self._people,
            hub=self._hub,
        )

    async def prepare(
        self, route: Route, names: Iterable[str] = (), languages: bool = False, version: str = ""
    ) -> None:
        """Load and check a dialog, and render its prompts, before calls of a campaign begin.

        `names` of values that each contact gives beside those of the route; `languages`: all of the dialog's;
        `version`: the one that was proven, none other will do.
        What is ready already costs nothing. Raises UserError with all that is wrong.
        """
        dialog = await self._dialogs.fresh(route, names, version)
        spoken = dialog.languages if languages else (route.language,)
        await self._render([(route.model_copy(update={"language": each}), dialog) for each in spoken])

    def _languages(self, route: Route) -> tuple[str, ...]:
        """All languages that calls of a route are held in, the one they begin in first."""
        dialog = self._dialogs.dialog_of(route)
        return tuple(dict.fromkeys((route.language or dialog.language, *dialog.languages)))

    def _on_reload(self, changed: list[tuple[Route, Dialog]]) -> None:
        """A dialog was saved: its prompts are rendered while the first calls have it already."""
        task = asyncio.create_task(self._render(changed), name="rendering")
        self._rendering.add(task)  # apart from the calls: a stop does not wait for it
        task.add_done_callback(self._rendering.discard)

    async def _render(self, changed: list[tuple[Route, Dialog]]) -> None:
        try:
            await self._speech.render_ahead(changed, lambda done, total: None)
        except (UserError, SpeechUnavailable) as error:
            log.warning("prompts not rendered ahead", error=str(error))

    async def _refuse(self, channel_id: str) -> None:
        """Give the caller back to the dialplan, whose fallback tells them."""
        try:
            await self._ari.request(requests.continue_in_dialplan(channel_id))
        except PbxError as error:
            log.warning("call could not be given back", error=str(error))

    async def _hang_up(self, channel_id: str) -> None:
        try:
            await self._ari.request(requests.hang_up(channel_id))
        except PbxError as error:
            log.warning("call could not be hung up", error=str(error))

    # --- watching ---------------------------------------------------------------------------------------

    async def _watch_lag(self) -> None:
        """Notice an event loop that is late for long: new calls go to the dialplan's fallback meanwhile."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_WATCH_S
            await asyncio.sleep(LAG_WATCH_S)
            if self._lag.note(due, loop.time()):
                state = "overloaded" if self._lag.overloaded else "load is normal again"
                log.warning(state, live_calls=len(self._calls))

    def _on_link(self, link: Link, why: str) -> None:
        self._linked = link is Link.CONNECTED
        if link is Link.LOST:
            log.warning("connection to Asterisk lost, trying again", why=why, live_calls=len(self._calls))

    def _media_failed(self, call_id: str, error: Exception) -> None:
        log.error("a call's media failed", call=call_id, error=repr(error))
        if call_id in self._calls:
            self._calls[call_id].end("error")

    def _spawn(self, work: Coroutine[Any, Any, object]) -> asyncio.Task[object]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


def _check_address(bind: str) -> None:
    """Refuse an address that no call could receive RTP on. Raises UserError."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in bind else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((bind, 0))
    except OSError as error:
        what = f"media.bind: {bind} cannot be bound ({error.strerror or error})"
        raise UserError(what, "set it to an address of this machine") from error


def environment_of(config: Config) -> dict[str, str]:
    """Return the environment variables that dialogs may read. Raises UserError for those that are not set."""
    missing = [name for name in config.dialogs.env if name not in os.environ]
    if missing:
        raise UserError(
            Problem(f"dialogs.env: {name} is not set in the environment", "set it, or take it off the list")
            for name in missing
        )
    return {name: os.environ[name] for name in config.dialogs.env}
