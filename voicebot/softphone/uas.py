"""One incoming call as RFC 3261 sees it: the callee's side of INVITE, its dialog, BYE and CANCEL. Pure.

As in `uac` the shell gives messages and time, sends `datagrams_to_send()`, reads `next_event()`, and arms a
timer for `get_timer()`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from enum import Enum

from voicebot.softphone import sdp, sip
from voicebot.softphone.uac import ALLOW, T1_S, T2_S, TRANSACTION_TIMEOUT_S, Ended, Event, MediaMoved

REASONS = {
    403: "Forbidden", 404: "Not Found", 408: "Request Timeout", 480: "Temporarily Unavailable",
    484: "Address Incomplete", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    500: "Server Internal Error", 502: "Bad Gateway", 503: "Service Unavailable", 600: "Busy Everywhere",
    603: "Decline",
}  # fmt: skip


class State(Enum):
    RINGING = "ringing"
    ANSWERED = "answered"
    LEAVING = "leaving"
    ENDED = "ended"


class IncomingCall:
    """A call from its INVITE on. `local` is our "host:port"; `token()` yields an unguessable string.

    number: whom the caller dialled. Raises sdp.SdpError where the offer is of no use to us.
    """

    def __init__(self, invite: sip.Request, local: str, media_port: int, token: Callable[[], str]) -> None:
        self.state = State.RINGING
        self.number = sip.uri_of(invite.uri).removeprefix("sip:").partition("@")[0]
        self.caller = sip.uri_of(invite.headers.get("From")).removeprefix("sip:").partition("@")[0]
        self.offered = sdp.read(invite.body)
        self._invite = invite
        self._local = local
        self._media_port = media_port
        self._token = token
        self._tag = token()
        self._cseq = 0
        self._final = b""
        self._repeat: tuple[bytes, float, float, float] | None = None  # datagram, due, interval, deadline
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()

    def ring(self) -> None:
        """Tell the caller that it rings."""
        self._reply(100, "Trying")
        self._reply(180, "Ringing")

    def answer(self, now: float) -> None:
        """Take the call."""
        if self.state is State.RINGING:
            self.state = State.ANSWERED
            self._final = sip.serialise(
                sip.reply(self._invite, 200, "OK", self._tag, self._described, self._description)
            )
            self._transmit(self._final, now)

    def refuse(self, status: int, now: float) -> None:
        """Refuse it with a final status of 400 to 699."""
        if self.state is State.RINGING:
            self._refuse(status, now)
            self._end(Ended("us", status, REASONS.get(status, "Refused")))

    def hang_up(self, now: float) -> None:
        """End it: BYE, or a refusal where it was not answered yet."""
        if self.state is State.RINGING:
            self.refuse(480, now)
        elif self.state is State.ANSWERED:
            self.state = State.LEAVING
            self._cseq += 1
            self._transmit(sip.serialise(self._bye()), now)

    def receive(self, message: sip.Request | sip.Response, now: float) -> None:
        """Take a message of this call."""
        if isinstance(message, sip.Response):
            if message.cseq[1] == "BYE" and message.status >= 200 and self.state is State.LEAVING:
                self._end(Ended("us", reason="hung up"))
            return
        match message.method:
            case "ACK":
                if self.state is not State.LEAVING:
                    self._repeat = None
            case "INVITE" if message.cseq == self._invite.cseq:
                self._out.append(self._final or sip.serialise(self._response(180, "Ringing")))
            case "INVITE" | "UPDATE" if self.state is State.ANSWERED:
                self._move(message)
            case "CANCEL":
                self._out.append(sip.serialise(sip.reply(message, 200, "OK", self._tag)))
                if self.state is State.RINGING:
                    self._refuse(487, now)
                    self._end(Ended("them", 487, "cancelled"))
            case "BYE":
                self._out.append(sip.serialise(sip.reply(message, 200, "OK", self._tag)))
                self._end(Ended("them", reason="hung up"))
            case _:
                self._out.append(sip.serialise(sip.reply(message, 200, "OK", self._tag, [("Allow", ALLOW)])))

    def get_timer(self) -> float | None:
        """Return when `handle_timer` is due next."""
        return min(self._repeat[1], self._repeat[3]) if self._repeat else None

    def handle_timer(self, now: float) -> None:
        """Send again what was not confirmed, and give up what was not for too long."""
        if self._repeat is None:
            return
        datagram, due, interval, deadline = self._repeat
        if now >= deadline:
            self._repeat = None
            self._end(Ended("timeout", reason="nobody confirms"))
        elif now >= due:
            self._out.append(datagram)
            interval = min(2 * interval, T2_S)
            self._repeat = (datagram, now + interval, interval, deadline)

    def datagrams_to_send(self) -> list[bytes]:
        """Return and forget what must be sent to the caller now."""
        out, self._out = self._out, []
        return out

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # --- parts ------------------------------------------------------------------------------------------

    @property
    def _host(self) -> str:
        return self._local.partition(":")[0]

    @property
    def _contact(self) -> tuple[str, str]:
        return ("Contact", f"<sip:{self.number}@{self._local}>")

    @property
    def _described(self) -> list[tuple[str, str]]:
        return [self._contact, ("Allow", ALLOW), ("Content-Type", "application/sdp")]

    @property
    def _description(self) -> bytes:
        refused = sdp.answered(self.offered.video, self._host, 0)  # pictures
        return sdp.describe(self._host, self._media_port, 1, video=refused)

    def _move(self, request: sip.Request) -> None:
        body, extra = b"", [self._contact, ("Allow", ALLOW)]
        if request.body:
            try:
                self.offered = sdp.read(request.body)
                self._events.append(MediaMoved(self.offered))
            except sdp.SdpError:
                self._out.append(sip.serialise(sip.reply(request, 488, REASONS[488], self._tag)))
                return
        if request.body or request.method == "INVITE":
            body, extra = self._description, self._described
        self._out.append(sip.serialise(sip.reply(request, 200, "OK", self._tag, extra, body)))

    def _bye(self) -> sip.Request:
        contact = self._invite.headers.all("Contact")
        headers = sip.Headers()
        headers.add(
            "Via", f"{sip.SIP_VERSION}/UDP {self._local};rport;branch={sip.MAGIC_COOKIE}{self._token()}"
        )
        for route in self._invite.headers.all("Record-Route"):
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        headers.add("From", f"{self._invite.headers.get('To')};tag={self._tag}")
        headers.add("To", self._invite.headers.get("From"))
        headers.add("Call-ID", self._invite.call_id)
        headers.add("CSeq", f"{self._cseq} BYE")
        target = sip.uri_of(contact[0]) if contact else sip.uri_of(self._invite.headers.get("From"))
        return sip.Request(headers, b"", "BYE", target)

    def _refuse(self, status: int, now: float) -> None:
        self._final = sip.serialise(self._response(status, REASONS.get(status, "Refused")))
        self._transmit(self._final, now)

    def _reply(self, status: int, reason: str) -> None:
        self._out.append(sip.serialise(self._response(status, reason)))

    def _response(self, status: int, reason: str) -> sip.Response:
        return sip.reply(self._invite, status, reason, self._tag, [self._contact])

    def _transmit(self, datagram: bytes, now: float) -> None:
        self._out.append(datagram)
        self._repeat = (datagram, now + T1_S, T1_S, now + TRANSACTION_TIMEOUT_S)

    def _end(self, ended: Ended) -> None:
        if self.state is not State.ENDED:
            if ended.status is None:  # a refusal is repeated until it is confirmed
                self._repeat = None
            self.state = State.ENDED
            self._events.append(ended)
