"""The softphone: it dials, over one `Exchange`."""

from __future__ import annotations

import asyncio
import secrets
import time
from types import TracebackType
from typing import Self

from voicebot.softphone import uac
from voicebot.softphone.call import SoftphoneCall
from voicebot.softphone.exchange import Exchange
from voicebot.softphone.video import Picture

RING_TIMEOUT_S = 10.0


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
        self._exchange = Exchange(local)

    async def __aenter__(self) -> Self:
        await self._exchange.open()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        try:
            await self._exchange.hang_up_all()
        finally:
            for call in self._exchange.calls:
                call.finish(uac.Ended("us", reason="the phone was switched off"))
            self._exchange.close()

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
        host, port = self._exchange.address
        parties = uac.Parties(number, f"{self._server[0]}:{self._server[1]}", f"{host}:{port}",
                              caller or self._caller, self._caller_name)  # fmt: skip
        video = Picture(self._local, picture) if picture else None
        call = SoftphoneCall(number, self._local, lambda: self._exchange.hang_up(signalling.call_id), video)
        signalling = uac.OutgoingCall(
            parties,
            call.line.host,
            call.line.port,
            lambda: secrets.token_hex(8),
            video.port if video is not None else 0,
        )
        self._exchange.add(signalling.call_id, signalling, call, self._server)
        signalling.invite(time.monotonic())
        self._exchange.flush(signalling.call_id)
        return call
