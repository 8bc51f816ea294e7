"""Category: unit. An outgoing call as its SIP peer sees it, with time passed in."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import pytest

from voicebot.softphone import sdp, sip, uac

pytestmark = pytest.mark.unit

THEIR_SDP = sdp.describe("127.0.0.9", 7000, session=9)
THEIR_CONTACT = "<sip:bot@127.0.0.9:5090>"


class Peer:
    """The far side: reads what the call sends, and answers."""

    def __init__(self) -> None:
        counter = itertools.count()
        parties = uac.Parties("600", "127.0.0.9:5060", "127.0.0.1:4000")
        self.call = uac.OutgoingCall(parties, "127.0.0.1", 4002, lambda: f"t{next(counter)}")
        self.now = 100.0
        self.call.invite(self.now)
        (self.invite,) = self.sent()

    def sent(self) -> list[sip.Request | sip.Response]:
        return [sip.parse(datagram) for datagram in self.call.datagrams_to_send()]

    def methods(self) -> list[str | int]:
        return [each.method if isinstance(each, sip.Request) else each.status for each in self.sent()]

    def events(self) -> list[uac.Event]:
        return list(iter(self.call.next_event, None))

    def answer(self, request: sip.Request | sip.Response, status: int, reason: str = "", body: bytes = b"",
               extra: Sequence[tuple[str, str]] = ()) -> None:  # fmt: skip
        assert isinstance(request, sip.Request)
        extra = [("Contact", THEIR_CONTACT), *extra]
        self.call.receive(sip.reply(request, status, reason, "theirs", extra, body), self.now)

    def ask(self, method: str, cseq: int = 7, body: bytes = b"", tag: str | None = None, branch: str = "b",
            extra: Sequence[tuple[str, str]] = ()) -> None:  # fmt: skip
        ours = self.invite.headers.get("From")
        if tag is not None:
            ours = f"<sip:caller@127.0.0.1>;tag={tag}"
        headers = sip.Headers(
            [
                ("Via", f"SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK{branch}"),
                ("From", "<sip:600@127.0.0.9:5060>;tag=theirs"),
                ("To", ours),
                ("Call-ID", self.call.call_id),
                ("CSeq", f"{cseq} {method}"),
                *extra,
            ]
        )
        self.call.receive(sip.Request(headers, body, method, "sip:caller@127.0.0.1:4000"), self.now)

    def sleep(self, seconds: float) -> list[float]:
        """Let time pass; return when timers fired."""
        fired, until = [], self.now + seconds
        while (due := self.call.get_timer()) is not None and due <= until:
            self.now = due
            self.call.handle_timer(self.now)
            fired.append(due)
        self.now = until
        return fired

    def talk(self) -> None:
        """Answer the INVITE and forget what was sent."""
        self.answer(self.invite, 200, "OK", THEIR_SDP)
        self.sent(), self.events()


def test_ringing_then_answered_then_acknowledged() -> None:
    peer = Peer()
    peer.answer(peer.invite, 180, "Ringing")
    peer.answer(peer.invite, 200, "OK", THEIR_SDP, [("Record-Route", "<sip:p1;lr>, <sip:p2;lr>")])
    assert peer.events() == [uac.Ringing(180), uac.Answered(sdp.Media("127.0.0.9", 7000))]
    (ack,) = peer.sent()
    assert isinstance(ack, sip.Request)
    assert (ack.method, ack.uri, ack.cseq) == ("ACK", "sip:bot@127.0.0.9:5090", (1, "ACK"))
    assert ack.branch != peer.invite.branch, "the ACK to a 2xx is a transaction of its own (13.2.2.4)"
    assert ack.headers.all("Route") == ["<sip:p2;lr>", "<sip:p1;lr>"]
    peer.answer(peer.invite, 200, "OK", THEIR_SDP)
    assert peer.sent() == [ack], "a 2xx that comes again gets the same ACK again"
    assert peer.events() == []


def test_an_invite_that_is_lost_is_sent_again_and_given_up() -> None:
    peer = Peer()
    fired = [at - 100 for at in peer.sleep(40)]
    assert fired == [0.5, 1.5, 3.5, 7.5, 15.5, 31.5, 32.0], "doubling from T1, until 64 T1 (17.1.1.2)"
    assert set(peer.methods()) == {"INVITE"}
    (ended,) = peer.events()
    assert isinstance(ended, uac.Ended)
    assert ended.by == "timeout"


def test_a_provisional_response_stops_retransmission() -> None:
    peer = Peer()
    peer.answer(peer.invite, 100, "Trying")
    assert peer.sleep(60) == []
    assert peer.events() == []


@pytest.mark.parametrize("status", [404, 486, 503, 603])
def test_a_refusal_is_acknowledged_in_the_same_transaction(status: int) -> None:
    peer = Peer()
    refusal = ("Reason", "Q.850;cause=17")
    peer.answer(peer.invite, status, "No", extra=[refusal])
    peer.answer(peer.invite, status, "No", extra=[refusal])
    for ack in peer.sent():
        assert isinstance(ack, sip.Request)
        assert (ack.method, ack.branch, ack.uri) == ("ACK", peer.invite.branch, "sip:600@127.0.0.9:5060")
        assert sip.parameter(ack.headers.get("To"), "tag") == "theirs"
    assert peer.events() == [uac.Ended("refused", status, "No", 17)]


def test_we_hang_up() -> None:
    peer = Peer()
    peer.talk()
    peer.call.hang_up(peer.now)
    (bye,) = peer.sent()
    assert isinstance(bye, sip.Request)
    assert (bye.method, bye.cseq) == ("BYE", (2, "BYE"))
    assert len(peer.sleep(1.6)) == 2, "sent again until it is answered"
    peer.answer(bye, 200, "OK")
    (ended,) = peer.events()
    assert isinstance(ended, uac.Ended)
    assert ended.by == "us"
    assert peer.call.get_timer() is None


def test_they_hang_up_and_their_bye_may_come_twice() -> None:
    peer = Peer()
    peer.talk()
    for _ in range(2):
        peer.ask("BYE", extra=[("Reason", 'Q.850;cause=16;text="Normal Clearing"')])
    assert peer.methods() == [200, 200]
    assert peer.events() == [uac.Ended("them", None, "Normal Clearing", 16)]


def test_cancel_waits_for_a_provisional_response() -> None:
    peer = Peer()
    peer.call.hang_up(peer.now)
    assert peer.methods() == [], "nothing may be cancelled before the far side has spoken (9.1)"
    peer.answer(peer.invite, 180, "Ringing")
    (cancel,) = peer.sent()
    assert isinstance(cancel, sip.Request)
    assert (cancel.method, cancel.branch, cancel.cseq) == ("CANCEL", peer.invite.branch, (1, "CANCEL"))
    peer.answer(cancel, 200, "OK")
    peer.answer(peer.invite, 487, "Request Terminated")
    assert peer.methods() == ["ACK"]
    assert peer.events()[-1] == uac.Ended("us", 487, "Request Terminated")


def test_an_answer_that_crosses_the_cancel_is_taken_and_hung_up() -> None:
    peer = Peer()
    peer.answer(peer.invite, 180, "Ringing")
    peer.call.hang_up(peer.now)
    peer.sent()
    peer.answer(peer.invite, 200, "OK", THEIR_SDP)
    assert peer.methods() == ["ACK", "BYE"]
    assert not any(isinstance(event, uac.Answered) for event in peer.events())


def test_a_cancel_that_nobody_completes_ends_all_the_same() -> None:
    peer = Peer()
    peer.answer(peer.invite, 180, "Ringing")
    peer.call.hang_up(peer.now)
    (cancel,) = peer.sent()
    peer.answer(cancel, 200, "OK")
    peer.sleep(40)
    assert peer.methods() == []
    assert isinstance(peer.events()[-1], uac.Ended)


def test_a_reinvite_moves_the_audio_and_is_answered_until_acknowledged() -> None:
    peer = Peer()
    peer.talk()
    peer.ask("INVITE", body=sdp.describe("127.0.0.9", 7100, 9, 2, "sendonly"))
    (answer,) = peer.sent()
    assert isinstance(answer, sip.Response)
    assert (answer.status, sdp.read(answer.body).direction) == (200, "recvonly")
    assert peer.events() == [uac.MediaMoved(sdp.Media("127.0.0.9", 7100, 101, "sendonly"))]
    assert len(peer.sleep(1.6)) == 2
    peer.ask("ACK")
    assert peer.sleep(60) == []
    assert peer.events() == []


def test_other_requests_are_answered_politely() -> None:
    peer = Peer()
    peer.talk()
    for number, method in enumerate(["OPTIONS", "UPDATE", "INFO", "SUBSCRIBE"]):
        peer.ask(method, cseq=20 + number, branch=method)
    peer.ask("INVITE", cseq=30, body=b"v=0\r\nm=audio 1 RTP/AVP 8\r\n", branch="bad")
    peer.ask("BYE", cseq=31, tag="somebody-else", branch="foreign")
    assert peer.methods() == [200, 200, 200, 405, 488, 481]
    assert peer.events() == [], "none of it ends the call"


def test_an_answer_without_usable_audio_fails_the_call() -> None:
    peer = Peer()
    peer.answer(peer.invite, 200, "OK", b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8\r\n")
    assert peer.methods() == ["ACK", "BYE"]
    (ended,) = peer.events()
    assert isinstance(ended, uac.Ended)
    assert (ended.by, "mu-law" in ended.reason) == ("failed", True)


def test_requests_outside_of_calls() -> None:
    peer = Peer()
    invite = peer.invite
    assert isinstance(invite, sip.Request)
    statuses = {}
    for method in ("OPTIONS", "INVITE", "BYE", "ACK"):
        answer = uac.refuse_outside_dialog(sip.Request(invite.headers, b"", method, "sip:x"), "tag")
        statuses[method] = answer.status if answer else None
    assert statuses == {"OPTIONS": 200, "INVITE": 486, "BYE": 481, "ACK": None}
