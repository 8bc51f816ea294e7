"""Telephones that the simulated PBX can ring: agents, second persons, callers who are called back."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from tests.simulator.pbx.rtp import TELEPHONE_EVENT, RtpSocket
from tests.simulator.pbx.world import INTERNAL, Channel
from voicebot.errors import CallEnded
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.callees import Manner
from voicebot.softphone.script import play
from voicebot.softphone.sdp import Media
from voicebot.softphone.uac import Answered, Ended

if TYPE_CHECKING:
    from tests.simulator.pbx.pbx import SimulatedPbx

CAUSES = {404: 1, 480: 19, 486: 17, 503: 34, 603: 21}
"""ITU-T Q.850 causes by SIP status, as Asterisk has them."""
NO_ANSWER = 19


def name_of(endpoint: str) -> str:
    """Return who is rung: `anna` of PJSIP/anna, PJSIP/trunk/sip:anna@host:port and Local/anna@context."""
    found = re.fullmatch(r"[A-Za-z0-9]+/(?:[^/]+/)?(?:sip:)?([^@/]+)(?:@.*)?", endpoint)
    return found[1] if found else ""


class Telephones:
    """`manners` is by name; who is not in it cannot be rung (500). Else as `softphone.callees.Callees`."""

    def __init__(self, pbx: SimulatedPbx, host: str) -> None:
        self.manners: dict[str, Manner] = {}
        self.calls: list[SoftphoneCall] = []
        self.dialled: list[str] = []
        self._pbx = pbx
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()

    def originate(self, id_: str, query: Mapping[str, str]) -> Channel:
        """Ring somebody. Raises Refused."""
        world = self._pbx.world
        world.check_new_id(id_)
        name = name_of(query["endpoint"])
        manner = self.manners.get(name)
        if manner is None:
            raise INTERNAL
        self.dialled.append(name)
        rtp = RtpSocket(
            self._host,
            lambda payload, timestamp, marker: world.pass_on(channel, payload, timestamp, marker),
            lambda digit, ms: world.key(channel, digit, ms),
        )
        channel = Channel(id_, query["endpoint"], rtp, number=name)
        call = SoftphoneCall(name, self._host, lambda: self._hangs_up(channel, call))
        rtp.remote = (call.line.host, call.line.port)
        channel.on_gone = lambda cause: call.finish(Ended("them", cause=cause))
        world.channels[id_] = channel
        world.app(query["app"]).explicit.add(id_)
        self._pbx.hold(call)
        self._spawn(self._ring(channel, call, manner, query))
        return channel

    async def _ring(
        self, channel: Channel, call: SoftphoneCall, manner: Manner, query: Mapping[str, str]
    ) -> None:
        world = self._pbx.world
        await asyncio.sleep(0)
        if manner.refuse:
            world.hang_up(channel, CAUSES.get(manner.refuse, 38), soft=False)
            return
        channel.state = "Ringing"
        world.emit({"type": "ChannelStateChange", "channel": channel.json}, channel.id)
        longest = float(query.get("timeout", "30"))
        rings = longest if manner.ring_s is None else manner.ring_s
        await asyncio.wait({call.ended}, timeout=min(rings, longest))
        if call.ended.done():
            return
        if manner.ring_s is None or manner.ring_s > longest:
            world.hang_up(channel, NO_ANSWER, soft=True)
            return
        world.answer(channel)
        call.handle(Answered(Media(self._host, channel.rtp.port, TELEPHONE_EVENT)))
        self.calls.append(call)
        args = [each for each in query.get("appArgs", "").split(",") if each]
        if not world.enter(channel, query["app"], *args, made_by_app=True):
            world.hang_up(channel, 16, soft=True)
            return
        try:
            await play(call, manner.script, _ignore)
        except (CallEnded, TimeoutError):
            return

    def _hangs_up(self, channel: Channel, call: SoftphoneCall) -> None:
        call.finish(Ended("us"))
        if channel.id in self._pbx.world.channels:
            self._pbx.world.hang_up(channel, 16, soft=False)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def _ignore(*_: object) -> None:
    return
