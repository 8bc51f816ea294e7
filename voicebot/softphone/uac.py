"""One outgoing call as RFC 3261 sees it: INVITE transaction, dialog, BYE or CANCEL. Pure: `now` is passed in.

After every call of `invite`, `receive`, `hang_up` or `handle_timer` the shell sends `datagrams_to_send()`,
reads `next_event()` until it is None, and arms a timer for `get_timer()`. Everything goes to the server that
was dialled, as to an outbound proxy; the dialog's route set is still put into the requests (12.2.1.1).
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

from voicebot.errors import VoicebotError
from voicebot.softphone import sdp, sip

T1_S = 0.5
"""Estimate of the round trip: first retransmission of a request (17.1.1.1)."""
T2_S = 4.0
"""Longest interval between retransmissions of anything but INVITE."""
TRANSACTION_TIMEOUT_S = 64 * T1_S
"""Timers B, F and H: without an answer for so long a transaction has failed."""
ALLOW = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE, INFO"
USER_AGENT = "voicebot-softphone"


@dataclass(frozen=True, slots=True)
class Ringing:
    """A provisional response above 100; `media` is there when it brought early audio (183)."""

    status: int
    media: sdp.Media | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """The call is up; audio goes to `media`."""

    media: sdp.Media


@dataclass(frozen=True, slots=True)
class MediaMoved:
    """A re-INVITE or UPDATE moved the far side's audio."""

    media: sdp.Media


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, or never came about.

    by:      `us` (BYE or CANCEL), `them` (BYE), `refused` (4xx to 6xx), `timeout` (nobody answered in SIP),
             `failed` (the answer is of no use to us)
    status:  final SIP status where one refused the call
    cause:   Q.850 cause of the Reason header (RFC 3326), None where there is none
    """

    by: Literal["us", "them", "refused", "timeout", "failed"]
    status: int | None = None
    reason: str = ""
    cause: int | None = None


Event = Ringing | Answered | MediaMoved | Ended


class CallFailed(VoicebotError):
    """The call did not come about; `ended` says why."""

    def __init__(self, ended: Ended) -> None:
        self.ended = ended
        parts = (str(ended.status or ""), ended.reason, f"cause {ended.cause}" if ended.cause else "")
        super().__init__(f"call {ended.by}: " + " ".join(part for part in parts if part))


class State(Enum):
    IDLE = "idle"
    CALLING = "calling"
    PROCEEDING = "proceeding"
    CANCELLING = "cancelling"
    CONFIRMED = "confirmed"
    LEAVING = "leaving"
    ENDED = "ended"


@dataclass(slots=True)
class _Retransmission:
    """A datagram that is sent again, at doubling intervals, until it is answered or `deadline` passes."""

    datagram: bytes
    at: float
    interval: float
    longest: float
    deadline: float


@dataclass(frozen=True, slots=True)
class Parties:
    """Who calls whom, from where. `number` is dialled at `server` ("host:port"); `local` is "host:port"."""

    number: str
    server: str
    local: str
    caller: str = "caller"
    caller_name: str = ""


class OutgoingCall:
    """One call from INVITE to the end. `token()` yields an unguessable string each time it is called."""

    def __init__(
        self,
        parties: Parties,
        media_host: str,
        media_port: int,
        token: Callable[[], str],
        video_port: int = 0,
    ) -> None:
        self.call_id = f"{token()}@{parties.local.partition(':')[0]}"
        self.state = State.IDLE
        self._parties = parties
        self._media_host, self._media_port = media_host, media_port
        self._video_port = video_port
        self._sdp_version = 1
        self._token = token
        self._cseq = 1
        name = f'"{parties.caller_name}" ' if parties.caller_name else ""
        self._from = f"{name}<sip:{parties.caller}@{parties.local}>;tag={token()}"
        self._tag = sip.parameter(self._from, "tag")
        self._target = f"sip:{parties.number}@{parties.server}"
        self._to = f"<{self._target}>"
        self._routes: list[str] = []
        offer = (sdp.VideoStream(media_host, video_port),) if video_port else ()
        self._invite = self._request("INVITE", body=self._describe(video=offer))
        self._ack = b""
        self._cancel_wanted = False
        self._pending: dict[str, _Retransmission] = {}
        self._answered: dict[tuple[str, int, str], bytes] = {}
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()

    # --- what the shell calls ---------------------------------------------------------------------------

    def invite(self, now: float) -> None:
        """Place the call."""
        self.state = State.CALLING
        self._transmit("INVITE", sip.serialise(self._invite), now, longest=TRANSACTION_TIMEOUT_S)

    def hang_up(self, now: float) -> None:
        """End the call, whatever its state: BYE, or CANCEL as soon as that is allowed (9.1)."""
        if self.state is State.CONFIRMED:
            self.state = State.LEAVING
            self._transmit("BYE", sip.serialise(self._request("BYE")), now)
        elif self.state is State.CALLING:
            self._cancel_wanted = True
        elif self.state is State.PROCEEDING:
            self._cancel(now)

    def receive(self, message: sip.Request | sip.Response, now: float) -> None:
        """Take a message of this Call-ID. Raises sip.SipSyntaxError where it makes no sense."""
        if isinstance(message, sip.Request):
            self._handle_request(message, now)
        elif message.cseq[1] == "INVITE":
            self._handle_invite_response(message, now)
        elif message.status >= 200 and (pending := self._pending.get(message.cseq[1])):
            if message.cseq[1] == "CANCEL":
                pending.at = (
                    pending.deadline
                )  # no need to repeat it, but the INVITE's 487 must still come (9.1)
                return
            del self._pending[message.cseq[1]]
            if message.cseq[1] == "BYE" and self.state is State.LEAVING:
                self._end(Ended("us", reason="hung up"))

    def get_timer(self) -> float | None:
        """Return when `handle_timer` is due next."""
        return min((min(each.at, each.deadline) for each in self._pending.values()), default=None)

    def handle_timer(self, now: float) -> None:
        """Send again what is due, and give up what was sent for too long."""
        for method, each in list(self._pending.items()):
            if now >= each.deadline:
                del self._pending[method]
                self._give_up(method)
            elif now >= each.at:
                self._out.append(each.datagram)
                each.interval = min(2 * each.interval, each.longest)
                each.at = now + each.interval

    def datagrams_to_send(self) -> list[bytes]:
        """Return and forget what must be sent to the server now."""
        out, self._out = self._out, []
        return out

    def next_event(self) -> Event | None:
        return self._events.popleft() if self._events else None

    # --- responses --------------------------------------------------------------------------------------

    def _handle_invite_response(self, response: sip.Response, now: float) -> None:
        if response.cseq[0] != self._invite.cseq[0] or response.branch != self._invite.branch:
            return
        if response.status < 200:
            self._provisional(response, now)
        elif response.status < 300:
            self._success(response, now)
        else:
            # The ACK to a refusal belongs to the INVITE's own transaction: same branch (17.1.1.3).
            self._out.append(sip.serialise(self._refusal_ack(response)))
            if self.state in (State.CALLING, State.PROCEEDING, State.CANCELLING):
                by: Literal["us", "refused"] = "us" if self.state is State.CANCELLING else "refused"
                self._end(Ended(by, response.status, response.reason, _cause(response)))

    def _provisional(self, response: sip.Response, now: float) -> None:
        if self.state is State.CALLING:
            self._pending.pop("INVITE", None)
            self.state = State.PROCEEDING
            if self._cancel_wanted:
                self._cancel(now)
        if response.status > 100 and self.state is State.PROCEEDING:
            media = None
            if response.body:
                try:
                    media = sdp.read(response.body)
                except sdp.SdpError:
                    media = None  # early audio is optional: the final answer decides
            self._events.append(Ringing(response.status, media))

    def _success(self, response: sip.Response, now: float) -> None:
        if self._ack:
            self._out.append(self._ack)  # our ACK was lost: the 2xx came again (13.2.2.4)
            return
        if self.state not in (State.CALLING, State.PROCEEDING, State.CANCELLING):
            return
        self._pending.clear()
        self._to = response.headers.get("To")
        self._routes = response.headers.all("Record-Route")[::-1]
        contact = response.headers.all("Contact")
        self._target = sip.uri_of(contact[0]) if contact else self._target
        invite_cseq, self._cseq = self._cseq, self._invite.cseq[0]
        self._ack = sip.serialise(self._request("ACK"))
        self._cseq = invite_cseq
        self._out.append(self._ack)
        crossed = self.state is State.CANCELLING or self._cancel_wanted
        self.state = State.CONFIRMED
        if crossed:
            self.hang_up(now)
            return
        try:
            self._events.append(Answered(sdp.read(response.body)))
        except sdp.SdpError as error:
            self.hang_up(now)
            self._end(Ended("failed", reason=str(error)))

    def _refusal_ack(self, response: sip.Response) -> sip.Request:
        headers = sip.Headers()
        for name in ("Via", "Route", "From"):
            for value in self._invite.headers.all(name):
                headers.add(name, value)
        headers.add("To", response.headers.get("To"))
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{self._invite.cseq[0]} ACK")
        headers.add("Max-Forwards", "70")
        return sip.Request(headers, b"", "ACK", self._invite.uri)

    def _cancel(self, now: float) -> None:
        self.state = State.CANCELLING
        headers = sip.Headers()
        for name in ("Via", "Route", "From", "To", "Call-ID"):
            for value in self._invite.headers.all(name):
                headers.add(name, value)
        headers.add("CSeq", f"{self._invite.cseq[0]} CANCEL")
        headers.add("Max-Forwards", "70")
        self._transmit("CANCEL", sip.serialise(sip.Request(headers, b"", "CANCEL", self._invite.uri)), now)

    def _give_up(self, method: str) -> None:
        if method == "INVITE":
            self._end(Ended("timeout", 408, "no answer to INVITE"))
        elif self.state in (State.LEAVING, State.CANCELLING):
            self._end(Ended("us", reason=f"no answer to {method}"))

    # --- requests of the far side -----------------------------------------------------------------------

    def _handle_request(self, request: sip.Request, now: float) -> None:
        if request.method == "ACK":
            if self._pending.pop("answer", None) and request.body:
                self._move(request.body)
            return
        key = (request.branch, *request.cseq)
        if key in self._answered:
            self._out.append(self._answered[key])
            return
        response = self._respond(request)
        self._answered[key] = sip.serialise(response)
        if request.method == "INVITE" and response.status == 200:
            # A 2xx to INVITE is sent again until its ACK arrives, whatever the transport (13.3.1.4).
            self._transmit("answer", self._answered[key], now)
        else:
            self._out.append(self._answered[key])
        if request.method == "BYE" and response.status == 200:
            self._end(Ended("them", reason=_reason_text(request), cause=_cause(request)))

    def _respond(self, request: sip.Request) -> sip.Response:
        ours = sip.parameter(request.headers.get("To"), "tag") == self._tag
        if not ours or self.state not in (State.CONFIRMED, State.LEAVING):
            return sip.reply(request, 481, "Call/Transaction Does Not Exist", self._tag)
        if request.method in ("INVITE", "UPDATE"):
            return self._renegotiate(request)
        if request.method in ("BYE", "OPTIONS", "INFO"):
            return sip.reply(request, 200, "OK", self._tag, [("Allow", ALLOW)])
        return sip.reply(request, 405, "Method Not Allowed", self._tag, [("Allow", ALLOW)])

    def _renegotiate(self, request: sip.Request) -> sip.Response:
        extra = [("Contact", self._contact), ("Allow", ALLOW)]
        if not request.body and request.method == "UPDATE":
            return sip.reply(request, 200, "OK", self._tag, extra)
        direction, video = "sendrecv", tuple[sdp.VideoStream, ...]()
        if request.body:
            try:
                offer = self._move(request.body)
                direction = sdp.mirrored(offer.direction)
                video = sdp.answered(offer.video, self._media_host, self._video_port)
            except sdp.SdpError:
                return sip.reply(request, 488, "Not Acceptable Here", self._tag, extra)
        self._sdp_version += 1
        extra.append(("Content-Type", "application/sdp"))
        return sip.reply(request, 200, "OK", self._tag, extra, self._describe(direction, video))

    def _move(self, body: bytes) -> sdp.Media:
        media = sdp.read(body)
        self._events.append(MediaMoved(media))
        return media

    # --- parts ------------------------------------------------------------------------------------------

    @property
    def _contact(self) -> str:
        return f"<sip:{self._parties.caller}@{self._parties.local}>"

    def _describe(self, direction: str = "sendrecv", video: Sequence[sdp.VideoStream] = ()) -> bytes:
        return sdp.describe(self._media_host, self._media_port, 1, self._sdp_version, direction, video)

    def _request(self, method: str, body: bytes = b"") -> sip.Request:
        headers = sip.Headers()
        branch = f"{sip.MAGIC_COOKIE}{self._token()}"
        headers.add("Via", f"{sip.SIP_VERSION}/UDP {self._parties.local};rport;branch={branch}")
        for route in self._routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        headers.add("From", self._from)
        headers.add("To", self._to)
        headers.add("Call-ID", self.call_id)
        if method not in ("INVITE", "ACK"):
            self._cseq += 1
        headers.add("CSeq", f"{self._cseq} {method}")
        headers.add("Contact", self._contact)
        headers.add("Allow", ALLOW)
        headers.add("User-Agent", USER_AGENT)
        if body:
            headers.add("Content-Type", "application/sdp")
        return sip.Request(headers, body, method, self._target)

    def _transmit(self, method: str, datagram: bytes, now: float, longest: float = T2_S) -> None:
        self._out.append(datagram)
        self._pending[method] = _Retransmission(
            datagram, now + T1_S, T1_S, longest, now + TRANSACTION_TIMEOUT_S
        )

    def _end(self, ended: Ended) -> None:
        # A BYE that is still unanswered goes on being retransmitted only while somebody waits for its answer.
        self._pending.clear()
        self.state = State.ENDED
        self._events.append(ended)


def refuse_outside_dialog(request: sip.Request, tag: str) -> sip.Response | None:
    """Answer a request that belongs to no call of ours; None for ACK, which is never answered."""
    if request.method == "ACK":
        return None
    if request.method == "OPTIONS":
        return sip.reply(request, 200, "OK", tag, [("Allow", ALLOW), ("Accept", "application/sdp")])
    if request.method == "INVITE":
        return sip.reply(request, 486, "Busy Here", tag)
    return sip.reply(request, 481, "Call/Transaction Does Not Exist", tag)


def _cause(message: sip.Request | sip.Response) -> int | None:
    for value in message.headers.all("Reason"):
        found = re.match(r"\s*Q\.850\s*;.*?cause\s*=\s*(\d+)", value, re.IGNORECASE)
        if found:
            return int(found[1])
    asterisk = message.headers.get("X-Asterisk-HangupCauseCode")
    return int(asterisk) if asterisk.isdigit() else None


def _reason_text(message: sip.Request) -> str:
    found = re.search(r'text\s*=\s*"([^"]*)"', message.headers.get("Reason"))
    return found[1] if found else message.headers.get("X-Asterisk-HangupCause", "hung up")
