"""One call's leg: what we ask of Asterisk to bring a caller and our media together, and its undoing.

    async with Leg(ari, channel_id, port) as leg:       # media, bridge, answer, joined: a few ms
        async for event in leg.events():                # Digit, MediaReplaced; raises CallEnded
            ...
        await leg.hand_over("queues", "reception", {"VOICEBOT_STEP": "person"})

Leaving the block undoes everything in reverse, whatever happened: hang up, media channel, bridge, port.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from math import inf
from types import TracebackType
from typing import Any, Protocol, Self

import structlog

from voicebot.ari import requests
from voicebot.ari.events import (
    ChannelDestroyed,
    ChannelDtmfReceived,
    ChannelHangupRequest,
    Event,
    StasisEnd,
    StasisStart,
    Vanished,
    is_end_of,
    parse_channel,
)
from voicebot.ari.ids import Kind
from voicebot.ari.requests import NORMAL_CLEARING, Request
from voicebot.errors import CallEnded, PbxError
from voicebot.pbx.ari_inbox import EventInbox
from voicebot.pbx.persevering import UNDO_TIMEOUT_S, do_all, finish, tolerant

MEDIA_START_TIMEOUT_S = 2.0
"""From the reply to externalMedia to its StasisStart; it takes about 1 ms."""
CAUSE_TIMEOUT_S = 0.1
"""From the first sign of a hangup to the ChannelDestroyed that has the cause; it takes about 1 ms."""
LEFT_TALKING = "left_talking"
"""Why a leg is over whose caller talks on to a person, without us."""
REBUILD_REST_S = 60.0
"""Lost media or a lost bridge is made anew; one more loss so soon ends the call: it would come again."""

log = structlog.get_logger(__name__)


class Ari(Protocol):
    """What a leg needs of the ARI client."""

    app: str

    async def request(self, request: Request) -> Any: ...

    def subscribe(self, *ids: str) -> EventInbox: ...

    def new_id(self, kind: Kind) -> str: ...


class Port(Protocol):
    """What a leg needs of a media port: Asterisk sends RTP to `host:port`; `connect` says where it is."""

    host: str
    port: int
    codec: str

    def connect(self, host: str, port: int) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Digit:
    """The caller pressed a key: 0-9, *, #, A-D; told when it is released."""

    digit: str
    duration_ms: int = 0


@dataclass(frozen=True, slots=True)
class MediaReplaced:
    """The media channel or the bridge was lost and made anew; some speech may be missing."""


LegEvent = Digit | MediaReplaced


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended.

    reason: `caller`; `bot`; `pbx` (an operator or another client of Asterisk hung up); `handed_over`;
            `taken` (somebody moved the caller elsewhere); `left_talking` (we stop, and they talk on with the
            person they were with); `media_lost`; `asterisk_lost`;
            `hung_up` (while we were disconnected); `app_taken` (another gateway took our name)
    cause:  Q.850 hangup cause, None where unknown; cause_txt is Asterisk's name of it
    tech_cause: SIP status, None where there was none
    """

    reason: str
    cause: int | None = None
    cause_txt: str = ""
    tech_cause: int | None = None


class Leg:
    """The caller's channel, our media channel, and the bridge that joins them.

    inbox: of `channel_id`, from `ari.subscribe`, where it was made before (a call that just came in must be
           subscribed in the handler of its StasisStart); the leg closes it.
    advertise: address that Asterisk shall send RTP to, where it is not the port's own.
    video: keep the caller's picture, which an ordinary bridge of two would refuse, for a conference to come.
    ended: None while the call lives.
    watch: is told all else that happens to the caller's channel, while somebody wants to know.
    """

    watch: Callable[[Event], None] | None = None
    away = False
    """Whether the caller is in somebody else's bridge, such as a conference's: they are left there."""
    media_apart = False
    """Whether our media stay out of the bridge, where two persons talk: made anew, they stay out as well."""

    def __init__(
        self,
        ari: Ari,
        channel_id: str,
        port: Port,
        inbox: EventInbox | None = None,
        advertise: str = "",
        video: bool = False,
    ) -> None:
        self.channel_id = channel_id
        self.media_id = ""
        self.bridge_id = ""
        self.ended: Ended | None = None
        self._ari = ari
        self._port = port
        self._advertise = advertise or port.host
        self._video = video
        self._inbox = inbox or ari.subscribe(channel_id)
        self._stack = AsyncExitStack()
        self._rebuilt_at = -inf
        self._answered = False
        self._last_key: ChannelDtmfReceived | None = None
        self._early: list[Event] = []
        self._undo_by: float | None = None
        self._bridge_stays = False

    async def __aenter__(self) -> Self:
        """Make the media path, then answer, so that nobody is answered who then hears nothing.

        Raises CallEnded where the caller has gone meanwhile. Where Asterisk refuses (PbxError) all is undone
        and a caller not yet answered goes on in the dialplan after its `Stasis()`.
        """
        try:
            await finish(self._build())
        except PbxError as error:
            try:
                await self._until_destroyed()
            finally:
                await self._undo_shielded()
            if self.ended is not None:
                raise CallEnded(self.ended.reason, self.ended.cause) from error
            raise
        except BaseException:
            await self._undo_shielded()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._undo_shielded()

    # --- operations -------------------------------------------------------------------------------------

    async def hang_up(self, cause: int = NORMAL_CLEARING) -> None:
        """End the call with a Q.850 cause; nothing happens where it has ended already."""
        if self.ended is None:
            self.ended = Ended("bot", cause)
            await self._tolerant(requests.hang_up(self.channel_id, cause))

    async def hand_over(
        self, context: str, extension: str, variables: Mapping[str, str] | None = None
    ) -> None:
        """Let the dialplan go on with the caller there, with these channel variables; the leg is over then.

        A variable that Asterisk refuses is left out: the person matters more. Raises PbxError where it
        refuses to go on there, ValueError for bad names; the call goes on in both cases.
        """
        place = requests.continue_in_dialplan(self.channel_id, context, extension, 1)
        settings = [requests.set_variable(self.channel_id, *pair) for pair in (variables or {}).items()]
        await do_all(*map(self._set, settings))
        await finish(self._continue(place))

    async def _set(self, setting: Request) -> None:
        try:
            await self._ari.request(setting)
        except PbxError as error:
            log.warning("variable not handed over", error=str(error))

    async def _continue(self, place: Request) -> None:
        await self._ari.request(place)
        self.ended = Ended("handed_over")

    @property
    def talks_on(self) -> bool:
        """Whether the leg is over, and the caller talks to a person without us."""
        return self.ended is not None and self.ended.reason == LEFT_TALKING

    def left_talking(self, *, in_bridge: bool = False) -> None:
        """Note that the caller talks on without us: elsewhere, or in our bridge, which stays then."""
        if self.ended is None:
            self.ended = Ended(LEFT_TALKING)
            self._bridge_stays = in_bridge

    async def events(self) -> AsyncIterator[LegEvent]:
        """Yield what happens on the leg. Raises CallEnded at the end of the call, however it came.

        Repairs lost media once. One reader a leg.
        """
        while True:
            event = self._early.pop(0) if self._early else await self._inbox.get()
            self._note(event)
            if self.ended is not None:
                await self._until_destroyed()
                raise CallEnded(self.ended.reason, self.ended.cause)
            if self._is_caller(event) and isinstance(event, StasisStart):
                self.ended = Ended("taken")  # the caller has come back: a new call has them
                raise CallEnded(self.ended.reason)
            if self._is_caller(event) and isinstance(event, StasisEnd):
                # Hung up, or moved on by somebody else? Only the first is followed by a ChannelDestroyed.
                await self._until_destroyed()
                self.ended = self.ended or Ended("taken")
                raise CallEnded(self.ended.reason, self.ended.cause)
            if isinstance(event, ChannelDtmfReceived) and self._is_caller(event):
                if not self._is_echo(event):
                    yield Digit(event.digit, event.duration_ms)
            elif is_end_of(event, self.media_id) or is_end_of(event, self.bridge_id):
                await self._rebuild(event)
                yield MediaReplaced()
            elif self.watch is not None and self._is_caller(event):
                self.watch(event)

    # --- building ---------------------------------------------------------------------------------------

    async def _build(self) -> None:
        self._stack.callback(self._inbox.close)
        self._stack.callback(self._port.close)
        # Undoing is registered before the doing, so that a request that failed half-way leaves nothing.
        self._stack.push_async_callback(self._drop_bridge)
        self._stack.push_async_callback(self._drop_media)
        self._stack.push_async_callback(self._drop_caller)
        subscription = self._ari.request(requests.subscribe(self._ari.app, f"channel:{self.channel_id}"))
        await do_all(self._make_media(), self._make_bridge(), subscription)
        await self._ari.request(requests.answer(self.channel_id))
        self._answered = True
        await self._ari.request(requests.add_channels(self.bridge_id, self.channel_id, self.media_id))

    async def _make_media(self) -> None:
        self.media_id = self._ari.new_id(Kind.MEDIA)
        self._inbox.expect(self.media_id)
        reply = await self._ari.request(
            requests.external_media(
                app=self._ari.app,
                channel_id=self.media_id,
                host=self._advertise,
                port=self._port.port,
                format=self._port.codec,
            )
        )
        self._inbox.confirm(self.media_id)
        where = parse_channel(reply).channelvars
        try:
            host, port = where["UNICASTRTP_LOCAL_ADDRESS"], int(where["UNICASTRTP_LOCAL_PORT"])
        except (KeyError, ValueError) as error:
            raise PbxError(f"Asterisk does not say where its media channel listens: {error}") from error
        self._port.connect(host, port)
        await self._media_started()

    async def _media_started(self) -> None:
        """Wait until the media channel is in our application: before that no bridge takes it."""
        try:
            async with asyncio.timeout(MEDIA_START_TIMEOUT_S):
                while True:
                    event = await self._inbox.get()
                    if isinstance(event, StasisStart) and event.channel.id == self.media_id:
                        return
                    self._early.append(event)
        except TimeoutError as error:
            raise PbxError("the media channel did not enter our application") from error

    async def _make_bridge(self) -> None:
        self.bridge_id = self._ari.new_id(Kind.BRIDGE)
        self._inbox.expect(self.bridge_id)
        await self._ari.request(requests.create_bridge(self.bridge_id, video=self._video))
        self._inbox.confirm(self.bridge_id)
        await self._ari.request(requests.subscribe(self._ari.app, f"bridge:{self.bridge_id}"))

    # --- repairing --------------------------------------------------------------------------------------

    async def _rebuild(self, event: Event) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._rebuilt_at < REBUILD_REST_S:
            self.ended = Ended("media_lost")
            await finish(self._tolerant(requests.hang_up(self.channel_id)))
            raise CallEnded("media_lost")
        self._rebuilt_at = now
        log.warning("media lost, made anew", channel=self.channel_id, lost=event.type)
        try:
            await finish(self._remake(event))
        except PbxError as error:
            await self._until_destroyed()
            self.ended = self.ended or Ended("media_lost")
            raise CallEnded(self.ended.reason, self.ended.cause) from error

    async def _remake(self, event: Event) -> None:
        if is_end_of(event, self.bridge_id):
            self._inbox.forget(self.bridge_id)
            await self._make_bridge()
            joining = [] if self.away else [self.channel_id]
        else:
            self._inbox.forget(self.media_id)
            await self._drop_media()
            await self._make_media()
            joining = []
        if not self.media_apart:  # one that joins and leaves at once may cost the two who talk their sound
            joining.append(self.media_id)
        if joining:
            await self._ari.request(requests.add_channels(self.bridge_id, *joining))

    # --- how it ends ------------------------------------------------------------------------------------

    def _is_caller(self, event: Event) -> bool:
        channel = getattr(event, "channel", None)
        return channel is not None and channel.id == self.channel_id

    def _is_echo(self, key: ChannelDtmfReceived) -> bool:
        """Tell whether Asterisk told us this very key before (a channel followed by two ways)."""
        last, self._last_key = self._last_key, key
        return last is not None and (last.digit, last.timestamp) == (key.digit, key.timestamp)

    def _note(self, event: Event) -> None:
        """Take down how the call ended, if this event says so. The first reason stands."""
        if isinstance(event, Vanished) and event.id == self.channel_id:
            self.ended = self.ended or Ended(event.reason)
        elif isinstance(event, ChannelHangupRequest) and self._is_caller(event):
            self.ended = self.ended or Ended("pbx" if event.soft else "caller")
        elif isinstance(event, ChannelDestroyed) and self._is_caller(event):
            reason = self.ended.reason if self.ended else "caller"
            self.ended = Ended(reason, event.cause, event.cause_txt, event.tech_cause)

    async def _until_destroyed(self) -> None:
        """Wait for the ChannelDestroyed of the caller, which has the cause, as long as it is worth it."""
        if self.ended is not None and (self.ended.cause is not None or self.ended.reason == "asterisk_lost"):
            return
        try:
            async with asyncio.timeout(CAUSE_TIMEOUT_S):
                while True:
                    event = self._early.pop(0) if self._early else await self._inbox.get()
                    self._note(event)
                    if isinstance(event, ChannelDestroyed | Vanished) and self.ended is not None:
                        return
        except TimeoutError:
            return

    # --- undoing ----------------------------------------------------------------------------------------

    async def _undo_shielded(self) -> None:
        await finish(self._undo())

    async def _undo(self) -> None:
        self._undo_by = asyncio.get_running_loop().time() + UNDO_TIMEOUT_S
        await self._stack.aclose()

    async def _drop_caller(self) -> None:
        if self.ended is not None:
            if self.ended.reason in ("handed_over", "taken", LEFT_TALKING):
                await self._tolerant(requests.unsubscribe(self._ari.app, f"channel:{self.channel_id}"))
            return  # app_taken: the gateway that took our name takes up the callers as well
        if self._answered:
            await self.hang_up()
        else:
            await self._tolerant(requests.unsubscribe(self._ari.app, f"channel:{self.channel_id}"))
            await self._tolerant(requests.continue_in_dialplan(self.channel_id))

    async def _drop_media(self) -> None:
        if self.media_id:
            await self._tolerant(requests.hang_up(self.media_id))

    async def _drop_bridge(self) -> None:
        if self.bridge_id and not self._bridge_stays:
            await self._tolerant(requests.delete_bridge(self.bridge_id))

    async def _tolerant(self, request: Request) -> None:
        await tolerant(self._ari, request, self._undo_by)
