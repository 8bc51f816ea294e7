"""The simulated PBX as tests hold it: start, dial, break, look what is left."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.simulator.pbx.phones import Telephones
from tests.simulator.pbx.rest import Rest
from tests.simulator.pbx.rtp import TELEPHONE_EVENT, RtpSocket
from tests.simulator.pbx.world import Channel, Refused, World
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.sdp import Media
from voicebot.softphone.uac import Answered, CallFailed, Ended

HOST = "127.0.0.1"
TICK_S = 0.02
FALLBACK_CAUSE = 41


@dataclass
class Faults:
    """What goes wrong. `delay_s` holds every REST request; `refuse` maps "METHOD /path-prefix" to a status,
    `hold` to an event that is waited for; `seen` notes "METHOD /path" of every request."""

    delay_s: float = 0.0
    refuse: dict[str, int] = field(default_factory=dict)
    hold: dict[str, asyncio.Event] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)

    async def __call__(self, request: web.Request) -> None:
        line = f"{request.method} {request.path.removeprefix('/ari')}"
        self.seen.append(line)
        await asyncio.sleep(self.delay_s)
        for start, event in list(self.hold.items()):
            if line.startswith(start):
                await event.wait()
        for start, status in self.refuse.items():
            if line.startswith(start):
                raise Refused(status, "refused by the test")


class SimulatedPbx:
    """A PBX on free ports of the loopback; leaving the context ends its calls.

    async with SimulatedPbx() as pbx:
        caller = await pbx.dial("600")
    """

    app = "voicebot"
    user = "voicebot"
    password = "secret"

    def __init__(self) -> None:
        self.faults = Faults()
        self.world = World()
        self.port = 0
        self._runner: web.AppRunner | None = None
        self._calls: list[SoftphoneCall] = []
        self._rest = Rest(self.world, self.user, self.password, HOST)
        self.telephones = Telephones(self, HOST)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, Any]:
        return {"ari_url": self.url, "ari_user": self.user, "ari_password": self.password, "app": self.app}

    async def __aenter__(self) -> Self:
        await self.start()
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + TICK_S
        self._clock = loop.call_at(self._deadline, self._tick)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clock.cancel()
        self.telephones.stop()
        for call in self._calls:
            call.finish(Ended("us", reason="the PBX is switched off"))
        await self.crash()

    # --- callers ----------------------------------------------------------------------------------------

    def place(self, number: str, caller: str | None = None) -> SoftphoneCall:
        """Dial: the dialplan hands the call to the application, or to its fallback where nobody listens."""
        world = self.world
        rtp = RtpSocket(
            HOST,
            lambda payload, timestamp, marker: world.pass_on(channel, payload, timestamp, marker),
            lambda digit, ms: world.key(channel, digit, ms),
        )
        channel = Channel(
            world.new_id(), "PJSIP/caller", rtp, state="Ring", number=caller or "15550100", exten=number
        )
        call = SoftphoneCall(number, HOST, lambda: self._caller_hangs_up(world, channel, call))
        rtp.remote = (call.line.host, call.line.port)
        channel.on_answer = lambda: call.handle(Answered(Media(HOST, rtp.port, TELEPHONE_EVENT)))
        channel.on_gone = lambda cause: call.finish(Ended("them", cause=cause))
        self._calls.append(call)
        world.channels[channel.id] = channel
        if not world.enter(channel, self.app, number):
            world.hang_up(channel, FALLBACK_CAUSE, soft=True)
        return call

    async def dial(self, number: str, timeout: float = 10.0, caller: str | None = None) -> SoftphoneCall:
        """Dial and wait for the answer. Raises CallFailed."""
        call = self.place(number, caller)
        try:
            await call.answered(timeout)
        except TimeoutError as late:
            await call.hang_up()
            raise CallFailed(Ended("timeout", reason=f"no answer within {timeout:g} s")) from late
        return call

    def hold(self, call: SoftphoneCall) -> None:
        """Drive a call's audio until it ends."""
        self._calls.append(call)

    def _caller_hangs_up(self, world: World, channel: Channel, call: SoftphoneCall) -> None:
        call.finish(Ended("us"))
        if channel.id in world.channels:
            world.hang_up(channel, 16, soft=False)

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        for call in self._calls:
            if not call.ended.done():
                call.tick(time.monotonic())
        self.world.mix()
        self._deadline = max(self._deadline + TICK_S, loop.time())
        self._clock = loop.call_at(self._deadline, self._tick)

    # --- what an operator sees and does -----------------------------------------------------------------

    async def left_over(self) -> list[str]:
        return [*self.world.channels, *self.world.bridges]

    async def hang_up_channel(self, channel_id: str) -> None:
        self.world.hang_up(self.world.channel(channel_id), 16, soft=True)

    async def delete_bridge(self, bridge_id: str) -> None:
        self.world.delete_bridge(self.world.bridge(bridge_id))

    @property
    def handed_over(self) -> list[tuple[str, str, str, dict[str, str]]]:
        """(channel id, context, extension, variables) of every channel that went on in the dialplan."""
        return self.world.handed_over

    @property
    def contexts(self) -> set[str]:
        """Those of the dialplan that we may be asked for."""
        return self._rest.contexts

    # --- faults -----------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, on the port of last time if there was one, with nothing of what was before."""
        self.world = World()
        self._rest = Rest(self.world, self.user, self.password, HOST)
        self._rest.dial = self.telephones.originate
        self._rest.registered = lambda name: name in self.telephones.manners
        self._runner = web.AppRunner(self._rest.routes(self.faults), shutdown_timeout=0.01)
        await self._runner.setup()
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        self.port = listener.getsockname()[1]
        await web.SockSite(self._runner, listener).start()

    async def crash(self) -> None:
        """Die: connections are cut, callers hear nothing more (their phones notice it sooner or later)."""
        runner, self._runner = self._runner, None
        for event in self.faults.hold.values():
            event.set()
        if runner is not None:
            self._cut()
            await runner.cleanup()
        for channel in self.world.channels.values():
            channel.rtp.close()

    async def drop_events(self) -> None:
        """Cut the websockets only; calls and REST go on."""
        self._cut()
        await asyncio.sleep(0)

    def mute_next_websocket(self) -> None:
        """Do not answer the pings of websockets from now on, as behind a dead network."""
        self._rest.mute = True

    def _cut(self) -> None:
        for websocket in list(self._rest.sockets):
            transport = websocket._req.transport if websocket._req is not None else None
            if transport is not None:
                transport.abort()
