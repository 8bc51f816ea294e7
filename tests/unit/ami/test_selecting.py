"""Category: unit. Which messages are wanted, and how they look in JSON."""

from __future__ import annotations

import pytest

from voicebot.ami.messages import Message, message
from voicebot.ami.selecting import as_json, parse_filter, selects

pytestmark = pytest.mark.unit

NEW = message("Event", "Newchannel", [("Channel", "PJSIP/a-1"), ("Variable", "A=1"), ("Variable", "B=2")])


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], True),
        (["Event=Newchannel"], True),
        (["event=Newchannel", "Channel~^PJSIP/"], True),
        (["Event=Hangup", "Event=Newchannel"], True),
        (["Event=Hangup"], False),
        (["Event=Newchannel", "Channel~^SIP/"], False),
        (["Channel!~Local"], True),
        (["Event!=Newchannel"], False),
        (["Variable=B=2"], True),
        (["Bridge~."], False),
        (["Bridge!=x"], True),
    ],
)
def test_all_filters_hold_and_one_value_of_several(filters: list[str], expected: bool) -> None:
    assert selects([parse_filter(text) for text in filters], NEW) is expected


@pytest.mark.parametrize("text", ["", "Event", "=x", "Chan nel=x", "Channel~["])
def test_what_is_no_filter(text: str) -> None:
    with pytest.raises(ValueError, match=r"no filter|no regular expression"):
        parse_filter(text)


def test_headers_keep_their_order_and_come_as_often_as_they_come() -> None:
    assert as_json(NEW) == {"Event": "Newchannel", "Channel": "PJSIP/a-1", "Variable": ["A=1", "B=2"]}
    assert as_json(Message((("", "one"), ("", "two"), ("", "three")))) == {"": ["one", "two", "three"]}
