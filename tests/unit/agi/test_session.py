"""Category: unit. A session of AGI without its wire: pieces of any size, hang-ups, interruptions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.agi.test_messages import CAPTURED, REPLIES
from voicebot.agi import commands, media
from voicebot.agi.command import CallerHungUp
from voicebot.agi.messages import Reply
from voicebot.agi.session import (
    LONGEST_REPLY,
    Answered,
    Began,
    CallerGone,
    Closed,
    Event,
    Interrupted,
    Session,
)

pytestmark = pytest.mark.unit


def begun() -> Session:
    session = Session()
    (event,) = session.receive(CAPTURED)
    assert isinstance(event, Began)
    return session


@given(st.data())
def test_pieces_of_any_size_mean_the_same(data: st.DataObject) -> None:
    wire = data.draw(st.sampled_from(list(REPLIES)))
    whole = CAPTURED + wire
    session, events = Session(), list[Event]()
    while whole:
        count = data.draw(st.integers(1, len(whole)))
        if session.environment is None:
            count = min(count, max(1, len(whole) - len(wire)))
        events += session.receive(whole[:count])
        whole = whole[count:]
        if session.environment is not None and session.waiting is None and len(whole) == len(wire):
            session.send(commands.NoOp())
    assert [type(event) for event in events if not isinstance(event, CallerGone)] == [Began, Answered]
    assert isinstance(events[-1], Answered)
    assert events[-1].reply == REPLIES[wire]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_nonsense_never_raises_and_closes_at_most_once(pieces: list[bytes]) -> None:
    session = begun()
    session.send(media.StreamFile("a"))
    events = [event for piece in pieces for event in session.receive(piece)] + session.end()
    assert sum(isinstance(event, Closed) for event in events) == 1
    assert session.closed


def test_an_answer_to_nothing_closes() -> None:
    session = begun()
    assert session.receive(b"200 result=1\n") == [Closed("an answer to nothing")]


@pytest.mark.parametrize(
    "data",
    [
        b"agi_request: " + b"x" * 5000,
        b"".join(b"agi_x%d: %s\n" % (n, b"y" * 4000) for n in range(300)),
        b"x" * (1 << 20),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
def test_what_is_too_large_or_no_environment_closes(data: bytes) -> None:
    (event,) = Session().receive(data)
    assert isinstance(event, Closed)
    assert event.fault


def test_a_reply_that_never_ends_closes() -> None:
    session = begun()
    session.send(commands.GetVariable("V"))
    events = session.receive(b"200 result=1 (" + b"line\n" * 20_000)
    assert [type(event) for event in events] == [Closed]


def test_who_hangs_up_is_told_once_and_late_commands_are_refused_here() -> None:
    session = begun()
    session.send(media.WaitForDigit())
    told = session.receive(b"200 result=-1\nHANGUP\n") + session.hang_up()
    assert [type(event) for event in told] == [Answered, CallerGone]
    with pytest.raises(CallerHungUp):
        session.send(media.StreamFile("a"))
    assert session.send(commands.SetVariable("V", "1")) == b"SET VARIABLE V 1\n"


def test_511_is_a_hang_up() -> None:
    session = begun()
    session.send(commands.Answer())
    told = session.receive(b"511 Command Not Permitted on a dead channel or intercept routine\n")
    assert [type(event) for event in told] == [CallerGone, Answered]


@pytest.mark.parametrize(
    ("command", "before", "reply"),
    [
        (media.StreamFile("a"), b"", Reply(result="0", value="timeout")),
        (media.StreamFile("a"), b"200 result=53 endpos=7\n", Reply(result="53", data=(("endpos", "7"),))),
        (media.GetData("a"), b"", Reply(result="", value="timeout")),
        (media.WaitForDigit(), b"200 result=1\n", Reply(result="0", value="timeout")),
        (media.WaitForDigit(), b"200 result=53\n", Reply(result="53")),
    ],
)
def test_an_interruption_is_through_when_its_mark_comes_back(
    command: media.StreamFile | media.GetData | media.WaitForDigit, before: bytes, reply: Reply
) -> None:
    session = begun()
    session.send(command)
    mark = session.interrupt().split()[-1]
    told = session.receive(before + b"200 result=1 (" + mark + b")\n")
    assert told == [Interrupted(command, reply)]
    assert session.send(commands.NoOp()) == b"NOOP\n"


def test_an_interruption_that_was_overlooked_is_repeated_and_no_answer_is_taken_for_another() -> None:
    session = begun()
    session.send(media.StreamFile("a"))
    first, second = session.interrupt().split()[-1], session.interrupt().split()[-1]
    assert first != second
    assert session.receive(b"200 result=1 (" + first + b")\n") == []
    told = session.receive(b"200 result=1 (" + second + b")\n")
    assert [type(event) for event in told] == [Interrupted]
    assert session.send(commands.NoOp()) == b"NOOP\n"
    assert [type(event) for event in session.receive(b"200 result=0\n")] == [Answered]


def test_a_reply_of_few_and_very_long_lines_closes() -> None:
    session = begun()
    session.send(commands.GetVariable("V"))
    line = b"x" * (LONGEST_REPLY // 4) + b"\n"
    assert session.receive(b"200 result=1 (" + 3 * line) == []
    assert [type(event) for event in session.receive(2 * line)] == [Closed]


def test_what_cannot_be_interrupted_is_not() -> None:
    session = begun()
    assert session.interrupt() == b""
    session.send(commands.Answer())
    assert session.interrupt() == b""


def test_an_end_within_the_environment_is_a_fault_and_a_mere_visit_is_not() -> None:
    session = Session()
    session.receive(b"agi_request: x\n")
    assert session.end()[-1] == Closed("it ended within the environment")
    assert Session().end()[-1] == Closed("")
