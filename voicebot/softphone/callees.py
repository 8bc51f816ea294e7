"""People who are called: a SIP trunk's far end, where each number rings, refuses, or talks by a script.

async with Callees({"12025550142": Manner(script=[WaitForBot(), Say(Path("yes.wav"))])}) as callees:
    ...  # a trunk to 127.0.0.1:callees.port
    await callees.calls[0].over(timeout=30)
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from voicebot.errors import CallEnded
from voicebot.media.clock import TickClock
from voicebot.softphone import sdp, sip
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.phone import LONGEST_CATCH_UP_TICKS, TICK_S
from voicebot.softphone.script import Happened, Step, play
from voicebot.softphone.uac import Answered, refuse_outside_dialog
from voicebot.softphone.uas import IncomingCall


@dataclass(frozen=True, slots=True)
class Manner:
    """What a number does with a call.

    refuse:  a final SIP status at once; 0: it rings
    ring_s:  how long it rings until it is answered; None: for ever
    script:  what is done then; a call whose script is over stays silent until the caller hangs up
    """

    refuse: int = 0
    ring_s: float | None = 0.2
    script: Sequence[Step] = ()


class Callees:
    """All numbers of a trunk. `manners` is by dialled number; `otherwise` for all others (404 by default).

    calls:  those that were answered, in order
    dialled: every number that was called, refused ones too, in order
    stories: what happened in each script, by number
    """

    def __init__(
        self, manners: Mapping[str, Manner], otherwise: Manner = Manner(refuse=404), host: str = "127.0.0.1"
    ) -> None:
        self.manners = dict(manners)
        self.otherwise = otherwise
        self.calls: list[SoftphoneCall] = []
        self.dialled: list[str] = []
        self.stories: dict[str, list[Happened]] = {}
        self.failures: list[str] = []
        self._host = host
        self._live: dict[str, tuple[IncomingCall, SoftphoneCall, tuple[str, int]]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._clock = TickClock(self._tick)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _SipSocket(self), local_addr=(self._host, 0)
        )
        self.port: int = self._transport.get_extra_info("sockname")[1]
        self._clock.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        live = [call for _, call, _ in self._live.values() if not call.ended.done()]
        await asyncio.gather(*(call.hang_up() for call in live))
        for timer in self._timers.values():
            timer.cancel()
        self._clock.stop()
        self._transport.close()

    # --- SIP --------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        """Take one datagram of the SIP port."""
        with contextlib.suppress(sip.SipSyntaxError):  # keep-alives and noise
            message = sip.parse(data)
            if message.call_id in self._live:
                self._live[message.call_id][0].receive(message, time.monotonic())
                self._flush(message.call_id)
            elif isinstance(message, sip.Request) and message.method == "INVITE":
                self._invited(message, sender)
            elif isinstance(message, sip.Request):
                answer = refuse_outside_dialog(message, secrets.token_hex(8))
                if answer is not None:
                    self._transport.sendto(sip.serialise(answer), sender)

    def _invited(self, invite: sip.Request, sender: tuple[str, int]) -> None:
        call_id = invite.call_id

        def hang_up() -> None:
            signalling.hang_up(time.monotonic())
            self._flush(call_id)

        local = f"{self._host}:{self.port}"
        call = SoftphoneCall("", self._host, hang_up)
        try:
            signalling = IncomingCall(invite, local, call.line.port, lambda: secrets.token_hex(8))
        except sdp.SdpError:
            call.line.close()
            self._transport.sendto(
                sip.serialise(sip.reply(invite, 488, "Not Acceptable Here", "none")), sender
            )
            return
        call.number = signalling.number
        self.dialled.append(signalling.number)
        self._live[call_id] = (signalling, call, sender)
        manner = self.manners.get(signalling.number, self.otherwise)
        if manner.refuse:
            signalling.refuse(manner.refuse, time.monotonic())
            self._flush(call_id)
            return
        signalling.ring()
        self._flush(call_id)
        if manner.ring_s is not None:
            task = asyncio.create_task(
                self._take(call_id, manner, manner.ring_s), name=f"callee {call.number}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _take(self, call_id: str, manner: Manner, ring_s: float) -> None:
        """Let it ring, answer, and follow the script."""
        signalling, call, _ = self._live[call_id]
        await asyncio.wait({call.ended}, timeout=ring_s)
        if call.ended.done():
            return
        signalling.answer(time.monotonic())
        self._flush(call_id)
        call.handle(Answered(signalling.offered))
        self.calls.append(call)
        story = self.stories.setdefault(call.number, [])
        try:
            await play(call, manner.script, story.append)
        except TimeoutError as late:
            self.failures.append(f"{call.number}: {late}")
            await call.hang_up()
        except CallEnded:
            return

    def _flush(self, call_id: str) -> None:
        signalling, call, caller = self._live[call_id]
        for datagram in signalling.datagrams_to_send():
            self._transport.sendto(datagram, caller)
        while (event := signalling.next_event()) is not None:
            call.handle(event)
        if old := self._timers.pop(call_id, None):
            old.cancel()
        if (due := signalling.get_timer()) is not None:
            self._timers[call_id] = asyncio.get_running_loop().call_at(due, self._timer, call_id)

    def _timer(self, call_id: str) -> None:
        self._live[call_id][0].handle_timer(time.monotonic())
        self._flush(call_id)

    def _tick(self, skipped: int, late_s: float) -> None:
        now = time.monotonic()
        for behind in range(min(skipped, LONGEST_CATCH_UP_TICKS), -1, -1):
            for _, call, _ in list(self._live.values()):
                if not call.ended.done():
                    call.tick(now - late_s - behind * TICK_S)


class _SipSocket(asyncio.DatagramProtocol):
    def __init__(self, callees: Callees) -> None:
        self._callees = callees

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._callees.datagram_received(data, addr)
