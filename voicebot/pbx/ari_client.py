"""The connection to Asterisk's REST interface: requests over a pool, events over one websocket.

    async with AriClient(url, user, password, app, on_unclaimed=new_call) as ari:
        await ari.wait_closed()

New callers come to `on_unclaimed` as `StasisStart`; it must not block, and it calls `subscribe(channel_id)`
before it returns, so that no event of the call is missed. When the websocket is lost it is opened again, and
the calls are told what they missed (see `reconcile`). An Asterisk that refuses connections for
REFUSED_GRACE_S (or is silent for SILENT_GRACE_S) is dead and so are its calls: each gets a `Vanished`.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import aiohttp
import structlog

from voicebot.ari import requests
from voicebot.ari.events import (
    ApplicationReplaced,
    Event,
    StasisStart,
    Vanished,
    ids_of,
    parse,
)
from voicebot.ari.ids import ENTROPY_BYTES, Kind, is_ours, make_id
from voicebot.ari.requests import Request
from voicebot.errors import PbxError, Problem, UserError
from voicebot.pbx.ari_greeting import answer_to, is_answered
from voicebot.pbx.ari_http import AriHttp, LinkLost
from voicebot.pbx.ari_inbox import EventInbox, EventRouter
from voicebot.pbx.left_alone import end_with_last
from voicebot.pbx.link import Link, retry_delays
from voicebot.pbx.reconcile import View, reconcile

FIRST_RETRY_S = 0.25
REFUSED_GRACE_S = 3.0
SILENT_GRACE_S = 25.0

UNWANTED_EVENTS = (
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelDialplan",
    "ChannelVarset",
    "Dial",
)
"""Kept back by Asterisk by default: nobody needs them, and a hangup alone sets a dozen variables."""

log = structlog.get_logger(__name__)


class AriClient:
    """One application (`app`) of one Asterisk.

    on_unclaimed: gets events of callers that nobody follows, in the reader: it must return at once
    on_link:      gets every change of the connection's state with a word about why
    unwanted:     event types that Asterisk shall not send
    """

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        app: str,
        *,
        on_unclaimed: Callable[[Event], None] = lambda event: None,
        on_link: Callable[[Link, str], None] = lambda link, why: None,
        unwanted: tuple[str, ...] = UNWANTED_EVENTS,
    ) -> None:
        self.app = app
        self.link = Link.CONNECTING
        self._http = AriHttp(url, user, password)
        self._user = user
        self._on_unclaimed = on_unclaimed
        self._on_link = on_link
        self._unwanted = unwanted
        self._router = EventRouter()
        self._seen: set[str] | None = set()  # channels that came since a connect; None: it is taken up
        self._startup_time = ""
        self._refused = False
        self._tasks: set[asyncio.Task[None]] = set()

    # --- life -------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        """Connect. Raises UserError where Asterisk is away, refuses us, or another gateway has the name."""
        self._closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._connected = asyncio.Event()
        self._http.open()
        try:
            await self._check_first()
            try:
                websocket = await self._open()
            except LinkLost as error:
                raise UserError(f"Asterisk's events cannot be read at {self._http.url}: {error}") from error
            self._runner = asyncio.create_task(self._run(websocket), name="ari")
            ready = asyncio.create_task(self._connected.wait())
            try:
                await asyncio.wait({ready, self._runner}, return_when=asyncio.FIRST_COMPLETED)
                if self._runner.done():
                    await self._runner
            except BaseException:
                await _cancel(self._runner)
                raise
            finally:
                await _cancel(ready)
        except BaseException:
            await self._http.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await _cancel(self._runner, *self._tasks)
        await self._http.close()
        if self.link is not Link.FAILED:
            self._tell(Link.CLOSED, "")
        if not self._closed.done():
            self._closed.set_result(None)

    async def wait_closed(self) -> None:
        """Wait until the connection ends for good. Raises UserError where another gateway took our name."""
        await asyncio.shield(self._closed)

    async def _check_first(self) -> None:
        """Make of what can be wrong at start one clear line each."""
        try:
            await self.request(requests.asterisk_info())
            apps = await self.request(requests.get_applications())
            taken = any(app["name"] == self.app for app in apps) and await is_answered(self, self.app)
        except PbxError as error:
            raise UserError(self._explain(error)) from error
        if taken:
            raise UserError(self._taken())

    def _explain(self, error: PbxError) -> Problem:
        if error.status == 401:
            return Problem(
                f"Asterisk refuses the ARI user {self._user!r}: wrong name or password",
                "compare asterisk.ari_user and asterisk.ari_password with ari.conf",
            )
        if error.status == 403:
            return Problem(
                f"the ARI user {self._user!r} may only read", "set read_only = no for it in ari.conf"
            )
        if error.status == 404:
            return Problem(
                f"the server at {self._http.url} has no ARI",
                "load res_ari.so and its modules, set enabled = yes in ari.conf, or correct asterisk.ari_url",
            )
        if error.status is None:
            return Problem(str(error), "start Asterisk (scripts/asterisk up) or correct asterisk.ari_url")
        return Problem(str(error), "see Asterisk's log")

    def _taken(self) -> Problem:
        return Problem(
            f"the application name {self.app!r} is taken by another gateway",
            "stop the other one, or choose another name (asterisk.app, and Stasis() in the dialplan)",
        )

    # --- requests ---------------------------------------------------------------------------------------

    async def request(self, request: Request) -> Any:
        """Send a request; return its decoded JSON, or None where there is none.

        Raises PbxError: with `status` and Asterisk's message where it refused, without a status where it
        did not answer in time.
        """
        return await self._http.request(request)

    def new_id(self, kind: Kind) -> str:
        """Return a fresh id for a channel or bridge of this application."""
        return make_id(kind, self.app, os.urandom(ENTROPY_BYTES))

    # --- events -----------------------------------------------------------------------------------------

    def held(self) -> frozenset[str]:
        """Return the ids of all channels and bridges that some call of ours follows now."""
        return self._router.held()

    def subscribe(self, *ids: str) -> EventInbox:
        """Follow channels or bridges that exist; `inbox.expect(id)` adds ones that are to be created.

        A caller who comes back while the call before is being undone belongs to the new one alone.
        """
        inbox = EventInbox(self._router)
        for id_ in ids:
            self._router.release(id_)
            inbox.expect(id_)
            inbox.confirm(id_)
        return inbox

    async def _run(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Keep the websocket open until cancelled, or until another gateway takes our name."""
        while True:
            try:
                await self._serve(websocket)
            except LinkLost as error:
                websocket = await self._reconnect(error)
            except UserError as error:
                self._vanish("app_taken")
                self._tell(Link.FAILED, str(error))
                self._closed.set_exception(error)
                self._closed.exception()  # somebody may not wait for it
                raise
            except Exception as error:  # an answer that we do not understand, for instance
                if not self._connected.is_set():
                    raise
                log.exception("events broke off")
                websocket = await self._reconnect(LinkLost(repr(error)))

    async def _serve(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        """Read one websocket until it ends; raises how."""
        # Calls that begin from here on must not be judged by what was missed before.
        held_before = self._router.live()
        # Reading starts at once: Asterisk drops a reader that stalls for 100 ms (websocket_write_timeout).
        reader = asyncio.create_task(self._read(websocket))
        taker = asyncio.create_task(self._take_up(held_before))
        try:
            await asyncio.wait({reader, taker}, return_when=asyncio.FIRST_COMPLETED)
            if taker.done():
                await taker
                self._tell(Link.CONNECTED, "")
                self._connected.set()
            await reader
        except PbxError as error:
            if not self._connected.is_set():
                raise UserError(self._explain(error)) from error
            raise LinkLost(str(error), refused=self._refused) from error
        finally:
            await _cancel(reader, taker)
            await websocket.close()

    async def _read(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in websocket:
            if message.type not in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY):
                break
            try:
                event = parse(message.data)
            except ValueError as error:
                log.warning("event not readable", error=str(error))
                continue
            if isinstance(event, ApplicationReplaced):
                raise UserError(self._taken())
            self._dispatch(event)
        raise LinkLost(f"websocket closed ({websocket.close_code})")

    def _dispatch(self, event: Event) -> None:
        if self._seen is not None and isinstance(event, StasisStart):
            self._seen.add(event.channel.id)
        if (answer := answer_to(event)) is not None:
            log.warning("another gateway wants our application", app=self.app)
            self._spawn(self._discard(requests.filter_events(self.app, (*self._unwanted, answer))))
            return
        came = isinstance(event, StasisStart) and not is_ours(event.channel.id, self.app)
        if self._router.deliver(event) and not came:
            return
        if any(is_ours(id_, self.app) for id_ in ids_of(event)):
            if isinstance(event, StasisStart):
                # A media channel whose call ended while it was being made.
                self._spawn(self._discard(requests.hang_up(event.channel.id)))
            return  # the rest are last words of what we undid
        try:
            self._on_unclaimed(event)
        except Exception:
            log.exception("event handler failed", event_type=event.type)

    # --- losing it and finding it again -----------------------------------------------------------------

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            websocket = await self._http.open_events(self.app)
        except LinkLost as error:
            self._refused = error.refused
            raise
        self._refused = False
        return websocket

    async def _reconnect(self, error: LinkLost) -> aiohttp.ClientWebSocketResponse:
        """Try until the websocket is open again; meanwhile declare calls dead that must be."""
        self._tell(Link.LOST, str(error))
        self._seen = set()
        loop = asyncio.get_running_loop()
        timers = [
            loop.call_later(REFUSED_GRACE_S, self._vanish_if_refused),
            loop.call_later(SILENT_GRACE_S, self._vanish, "asterisk_lost"),
        ]
        try:
            for delay in retry_delays(FIRST_RETRY_S, random.random):
                await asyncio.sleep(delay)
                try:
                    return await self._open()
                except LinkLost as failure:
                    log.info("Asterisk not reached, trying again", why=str(failure))
        finally:
            for timer in timers:
                timer.cancel()
        raise AssertionError("retry_delays never ends")

    def _vanish_if_refused(self) -> None:
        if self._refused:
            self._vanish("asterisk_lost")

    def _vanish(self, reason: str, ids: frozenset[str] | None = None) -> None:
        """Tell the calls that hold these ids (or any) that they are no more."""
        for id_ in sorted(self._router.live() if ids is None else ids):
            self._router.deliver(Vanished(id=id_, reason=reason))

    async def _take_up(self, live: frozenset[str]) -> None:
        """After a connect: keep noise away, tell calls what they missed, remove what nobody holds."""
        if self._unwanted:
            await self.request(requests.filter_events(self.app, self._unwanted))
        info, app, channels, bridges = await asyncio.gather(
            self.request(requests.asterisk_info()),
            self.request(requests.get_application(self.app)),
            self.request(requests.get_channels()),
            self.request(requests.get_bridges()),
        )
        view = View(
            startup_time=info["status"]["startup_time"],
            channels=frozenset(channel["id"] for channel in channels),
            bridges=frozenset(bridge["id"] for bridge in bridges),
            followed=frozenset(app["channel_ids"]),
            members={bridge["id"]: frozenset(bridge["channels"]) for bridge in bridges},
            elsewhere=frozenset(
                channel["id"]
                for channel in channels
                if channel["state"] == "Up" and channel["dialplan"]["app_name"] != "Stasis"
            ),
        )
        verdict = reconcile(
            view,
            app=self.app,
            live=live,
            held=self._router.held(),
            seen=frozenset(self._seen or ()),
            startup_time=self._startup_time,
        )
        self._seen = None
        self._startup_time = view.startup_time
        self._vanish(verdict.reason, verdict.gone)
        orphans = [requests.continue_in_dialplan(id_) for id_ in verdict.orphan_callers]
        orphans += [requests.hang_up(id_) for id_ in verdict.orphan_channels]
        orphans += [requests.delete_bridge(id_) for id_ in verdict.orphan_bridges]
        if verdict.gone or orphans:
            log.info(
                "reconciled with Asterisk",
                gone=len(verdict.gone),
                reason=verdict.reason,
                orphans=len(orphans),
            )
        for request in orphans:
            await self._discard(request)
        for bridge, persons in verdict.talks.items():
            log.info("persons talk to each other: they are left alone", bridge=bridge, persons=len(persons))
            self._spawn(end_with_last(self, bridge, persons))

    async def _discard(self, request: Request) -> None:
        try:
            await self.request(request)
        except PbxError as error:
            if error.status != 404:
                log.warning("request not done", request=str(request), error=str(error))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _tell(self, link: Link, why: str) -> None:
        self.link = link
        log.info("link to Asterisk", state=str(link), **({"why": why} if why else {}))
        try:
            self._on_link(link, why)
        except Exception:
            log.exception("link handler failed", link=str(link))


async def _cancel(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they ended; what they raise was told elsewhere."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
