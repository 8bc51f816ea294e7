"""Category: unit. The environment and replies of AGI, from the bytes that an Asterisk sends and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.agi.messages import (
    Environment,
    Malformed,
    Reply,
    parse_environment,
    parse_reply,
    serialise_environment,
    serialise_reply,
    unfinished,
)

pytestmark = pytest.mark.unit

CAPTURED = (
    b"agi_network: yes\nagi_network_script: lookup/order?number=42&x=a%20b\n"
    b"agi_request: agi://127.0.0.1:4573/lookup/order?number=42&x=a%20b\nagi_channel: Local/s@agi-00000003;2\n"
    b"agi_language: en\nagi_type: Local\n"
    b"agi_uniqueid: 179000000.7\nagi_version: 22.1\n"
    b"agi_callerid: unknown\nagi_calleridname: unknown\nagi_callingpres: 67\nagi_callingani2: 0\n"
    b"agi_callington: 0\nagi_callingtns: 0\nagi_dnid: unknown\nagi_rdnis: unknown\nagi_context: agi\n"
    b"agi_extension: s\nagi_priority: 2\nagi_enhanced: 0.0\nagi_accountcode: \nagi_threadid: 14014618720\n"
    b"agi_arg_1: one\nagi_arg_2: two: words\n\n"
)
REPLIES = {
    b"200 result=0\n": Reply(result="0"),
    b"200 result=-1 endpos=0\n": Reply(result="-1", data=(("endpos", "0"),)),
    b"200 result=49 endpos=17440\n": Reply(result="49", data=(("endpos", "17440"),)),
    b"200 result=1 (a (b) c)\n": Reply(result="1", value="a (b) c"),
    b"200 result=1 ()\n": Reply(result="1", value=""),
    b"200 result=1 (one\ntwo)\n": Reply(result="1", value="one\ntwo"),
    b"200 result= (timeout)\n": Reply(result="", value="timeout"),
    b"200 result=0 (timeout) endpos=8000\n": Reply(result="0", value="timeout", data=(("endpos", "8000"),)),
    b"200 result=0 Gosub complete\n": Reply(result="0", text="Gosub complete"),
    b'200 result=1 (speech) endpos=0 results=1 score0=900 text0="yes please" grammar0=a\n': Reply(
        result="1",
        value="speech",
        data=(
            *(("endpos", "0"), ("results", "1"), ("score0", "900")),
            *(("text0", "yes please"), ("grammar0", "a")),
        ),
    ),
    b"510 Invalid or unknown command\n": Reply(510, text="Invalid or unknown command"),
    b"511 Command Not Permitted on a dead channel or intercept routine\n": Reply(
        511, text="Command Not Permitted on a dead channel or intercept routine"
    ),
    b"520-Invalid command syntax.  Proper usage follows:\nUsage: NOOP\n\n520 End of proper usage.\n": Reply(
        520, text="Invalid command syntax.  Proper usage follows:\nUsage: NOOP\n\nEnd of proper usage."
    ),
}


def test_a_captured_environment_is_read_and_written_back() -> None:
    found = parse_environment(CAPTURED.removesuffix(b"\n\n"))
    assert serialise_environment(found) == CAPTURED
    assert found.path == ("lookup", "order")
    assert dict(found.query) == {"number": "42", "x": "a b"}
    assert found.arguments == ("one", "two: words")
    assert (found.caller, found.caller_name, found.called) == ("", "", "s")
    assert (found.network, found.enhanced) == (True, False)


@pytest.mark.parametrize("wire", REPLIES)
def test_captured_replies_are_read_and_written_back(wire: bytes) -> None:
    assert parse_reply(wire.decode().removesuffix("\n")) == REPLIES[wire]
    assert serialise_reply(REPLIES[wire]) == wire


@pytest.mark.parametrize("wire", [b"200 result=1 (one\ntwo)", b"520-Invalid:\nUsage: X\n520 End."])
def test_a_reply_goes_on_until_its_last_line(wire: bytes) -> None:
    lines = wire.decode().split("\n")
    whole = ["\n".join(lines[: count + 1]) for count in range(len(lines))]
    assert [unfinished(part) for part in whole] == [True] * (len(lines) - 1) + [False]


@pytest.mark.parametrize(
    "text", ["", "hello", "200", "200 OK", "20 result=1", "200 result=1 junk(", "HANGUP"]
)
def test_what_is_no_reply_is_refused_or_has_no_meaning(text: str) -> None:
    try:
        found = parse_reply(text)
    except Malformed:
        return
    assert found.text, "taken as words beside a result"


@pytest.mark.parametrize(
    "block",
    [
        b"agi_request",  # no value: taken as empty, but then
        b"agi_request: a\nagi_request: b",
        b"agi_request: a\nGET / HTTP/1.1",
        b"agi_request: a\nagi_x: \x00",
        b"agi_request: a\n" + b"\n".join(b"agi_x%d: 1" % n for n in range(300)),
        b"agi_channel: x",
        b"\xff\xfe\x00",
    ],
)
def test_a_malformed_environment_is_refused(block: bytes) -> None:
    if block == b"agi_request":
        assert parse_environment(block).request == ""
        return
    with pytest.raises(Malformed):
        parse_environment(block)


def test_a_name_that_would_steer_a_terminal_keeps_nobody_from_being_served() -> None:
    block = b"agi_request: a\nagi_calleridname: Sa\x1b[31mra\x07\ragi_callerid: 1"
    assert parse_environment(block).caller_name == "Sa [31mra  agi_callerid: 1"


_NAMES = st.from_regex(r"agi_[a-z0-9_]{1,20}", fullmatch=True).filter(lambda name: name != "agi_request")
_VALUES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(st.dictionaries(_NAMES, _VALUES, max_size=30))
def test_environments_survive_the_wire(fields: dict[str, str]) -> None:
    made = Environment({"agi_request": "agi://x/y", **fields})
    assert parse_environment(serialise_environment(made).removesuffix(b"\n\n")) == made
