"""Category: unit. AMI actions: what they say, and what must never be in them."""

from __future__ import annotations

from typing import Any

import pytest

from voicebot.ami.actions import Action, EventMask, Hangup, Originate, Setvar
from voicebot.ami.messages import message, serialise

pytestmark = pytest.mark.unit

ID = "0123456789abcdef" * 2


def originate(**changes: Any) -> Originate:
    return Originate(
        **{"channel": f"Local/{ID}@voicebot-dial/n", "context": "voicebot-answered", "exten": ID, **changes}
    )


def wire(action: Action) -> bytes:
    return serialise(message("Action", action.name, action.headers()))


def test_an_originate_says_all_that_asterisk_needs() -> None:
    variables = {"VOICEBOT_DIAL": "PJSIP/+12025550142@trunk", "VOICEBOT_RING": "25"}
    asked = originate(
        timeout_ms=35_000, caller_number="+12025550100", caller_name="Dr. Kim",
        variables=variables, ids=(f"{ID}-1", f"{ID}-2"),
    )  # fmt: skip
    assert asked.headers() == [
        ("Channel", f"Local/{ID}@voicebot-dial/n"),
        ("Context", "voicebot-answered"),
        ("Exten", ID),
        ("Priority", "1"),
        ("Timeout", "35000"),
        ("Async", "true"),
        ("CallerID", '"Dr. Kim" <+12025550100>'),
        ("ChannelId", f"{ID}-1"),
        ("OtherChannelId", f"{ID}-2"),
        ("Variable", "VOICEBOT_DIAL=PJSIP/+12025550142@trunk"),
        ("Variable", "VOICEBOT_RING=25"),
    ]


@pytest.mark.parametrize(
    "evil",
    [
        originate(channel="Local/1@a/n\r\nApplication: System"),
        originate(channel="Local/1@a&PJSIP/+19005550100@trunk"),
        originate(channel="Local/1@a,b"),
        originate(channel="nothing"),
        originate(context="a b"),
        originate(context=""),
        originate(exten="1\n"),
        originate(exten="${SHELL(id)}"),
        originate(caller_name='x" <+1900>'),
        originate(caller_name="a\r\nApplication: System"),
        originate(caller_number="911; rm"),
        originate(variables={"A": "1,SHELL(id)=2"}),
        originate(variables={"A": 'say "hello"'}),
        originate(variables={"A": "back\\slash"}),
        originate(variables={"A": "two\nlines"}),
        originate(variables={"A": "nul\0"}),
        originate(variables={"FILE(/etc/passwd)": "x"}),
        originate(variables={"A=B,C": "x"}),
        originate(variables={"A": "x" * 1100}),
        originate(timeout_ms=0),
        originate(ids=("a b", "c")),
        Hangup("/^PJSIP/.*$/"),
        Hangup("PJSIP//x"),
        Hangup("PJSIP/trunk-1", cause=0),
        Setvar("SHELL(id)", "x"),
        Setvar("A", "x", "/.*/"),
        EventMask("call\r\nAction: Command"),
    ],
)
def test_what_asterisk_would_read_as_something_else_is_refused(evil: Action) -> None:
    with pytest.raises(ValueError):
        wire(evil)


def test_ordinary_values_pass() -> None:
    text = "Größe: 5 (fünf); 50 % #1 = 'ok' <a@b>"
    assert f"Variable: A={text}\r\n".encode() in wire(originate(variables={"A": text}))
    assert b"Channel: PJSIP/trunk-0000002a\r\n" in wire(Hangup("PJSIP/trunk-0000002a"))
    assert b"EventMask: call,dialplan\r\n" in wire(EventMask("call,dialplan"))
