"""People at the far end of a SIP trunk: they refuse, ring, answer and hang up, as the test tells each number.

A SIP user agent server (RFC 3261) for one trunk over UDP on loopback; nobody registers. It has a socket for
audio, so that an answered call is a whole one, and never sends any.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from voicebot.softphone import sdp, sip

HOST = "127.0.0.1"
REASONS = {
    302: "Moved Temporarily",
    403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable",
    484: "Address Incomplete", 486: "Busy Here", 488: "Not Acceptable Here", 500: "Server Internal Error",
    502: "Bad Gateway", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Manner:
    """What one number does.

    refuse:      final status, at once; 0: it rings
    answer_s:    seconds until it answers; None: never
    hang_up_s:   seconds from the answer until it hangs up; None: never
    silent:      not even 100 Trying
    """

    refuse: int = 0
    answer_s: float | None = None
    hang_up_s: float | None = None
    silent: bool = False


RINGS = Manner()
ANSWERS = Manner(answer_s=0.0)


@dataclass
class _Call:
    request: sip.Request
    peer: tuple[str, int]
    tag: str
    final: int = 0
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Callees(asyncio.DatagramProtocol):
    """All numbers of the trunk, as an async context manager; `manners` is by the user part of the URI.

    async with Callees({"+12025550142": Manner(refuse=486)}) as callees:
        ...  # callees.port is where the trunk leads
    """

    def __init__(self, manners: dict[str, Manner] | None = None, otherwise: Manner = ANSWERS) -> None:
        self.manners = manners or {}
        self.otherwise = otherwise
        self.invited: list[str] = []
        self._calls: dict[str, _Call] = {}

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._rtp.bind((HOST, 0))
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, (HOST, 0))
        self.port: int = self._transport.get_extra_info("sockname")[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for call in self._calls.values():
            self._forget_timers(call)
        self._transport.close()
        self._rtp.close()

    def hang_up(self, number: str) -> None:
        """The one who answered as `number` hangs up."""
        for call in self._calls.values():
            if self._number(call.request) == number and call.final == 200:
                self._bye(call)

    # --- SIP --------------------------------------------------------------------------------------------

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = sip.parse(data)
        if isinstance(message, sip.Response):
            return
        call = self._calls.get(message.call_id)
        match message.method:
            case "OPTIONS":
                self._send(sip.reply(message, 200, "OK", "options"), addr)
            case "INVITE" if call is None:
                self._ring(message, addr)
            case "INVITE" if call and call.final:
                self._answer(call)  # a repetition of ours was lost, or Asterisk's timer was early
            case "CANCEL" if call:
                self._send(sip.reply(message, 200, "OK", call.tag), addr)
                self._refuse(call, 487, "Request Terminated")
            case "BYE" if call:
                self._forget_timers(call)
                self._send(sip.reply(message, 200, "OK", call.tag), addr)
            case _:
                pass

    def _ring(self, invite: sip.Request, peer: tuple[str, int]) -> None:
        number = self._number(invite)
        self.invited.append(number)
        manner = self.manners.get(number, self.otherwise)
        call = self._calls[invite.call_id] = _Call(invite, peer, secrets.token_hex(8))
        if manner.silent:
            return
        self._send(sip.reply(invite, 100, "Trying", call.tag), peer)
        if manner.refuse:
            self._refuse(call, manner.refuse, REASONS[manner.refuse])
            return
        self._send(sip.reply(invite, 180, "Ringing", call.tag), peer)
        if manner.answer_s is None:
            return
        loop = asyncio.get_running_loop()
        call.timers.append(loop.call_later(manner.answer_s, self._answer, call))
        if manner.hang_up_s is not None:
            call.timers.append(loop.call_later(manner.answer_s + manner.hang_up_s, self._bye, call))

    def _answer(self, call: _Call) -> None:
        if call.final not in (0, 200):
            return
        call.final = 200
        body = sdp.describe(HOST, self._rtp.getsockname()[1], 1)
        headers = [("Contact", self._contact), ("Content-Type", "application/sdp")]
        self._send(sip.reply(call.request, 200, "OK", call.tag, headers, body), call.peer)

    def _refuse(self, call: _Call, status: int, reason: str) -> None:
        if not call.final:
            call.final = status
            self._forget_timers(call)
            self._send(sip.reply(call.request, status, reason, call.tag), call.peer)

    def _bye(self, call: _Call) -> None:
        invite = call.request
        headers = sip.Headers(
            [
                ("Via", f"SIP/2.0/UDP {HOST}:{self.port};branch={sip.MAGIC_COOKIE}bye{call.tag}"),
                ("Max-Forwards", "70"),
                ("From", f"{invite.headers.get('To')};tag={call.tag}"),
                ("To", invite.headers.get("From")),
                ("Call-ID", invite.call_id),
                ("CSeq", "1 BYE"),
            ]
        )
        target = sip.uri_of(invite.headers.get("Contact"))
        self._send(sip.Request(headers, b"", "BYE", target), call.peer)

    @property
    def _contact(self) -> str:
        return f"<sip:{HOST}:{self.port}>"

    @staticmethod
    def _number(invite: sip.Request) -> str:
        return invite.uri.removeprefix("sip:").partition("@")[0]

    @staticmethod
    def _forget_timers(call: _Call) -> None:
        for timer in call.timers:
            timer.cancel()

    def _send(self, message: sip.Request | sip.Response, peer: tuple[str, int]) -> None:
        self._transport.sendto(sip.serialise(message), peer)
