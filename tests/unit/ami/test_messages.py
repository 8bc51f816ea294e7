"""Category: unit. AMI messages: captured bytes, round trips, and what must never reach the wire."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.ami.messages import LONGEST_LINE, Message, Splitter, login_key, message, parse, serialise

pytestmark = pytest.mark.unit

CAPTURED = (
    b"Response: Success\r\nActionID: 7\r\nEventList: start\r\nMessage: DialPlan list will follow\r\n\r\n"
    b"Event: ListDialplan\r\nActionID: 7\r\nContext: voicebot-in\r\nExtension: _[+*#0-9]!\r\nPriority: 2\r\n"
    b"Application: Stasis\r\nAppData: ${VOICEBOT_APP},${EXTEN}\r\nRegistrar: pbx_config\r\n\r\n"
    b"Event: ShowDialPlanComplete\r\nActionID: 7\r\nEventList: Complete\r\nListItems: 3\r\n\r\n"
)
VALUES = st.text(st.characters(min_codepoint=0x20, exclude_characters="\x7f", codec="utf-8"), max_size=200)


def test_a_captured_list_is_a_response_and_its_events() -> None:
    response, stasis, complete = Splitter().feed(CAPTURED)
    assert response.succeeded and not response.is_event
    assert stasis.is_event and stasis.get("appdata") == "${VOICEBOT_APP},${EXTEN}"
    assert complete.get("EventList") == "Complete"


@pytest.mark.parametrize("size", [1, 7, 64])
def test_messages_survive_any_cut_of_the_stream(size: int) -> None:
    splitter = Splitter()
    pieces = (CAPTURED[at : at + size] for at in range(0, len(CAPTURED), size))
    assert [found for piece in pieces for found in splitter.feed(piece)] == Splitter().feed(CAPTURED)


@given(st.lists(st.tuples(st.sampled_from(["Variable", "Context", "X-y_1"]), VALUES), max_size=10))
def test_what_is_serialised_is_parsed_back(headers: list[tuple[str, str]]) -> None:
    sent = message("Action", "Originate", [(name, value.lstrip(" ")) for name, value in headers])
    assert Splitter().feed(serialise(sent)) == [sent]


@pytest.mark.parametrize("evil", ["\r\nApplication: System", "a\nb", "a\rb", "a\0b", "\x1b[2J", "a\x7fb"])
def test_a_control_character_in_a_value_is_refused(evil: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        serialise(message("Action", "Originate", [("Variable", evil)]))


@pytest.mark.parametrize("name", ["", "A B", "Variable\r\nX", "Ä", "A:"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        serialise(message("Action", "Ping", [(name, "x")]))


def test_a_line_longer_than_asterisk_reads_is_refused() -> None:
    longest = "x" * (LONGEST_LINE - len("ActionID: "))
    serialise(message("Action", "Ping", [("ActionID", longest)]))
    with pytest.raises(ValueError, match="too long"):
        serialise(message("Action", "Ping", [("ActionID", longest + "x")]))


def test_an_originate_response_is_an_event_first() -> None:
    both = parse(b"Event: OriginateResponse\r\nResponse: Failure\r\nActionID: 1")
    assert both.is_event and not both.succeeded


def test_repeated_headers_keep_their_order() -> None:
    assert Message((("Variable", "A=1"), ("variable", "B=2"))).all("VARIABLE") == ("A=1", "B=2")


def test_a_message_without_end_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than"):
        Splitter().feed(b"x" * ((1 << 20) + 1))


def test_the_key_is_the_md5_of_challenge_and_secret() -> None:
    assert login_key("455491810", "secret") == "bc2b188c396db5ae22f3543fce22fd70"
