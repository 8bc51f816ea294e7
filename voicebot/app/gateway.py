"""The gateway: the one place that builds everything, wires it, takes calls in, and ends in good order."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import structlog

from voicebot.app.dialogs import DialogState
from voicebot.app.engine_room import EngineRoom, MakeSpeech, Watchers
from voicebot.app.lag import LagWatch
from voicebot.app.outbound_calls import CAMPAIGN, OutboundCalls, Refused, Unserved, answer_of
from voicebot.app.speech import SpeechEngines
from voicebot.ari import requests
from voicebot.ari.events import Channel, Event, StasisStart
from voicebot.call.call import Call
from voicebot.call.calls_live import LiveCalls
from voicebot.call.outbound import Campaigns
from voicebot.call.people import People
from voicebot.call.routing import find_route
from voicebot.call.scribe import Observer
from voicebot.call.services import Services
from voicebot.config import Config, Route
from voicebot.dialog.model.dialog import Dialog
from voicebot.errors import PbxError
from voicebot.pbx.ari_client import AriClient
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.link import Link
from voicebot.pbx.no_asterisk import NoAsterisk

log = structlog.get_logger(__name__)

LAG_WATCH_S = 0.25
DEPART_S = 5.0
"""So long it may take to leave those to Asterisk who talk to each other when draining is over."""


class Gateway:
    """Answers calls with dialogs.

        gateway = Gateway(config)
        await gateway.start()               # UserError: what is wrong and how to mend it
        await gateway.run_until_stopped()   # SIGTERM, SIGINT

    `observer` is told every turn of every call; `progress(done, total)` of the prompts rendered at start;
    `speech` makes the speech engines, for tests. `campaigns` knows the calls that we place; without it they
    are hung up. `live` is told what happens in calls; `people` makes the queues and conferences that callers
    are handed over to, once engines are there. Without `asterisk` it takes calls from browsers alone.
    """

    def __init__(
        self,
        config: Config,
        *,
        observer: Observer | None = None,
        progress: Callable[[int, int], None] = lambda done, total: None,
        speech: MakeSpeech = SpeechEngines,
        campaigns: Campaigns | None = None,
        live: LiveCalls | None = None,
        people: Callable[[Gateway], People] | None = None,
        asterisk: bool = True,
    ) -> None:
        self._config = config
        self._campaigns = campaigns
        self._make_people = people
        self._people: People | None = None
        self._asterisk = asterisk
        self._stack = AsyncExitStack()
        self.engines = EngineRoom(
            config,
            Watchers(observer, live),
            media_failed=self._media_failed,
            progress=progress,
            speech=speech,
        )
        self._ended: str | None = None
        self._linked = not asterisk
        self._starting = 0
        self._calls: dict[str, Call] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._stopping = asyncio.Event()
        self._lag = LagWatch()
        self._quiets: list[Callable[[], Awaitable[None]]] = []
        self._departs: list[Callable[[], Awaitable[None]]] = []
        self._outbound = OutboundCalls(campaigns, self.engines.dialogs, self.services, lambda: self._people)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that live now."""
        return tuple(self._calls.values())

    @property
    def dialogs(self) -> tuple[DialogState, ...]:
        """The dialogs in service, and why newer versions were refused."""
        return self.engines.dialogs.states

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
    def linked(self) -> bool:
        """Whether it is connected to Asterisk."""
        return self._linked and self._asterisk

    @property
    def with_asterisk(self) -> bool:
        """Whether it was started to serve an Asterisk."""
        return self._asterisk

    @property
    def held(self) -> frozenset[str]:
        """Ids of the channels and bridges that calls, and those who care for callers, hold in Asterisk."""
        return self._ari.held()

    @property
    def overloaded(self) -> bool:
        return self._lag.overloaded

    @property
    def lag_ms(self) -> float:
        """How late the event loop was when it was last looked at."""
        return self._lag.latest_s * 1000

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
        try:
            await self._stack.enter_async_context(self.engines)
            self._ari = self._make_ari()  # at hand before it is entered: callers come while it connects
            if self._make_people is not None:
                self._people = self._make_people(self)
            await self._stack.enter_async_context(self._ari)
        except BaseException:
            await self._stack.aclose()
            raise

    def _make_ari(self) -> AriClient | NoAsterisk:
        asterisk = self._config.asterisk
        if not self._asterisk:
            return NoAsterisk(asterisk.app, "this gateway runs without Asterisk (--no-asterisk)")
        return AriClient(
            asterisk.ari_url,
            asterisk.ari_user,
            asterisk.ari_password.get_secret_value(),
            asterisk.app,
            on_unclaimed=self._on_event,
            on_link=self._on_link,
        )

    async def run_until_stopped(self) -> None:
        """Serve until SIGTERM or SIGINT, let live calls finish, then undo everything.

        Raises UserError when another gateway takes our application's name.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        watch = asyncio.create_task(self._watch_lag(), name="lag watch")
        closed = asyncio.create_task(self._ari.wait_closed(), name="ari closed")
        stopping = asyncio.create_task(self._stopping.wait(), name="stopping")
        try:
            broken: asyncio.Future[Any] = self.engines.media.stopped
            waited: set[asyncio.Future[Any]] = {closed, stopping, broken}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            self.stop()
            if broken.done():  # without a media tick no call can go on with us
                log.critical("the media tick failed", error=repr(broken.exception()))
                await self._depart()
                self._end_all("error")
            await self._drain()
            for ended in (closed, broken):
                if ended.done():
                    ended.result()
        finally:
            for task in (watch, closed, stopping):
                task.cancel()
            await self._stack.aclose()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def close(self) -> None:
        """Undo what `start()` did, if that was not done yet."""
        await self._stack.aclose()

    def look_after(
        self,
        close: Callable[[], Awaitable[None]],
        quiet: Callable[[], Awaitable[None]] | None = None,
        depart: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Count on those who have persons on the line beside calls. Only once started.

        quiet: begun when the gateway stops; returns once they have nobody any more, and is waited for as
               calls are;  depart: called when that took too long: whoever talks to another person is left to
               Asterisk;  close: ends what is left, while Asterisk can still be asked
        """
        self._stack.push_async_callback(close)
        if quiet is not None:
            self._quiets.append(quiet)
        if depart is not None:
            self._departs.append(depart)

    def stop(self) -> None:
        """Take no more calls; live ones may finish."""
        if not self._stopping.is_set():
            log.info("stopping", live_calls=len(self._calls))
        self._stopping.set()

    async def _drain(self) -> None:
        quiets = [asyncio.ensure_future(quiet()) for quiet in self._quiets]
        try:
            async with asyncio.timeout(self._config.limits.drain_s):
                if self._campaigns is not None:
                    await self._campaigns.quiet()  # who answers while we stop is served all the same
                while self._tasks:
                    await asyncio.wait(self._tasks)
                if quiets:
                    await asyncio.wait(quiets)
        except TimeoutError:
            log.warning("calls took too long: they are ended, or talk on", live_calls=len(self._calls))
            await self._depart()
        finally:
            for quiet in quiets:
                quiet.cancel()
        self._end_all("shutdown")
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _depart(self) -> None:
        """Leave those who talk to each other to Asterisk, where it can be asked."""
        departing = [asyncio.ensure_future(depart()) for depart in self._departs]
        if departing:
            done, late = await asyncio.wait(departing, timeout=DEPART_S)
            for each in late:
                each.cancel()
            for each in done:
                if not each.cancelled() and (mistake := each.exception()) is not None:  # of ours
                    log.error("persons not left to Asterisk", exc_info=mistake)

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
        await self.hold(call)

    async def hold(self, call: Call) -> None:
        """Hold a call to its end; a stop of the gateway waits for it, and ends it at last."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        if self._ended is not None:
            call.end(self._ended)
        self._calls[call.id] = call
        try:
            await call.run()
        finally:
            del self._calls[call.id]
            self._tasks.discard(task)

    async def _inbound(self, channel: Channel, inbox: EventInbox, route: Route, number: str) -> Call:
        """Return a call to a number of ours, with its route's dialog as it stands now."""
        call = self._call(channel, inbox, route, await self.engines.dialogs.fresh(route))
        call.record.called.number = number
        return call

    def _call(self, channel: Channel, inbox: EventInbox, route: Route, dialog: Dialog) -> Call:
        services = self.services(route)
        return Call(os.urandom(8).hex(), channel, inbox, route, dialog, services, self._people)

    @property
    def ari(self) -> AriClient | NoAsterisk:
        return self._ari

    def services(self, route: Route) -> Services:
        """Return the process as a call on this route sees it. Only once started."""
        return self.engines.services(route, self._ari)

    async def prepare(
        self, route: Route, names: Iterable[str] = (), languages: bool = False, version: str = ""
    ) -> None:
        """Make a campaign's dialogs ready before its first call; see `EngineRoom.prepare`."""
        await self.engines.prepare(route, names, languages, version)

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
