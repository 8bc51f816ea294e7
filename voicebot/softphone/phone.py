"""The softphone: one SIP socket, one 20 ms clock, any number of calls. The asyncio shell around `uac`."""

from __future__ import annotations

import asyncio
import secrets
import time
from types import TracebackType
from typing import Self

from voicebot.audio.frames import FRAME_MS
from voicebot.media.clock import TickClock
from voicebot.softphone import sip, uac
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.video import Picture

TICK_S = FRAME_MS / 1000
RING_TIMEOUT_S = 10.0
LONGEST_CATCH_UP_TICKS = 10


class Softphone:
    """Dials `server` (host, port) over SIP/UDP from an address of ours.

    async with Softphone(server=("127.0.0.1", 5060)) as phone:
        call = await phone.dial("600")
        await call.bot_quiet(800, timeout=10)
        await call.say(Path("yes.wav"))
        await call.hang_up()

    Leaving the context hangs up what is left.
    """

    def __init__(self, server: tuple[str, int], local: str = "127.0.0.1", caller: str = "15550100",
                 caller_name: str = "") -> None:  # fmt: skip
        self._server = server
        self._local = local
        self._caller, self._caller_name = caller, caller_name
        self._calls: dict[str, tuple[uac.OutgoingCall, SoftphoneCall]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self._clock = TickClock(self._tick)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _SipSocket(self), local_addr=(self._local, 0)
        )
        self._clock.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        try:
            live = [call for _, call in self._calls.values() if not call.ended.done()]
            await asyncio.gather(*(call.hang_up() for call in live))
        finally:
            for _, call in self._calls.values():
                call.finish(uac.Ended("us", reason="the phone was switched off"))
            for timer in self._timers.values():
                timer.cancel()
            self._clock.stop()
            if self._transport is not None:
                self._transport.close()

    async def dial(
        self, number: str, timeout: float = RING_TIMEOUT_S, caller: str | None = None
    ) -> SoftphoneCall:
        """Call `number`, wait for the answer, and return the call.

        Raises CallFailed where it is refused, or not answered within `timeout` seconds and then cancelled.
        """
        call = self.place(number, caller)
        try:
            await call.answered(timeout)
        except TimeoutError as late:
            ended = await call.hang_up()
            raise uac.CallFailed(
                uac.Ended("timeout", ended.status, f"no answer within {timeout:g} s")
            ) from late
        except asyncio.CancelledError:
            await call.hang_up()
            raise
        return call

    def place(self, number: str, caller: str | None = None, picture: bytes = b"") -> SoftphoneCall:
        """Call `number` without waiting for an answer; `call.answered()` waits for it.

        `picture`: the mark that stands for a picture; without it none is offered.
        """
        if self._transport is None:
            raise RuntimeError("use the softphone as an async context manager")
        host, port = self._transport.get_extra_info("sockname")[:2]
        parties = uac.Parties(number, f"{self._server[0]}:{self._server[1]}", f"{host}:{port}",
                              caller or self._caller, self._caller_name)  # fmt: skip
        video = Picture(self._local, picture) if picture else None
        call = SoftphoneCall(number, self._local, lambda: self._hang_up(signalling.call_id), video)
        signalling = uac.OutgoingCall(
            parties,
            call.line.host,
            call.line.port,
            lambda: secrets.token_hex(8),
            video.port if video is not None else 0,
        )
        self._calls[signalling.call_id] = (signalling, call)
        signalling.invite(time.monotonic())
        self._flush(signalling.call_id)
        return call

    # --- the SIP socket ---------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, sender: tuple[str, int]) -> None:
        """Take one datagram of the SIP port."""
        try:
            message = sip.parse(data)
            known = self._calls.get(message.call_id)
            if known:
                known[0].receive(message, time.monotonic())
                self._flush(message.call_id)
            elif isinstance(message, sip.Request):
                answer = uac.refuse_outside_dialog(message, secrets.token_hex(8))
                if answer is not None and self._transport is not None:
                    self._transport.sendto(sip.serialise(answer), sender)
        except sip.SipSyntaxError:
            return  # keep-alives and noise

    def _hang_up(self, call_id: str) -> None:
        self._calls[call_id][0].hang_up(time.monotonic())
        self._flush(call_id)

    def _timer(self, call_id: str) -> None:
        self._calls[call_id][0].handle_timer(time.monotonic())
        self._flush(call_id)

    def _flush(self, call_id: str) -> None:
        """Do what the signalling core wants done: send, tell, and arm its timer."""
        signalling, call = self._calls[call_id]
        for datagram in signalling.datagrams_to_send():
            if self._transport is not None:
                self._transport.sendto(datagram, self._server)
        while (event := signalling.next_event()) is not None:
            call.handle(event)
        if old := self._timers.pop(call_id, None):
            old.cancel()
        if (due := signalling.get_timer()) is not None:
            # The loop's clock is the monotonic clock.
            self._timers[call_id] = asyncio.get_running_loop().call_at(due, self._timer, call_id)

    # --- the clock --------------------------------------------------------------------------------------

    def _tick(self, skipped: int, late_s: float) -> None:
        # After a late tick its frames follow at once: a hole in speech would be heard as a pause.
        now = time.monotonic()
        for behind in range(min(skipped, LONGEST_CATCH_UP_TICKS), -1, -1):
            for _, call in list(self._calls.values()):
                if not call.ended.done():
                    call.tick(now - late_s - behind * TICK_S)


class _SipSocket(asyncio.DatagramProtocol):
    def __init__(self, phone: Softphone) -> None:
        self._phone = phone

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._phone.datagram_received(data, addr)
