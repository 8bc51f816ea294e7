"""Category: unit. AMI events as Asterisk 22 sent them, typed; what does not fit stays as it came."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.ami.events import (
    Channel,
    DialBegin,
    DialEnd,
    Hangup,
    OriginateResponse,
    UnknownEvent,
    VarSet,
    parse,
)
from voicebot.ami.messages import Message, message

pytestmark = pytest.mark.unit

LEG = Channel("PJSIP/trunk-00000000", "1795317603.2", "1795317603.0", "Down", "voicebot-dial", "1")


def headers(channel: Channel, prefix: str = "") -> list[tuple[str, str]]:
    return [
        (f"{prefix}Channel", channel.name),
        (f"{prefix}ChannelState", "0"),
        (f"{prefix}ChannelStateDesc", channel.state),
        (f"{prefix}Context", channel.context),
        (f"{prefix}Exten", channel.exten),
        (f"{prefix}Uniqueid", channel.unique_id),
        (f"{prefix}Linkedid", channel.linked_id),
    ]


def test_a_hangup_brings_cause_and_sip_status() -> None:
    said = [*headers(LEG), ("Cause", "17"), ("Cause-txt", "User busy"), ("TechCause", "486")]
    assert parse(message("Event", "Hangup", said)) == Hangup(LEG, 17, "User busy", 486)


@pytest.mark.parametrize("tech", ["0", "", "-1", "x"])
def test_a_tech_cause_that_is_no_status_is_none(tech: str) -> None:
    found = parse(message("Event", "Hangup", [*headers(LEG), ("Cause", "0"), ("TechCause", tech)]))
    assert found == Hangup(LEG)


def test_a_dial_has_two_channels_and_that_of_an_originate_one() -> None:
    local = Channel("Local/1@voicebot-dial-00000000;2", "2", "1")
    both = parse(
        message("Event", "DialEnd", [*headers(local), *headers(LEG, "Dest"), ("DialStatus", "BUSY")])
    )
    assert both == DialEnd(LEG, "BUSY", local)
    alone = parse(message("Event", "DialBegin", [*headers(LEG, "Dest"), ("DialString", "1@voicebot-dial/n")]))
    assert alone == DialBegin(LEG, "1@voicebot-dial/n", None)


def test_a_value_may_have_colons_and_a_variable_no_channel() -> None:
    assert parse(message("Event", "VarSet", [("Variable", "A"), ("Value", "a: b: c")])) == VarSet(
        "A", "a: b: c"
    )


def test_an_originate_response_is_typed_by_its_event() -> None:
    said = [
        ("ActionID", "7"),
        ("Response", "Failure"),
        ("Reason", "3"),
        ("Exten", "1"),
        ("Uniqueid", "<null>"),
    ]
    found = parse(message("Event", "OriginateResponse", said))
    assert found == OriginateResponse("7", False, 3, "", "1", "")


@pytest.mark.parametrize(
    "event",
    [
        message("Event", "VoicemailPasswordChange", [("Mailbox", "1")]),
        message("Event", "Hangup", [("Channel", "SIP/1")]),
        message("Event", "Hangup", [*headers(LEG), ("Cause", "many")]),
        message("Event", "DialEnd", headers(LEG, "Dest")),
    ],
)
def test_what_is_unknown_or_incomplete_stays_as_it_came(event: Message) -> None:
    found = parse(event)
    assert found == UnknownEvent(event)
    assert isinstance(found, UnknownEvent) and found.name == event.get("Event")


@given(
    st.sampled_from(["Hangup", "DialEnd", "VarSet", "OriginateResponse", "FullyBooted", "ContactStatus"]),
    st.lists(
        st.tuples(
            st.sampled_from(["Channel", "Uniqueid", "Cause", "Reason", "Uptime", "DestChannel"]), st.text()
        )
    ),
)
def test_no_headers_make_it_raise(name: str, said: list[tuple[str, str]]) -> None:
    parse(message("Event", name, said))
