"""Category: unit. One AMI connection: login, actions, lists, time-outs, and what a server may do to us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.ami.actions import CoreShowChannels, Originate, Ping
from voicebot.ami.events import OriginateResponse, Shutdown
from voicebot.ami.messages import Message, Splitter
from voicebot.ami.session import (
    ANSWER_TIMEOUT_S,
    GREETING_TIMEOUT_S,
    MOST_LISTED,
    PING_AFTER_S,
    Answered,
    Arrived,
    Broken,
    Failed,
    LoggedIn,
    Output,
    Refused,
    Session,
    State,
)

pytestmark = pytest.mark.unit

GREETING = b"Asterisk Call Manager/11.0.0\r\n"


def sent(session: Session) -> list[Message]:
    return Splitter().feed(session.data_to_send())


def outputs(session: Session) -> list[Output]:
    found = []
    while (output := session.next_output()) is not None:
        found.append(output)
    return found


def answer(session: Session, text: str, now: float = 0.0) -> list[Output]:
    session.receive(text.replace("\n", "\r\n").encode(), now)
    return outputs(session)


def logged_in(now: float = 0.0) -> Session:
    session = Session("user", "secret", now, prefix="x-")
    session.receive(GREETING, now)
    assert [each.get("Action") for each in sent(session)] == ["Challenge"]
    answer(session, "Response: Success\nActionID: x-1\nChallenge: 455491810\n\n", now)
    (login,) = sent(session)
    assert login.get("Key") == "bc2b188c396db5ae22f3543fce22fd70"
    assert "secret" not in str(login)
    said = answer(session, "Response: Success\nActionID: x-2\nMessage: Authentication accepted\n\n", now)
    assert said == [LoggedIn("11.0.0")]
    return session


def test_an_action_gets_its_answer_and_no_other() -> None:
    session = logged_in()
    first, second = session.ask(Ping(), 0.0), session.ask(Ping(), 0.0)
    found = answer(session, f"Response: Success\nActionID: {second}\nPing: Pong\n\n")
    assert [each.action_id for each in found if isinstance(each, Answered)] == [second]
    found = answer(session, f"Response: Error\nActionID: {first}\nMessage: Permission denied\n\n")
    said = Message((("Response", "Error"), ("ActionID", first), ("Message", "Permission denied")))
    assert found == [Failed(first, "AMI refuses Ping: Permission denied", response=said)]


def test_a_list_is_one_answer() -> None:
    session = logged_in()
    id_ = session.ask(CoreShowChannels(), 0.0)
    item = f"Event: CoreShowChannel\nActionID: {id_}\nChannel: A/1\nUniqueid: 1\n\n"
    (found,) = answer(
        session,
        f"Response: Success\nActionID: {id_}\nEventList: start\n\n{item}{item}"
        f"Event: CoreShowChannelsComplete\nActionID: {id_}\nEventList: Complete\n\n",
    )
    assert isinstance(found, Answered) and len(found.listed) == 2


def test_a_list_that_is_given_up_has_failed() -> None:
    session = logged_in()
    id_ = session.ask(CoreShowChannels(), 0.0)
    begins = f"Response: Success\nActionID: {id_}\nEventList: start\n\n"
    (found,) = answer(session, f"{begins}Event: X\nActionID: {id_}\nEventList: cancelled\n\n")
    assert isinstance(found, Failed) and "cancelled" in found.why


def test_a_list_without_end_breaks_the_connection() -> None:
    session = logged_in()
    id_ = session.ask(CoreShowChannels(), 0.0)
    item = f"Event: CoreShowChannel\nActionID: {id_}\n\n"
    found = answer(
        session, f"Response: Success\nActionID: {id_}\nEventList: start\n\n" + item * (MOST_LISTED + 1)
    )
    assert [type(each) for each in found] == [Broken]


def test_an_originate_response_is_an_event_even_before_its_response() -> None:
    session = logged_in()
    id_ = session.ask(Originate("Local/1@a/n", "b", "1"), 0.0)
    text = f"Event: OriginateResponse\nActionID: {id_}\nResponse: Failure\nReason: 0\nExten: 1\n\n"
    (found,) = answer(session, text)
    assert isinstance(found, Arrived) and isinstance(found.event, OriginateResponse)
    (found,) = answer(
        session, f"Response: Success\nActionID: {id_}\nMessage: Originate successfully queued\n\n"
    )
    assert isinstance(found, Answered)


def test_an_answer_that_is_late_is_told_once_and_its_words_are_dropped() -> None:
    session = logged_in()
    id_ = session.ask(Ping(), 0.0, timeout_s=1.0)
    assert session.get_timer() == 1.0
    session.handle_timer(1.0)
    assert outputs(session) == [Failed(id_, "AMI does not answer Ping in time", late=True)]
    assert answer(session, f"Response: Success\nActionID: {id_}\n\n", 1.1) == []


def test_a_silent_server_is_pinged_and_then_given_up() -> None:
    session = logged_in()
    waiting = session.ask(Ping(), 0.0, timeout_s=60)
    session.data_to_send()
    session.handle_timer(PING_AFTER_S - 0.1)
    assert sent(session) == []
    session.handle_timer(PING_AFTER_S)
    assert [each.get("Action") for each in sent(session)] == ["Ping"]
    session.handle_timer(PING_AFTER_S + ANSWER_TIMEOUT_S)
    assert outputs(session) == [Broken("Asterisk does not answer Ping", (waiting,))]
    assert session.get_timer() is None


def test_what_nobody_waits_for_any_more_is_forgotten() -> None:
    session = logged_in()
    id_ = session.ask(Ping(), 0.0, timeout_s=1)
    session.forget(id_)
    assert session.get_timer() == PING_AFTER_S
    assert answer(session, f"Response: Success\nActionID: {id_}\n\n", 0.5) == []
    session.handle_timer(2.0)
    assert outputs(session) == []


def test_who_leaves_says_good_bye_and_hears_nothing_more() -> None:
    session = logged_in()
    session.leave(1.0)
    assert [each.get("Action") for each in sent(session)] == ["Logoff"]
    assert session.state is State.OVER
    assert answer(session, "Event: Shutdown\nShutdown: Cleanly\nRestart: False\n\n", 1.1) == []
    early = Session("user", "secret", 0.0)
    early.leave(1.0)  # there is nobody yet to say it to
    assert sent(early) == []


def test_events_are_a_sign_of_life() -> None:
    session = logged_in()
    answer(session, "Event: Shutdown\nShutdown: Cleanly\nRestart: False\n\n", PING_AFTER_S - 1)
    session.handle_timer(PING_AFTER_S)
    assert sent(session) == []
    assert session.get_timer() == 2 * PING_AFTER_S - 1


@pytest.mark.parametrize(
    "greeting", [b"SSH-2.0-OpenSSH_9.7\r\n", b"Asterisk Call M\r\n", b"Asterisk Call Manager/" + b"1" * 200]
)
def test_another_service_is_told(greeting: bytes) -> None:
    session = Session("user", "secret", 0.0)
    session.receive(greeting, 0.0)
    assert outputs(session) == [Broken("there is no AMI: another service greets us")]


def test_no_greeting_is_told() -> None:
    session = Session("user", "secret", 10.0)
    assert session.get_timer() == 10.0 + GREETING_TIMEOUT_S
    session.handle_timer(10.0 + GREETING_TIMEOUT_S)
    assert [type(each) for each in outputs(session)] == [Broken]


def test_a_refused_login_is_told() -> None:
    session = Session("user", "wrong", 0.0)
    session.receive(GREETING, 0.0)
    answer(session, "Response: Success\nActionID: 1\nChallenge: 1\n\n")
    found = answer(session, "Response: Error\nActionID: 2\nMessage: Authentication failed\n\n")
    assert [type(each) for each in found] == [Refused, Broken]


def test_nothing_is_asked_before_the_login() -> None:
    session = Session("user", "secret", 0.0)
    with pytest.raises(RuntimeError):
        session.ask(Ping(), 0.0)


def test_a_message_without_end_breaks_the_connection() -> None:
    session = logged_in()
    id_ = session.ask(Ping(), 0.0)
    session.receive(b"x" * (1 << 21), 0.0)
    (found,) = outputs(session)
    assert isinstance(found, Broken) and found.unanswered == (id_,)


def test_after_the_end_nothing_is_taken() -> None:
    session = logged_in()
    session.lost("gone")
    outputs(session)
    assert answer(session, "Event: Shutdown\n\n") == []
    assert session.state is State.OVER


@given(st.integers(1, 40))
def test_any_cut_of_the_stream_gives_the_same(size: int) -> None:
    text = (
        b"Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: True\r\n\r\n"
        b"Response: Success\r\nActionID: x-3\r\n\r\n"
        b"Event: Shutdown\r\nShutdown: Uncleanly\r\n\r\n"
    )
    session = logged_in()
    session.ask(Ping(), 0.0)
    for at in range(0, len(text), size):
        session.receive(text[at : at + size], 0.0)
    first, answered, last = outputs(session)
    assert (first, last) == (Arrived(Shutdown(True, True)), Arrived(Shutdown(False, False)))
    assert isinstance(answered, Answered)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    session = logged_in()
    session.receive(data, 0.0)
    session.receive(b"\r\n\r\n", 0.0)
    outputs(session)
    fresh = Session("user", "secret", 0.0)
    fresh.receive(data, 0.0)
    fresh.receive(GREETING + data + b"\r\n\r\n", 0.0)
    outputs(fresh)
