"""One SIP socket, one 20 ms clock, any number of calls: the asyncio shell around `uac` and `uas`."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import Protocol

from voicebot.audio.frames import FRAME_MS
from voicebot.media.clock import TickClock
from voicebot.softphone import sip, uac
from voicebot.softphone.call import SoftphoneCall

TICK_S = FRAME_MS / 1000
LONGEST_CATCH_UP_TICKS = 10

Address = tuple[str, int]


class Signalling(Protocol):
    """One call's signalling, without I/O: `OutgoingCall` or `IncomingCall`."""

    def receive(self, message: sip.Request | sip.Response, now: float) -> None: ...

    def hang_up(self, now: float) -> None: ...

    def get_timer(self) -> float | None: ...

    def handle_timer(self, now: float) -> None: ...

    def datagrams_to_send(self) -> list[bytes]: ...

    def next_event(self) -> uac.Event | None: ...


class Exchange(asyncio.DatagramProtocol):
    """Carries datagrams, time and events between the network and calls.

    invited: takes an INVITE that begins a call, and who sent it; None: nobody can be called
    """

    def __init__(self, host: str, invited: Callable[[sip.Request, Address], None] | None = None) -> None:
        self._host = host
        self._invited = invited
        self._calls: dict[str, tuple[Signalling, SoftphoneCall, Address]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._clock = TickClock(self._tick)

    async def open(self) -> None:
        """Bind a free port, and begin."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(self._host, 0))
        self._clock.start()

    def close(self) -> None:
        """End; whoever is on the line is not told."""
        for timer in self._timers.values():
            timer.cancel()
        self._clock.stop()
        if self._transport is not None:
            self._transport.close()

    @property
    def address(self) -> Address:
        """Where we are. Raises RuntimeError before `open`."""
        if self._transport is None:
            raise RuntimeError("not open: use the softphone as an async context manager")
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    @property
    def calls(self) -> list[SoftphoneCall]:
        """All calls there were, also those that have ended."""
        return [call for _, call, _ in self._calls.values()]

    async def hang_up_all(self) -> None:
        """Hang up what goes on."""
        await asyncio.gather(*(call.hang_up() for call in self.calls if not call.ended.done()))

    def add(self, call_id: str, signalling: Signalling, call: SoftphoneCall, peer: Address) -> None:
        """Look after a call from now on."""
        self._calls[call_id] = (signalling, call, peer)

    def hang_up(self, call_id: str) -> None:
        self._calls[call_id][0].hang_up(time.monotonic())
        self.flush(call_id)

    def flush(self, call_id: str) -> None:
        """Do what the signalling core wants done: send, tell, and arm its timer."""
        signalling, call, peer = self._calls[call_id]
        for datagram in signalling.datagrams_to_send():
            self.send(datagram, peer)
        while (event := signalling.next_event()) is not None:
            call.handle(event)
        if old := self._timers.pop(call_id, None):
            old.cancel()
        if (due := signalling.get_timer()) is not None:
            # The loop's clock is the monotonic clock.
            self._timers[call_id] = asyncio.get_running_loop().call_at(due, self._timer, call_id)

    def send(self, datagram: bytes, to: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(datagram, to)

    # --- what comes -------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Take one datagram of the SIP port."""
        with contextlib.suppress(sip.SipSyntaxError):  # keep-alives and noise
            message = sip.parse(data)
            if (known := self._calls.get(message.call_id)) is not None:
                known[0].receive(message, time.monotonic())
                self.flush(message.call_id)
            elif not isinstance(message, sip.Request):
                return
            elif message.method == "INVITE" and self._invited is not None:
                self._invited(message, addr)
            elif (answer := uac.refuse_outside_dialog(message, secrets.token_hex(8))) is not None:
                self.send(sip.serialise(answer), addr)

    def _timer(self, call_id: str) -> None:
        self._calls[call_id][0].handle_timer(time.monotonic())
        self.flush(call_id)

    def _tick(self, skipped: int, late_s: float) -> None:
        # After a late tick its frames follow at once: a hole in speech would be heard as a pause.
        now = time.monotonic()
        for behind in range(min(skipped, LONGEST_CATCH_UP_TICKS), -1, -1):
            for call in self.calls:
                if not call.ended.done():
                    call.tick(now - late_s - behind * TICK_S)
