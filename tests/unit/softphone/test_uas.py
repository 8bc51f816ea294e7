"""Unit: the callee's side of SIP, against the caller's side, without a network."""

from __future__ import annotations

import itertools

import pytest

from voicebot.softphone import sip, uac
from voicebot.softphone.uac import Answered, Ended, OutgoingCall, Parties, Ringing
from voicebot.softphone.uas import IncomingCall, State

pytestmark = pytest.mark.unit


class Wire:
    """A caller and a callee; `pass_on` carries what both have to say, unless it is lost."""

    def __init__(self) -> None:
        numbers = itertools.count()
        self.caller = OutgoingCall(
            Parties("+12025550142", "127.0.0.1:5060", "127.0.0.1:5061"),
            "127.0.0.1",
            4000,
            lambda: f"c{next(numbers)}",
        )
        self.caller.invite(0.0)
        invite = sip.parse(self.caller.datagrams_to_send()[0])
        assert isinstance(invite, sip.Request)
        self.callee = IncomingCall(invite, "127.0.0.1:5060", 4002, lambda: f"d{next(numbers)}")

    def pass_on(self, now: float, *, lose: bool = False) -> None:
        for _ in range(4):
            to_caller, to_callee = self.callee.datagrams_to_send(), self.caller.datagrams_to_send()
            if lose or not (to_caller or to_callee):
                return
            for datagram in to_caller:
                self.caller.receive(sip.parse(datagram), now)
            for datagram in to_callee:
                self.callee.receive(sip.parse(datagram), now)

    def told(self) -> list[uac.Event]:
        return list(iter(self.caller.next_event, None))


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_rings_answers_and_hangs_up(wire: Wire) -> None:
    assert wire.callee.number == "+12025550142" and wire.callee.offered.port == 4000
    wire.callee.ring()
    wire.callee.answer(1.0)
    wire.pass_on(1.0)
    rang, answered = wire.told()
    assert isinstance(rang, Ringing) and isinstance(answered, Answered) and answered.media.port == 4002
    assert wire.callee.get_timer() is None  # confirmed
    wire.callee.hang_up(2.0)
    wire.pass_on(2.0)
    assert wire.callee.state is State.ENDED and wire.callee.next_event() == Ended("us", reason="hung up")
    [ended] = wire.told()
    assert isinstance(ended, Ended) and ended.by == "them"


def test_the_caller_hangs_up(wire: Wire) -> None:
    wire.callee.answer(1.0)
    wire.pass_on(1.0)
    wire.caller.hang_up(2.0)
    wire.pass_on(2.0)
    assert wire.callee.next_event() == Ended("them", reason="hung up")


def test_an_answer_that_is_lost_is_sent_again(wire: Wire) -> None:
    wire.callee.answer(1.0)
    wire.pass_on(1.0, lose=True)
    due = wire.callee.get_timer()
    assert due == 1.5
    wire.callee.handle_timer(due)
    wire.pass_on(due)
    assert any(isinstance(event, Answered) for event in wire.told())


def test_nobody_confirms(wire: Wire) -> None:
    wire.callee.answer(1.0)
    while (due := wire.callee.get_timer()) is not None:
        wire.callee.handle_timer(due)
    assert wire.callee.next_event() == Ended("timeout", reason="nobody confirms")


def test_a_refusal_is_repeated_until_it_is_confirmed(wire: Wire) -> None:
    wire.callee.refuse(486, 1.0)
    wire.pass_on(1.0, lose=True)
    wire.callee.handle_timer(1.5)
    wire.pass_on(1.5)
    [refused] = [event for event in wire.told() if isinstance(event, Ended)]
    assert refused.status == 486
    assert wire.callee.get_timer() is None


def test_the_caller_gives_up_while_it_rings(wire: Wire) -> None:
    wire.callee.ring()
    wire.pass_on(1.0)
    wire.caller.hang_up(2.0)
    wire.pass_on(2.0)
    assert wire.callee.next_event() == Ended("them", 487, "cancelled")
    assert wire.callee.get_timer() is None
    wire.callee.answer(3.0)  # too late
    assert wire.callee.datagrams_to_send() == []
