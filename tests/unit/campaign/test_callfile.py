"""Unit: call files are composed and read as Asterisk reads them, and what it would misread is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.campaign.callfile import LONGEST_LINE_BYTES, CallFile, compose, parse
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

GOOD: dict[str, Any] = {"channel": "PJSIP/+12025550142@trunk", "application": "Wait", "data": "1"}
FULL = CallFile(
    channel="PJSIP/100", context="voicebot-answered", extension="abc", priority=2, caller_number="+4930123",
    caller_name="Café Müller", max_retries=1, retry_time=60, wait_time=30, codecs=("ulaw", "alaw"),
    variables=(("A", "x=y"), ("__B", " x#1"), ("A", "again")), account="4711", always_delete=False,
    archive=True, early_media=True,
)  # fmt: skip


def as_asterisk_reads(text: str) -> list[tuple[str, str]]:
    """What pbx_spool.c makes of a file, by its rules and not by ours: (key, value) a line."""
    found = []
    for line in text.encode().split(b"\n"):
        assert len(line) + 1 < 256, "Asterisk would split it"
        for at, byte in enumerate(line):
            if byte == ord("#") and (at == 0 or line[at - 1] in b" \t"):
                line = line[:at]
                break
        at = line.find(b";")
        line = line[:at] if at >= 0 else line
        line = line.rstrip(bytes(range(1, 33)))
        if line:
            key, colon, value = line.partition(b":")
            assert colon
            found.append((key.decode().lower(), value.lstrip(bytes(range(1, 33))).decode()))
    return found


def test_every_key_is_written_and_read_again() -> None:
    text = compose(FULL)
    assert parse(text).file == FULL
    keys = {key for key, _ in as_asterisk_reads(text)}
    assert keys == {
        "channel", "callerid", "context", "extension", "priority", "maxretries", "retrytime", "waittime",
        "codecs", "setvar", "account", "alwaysdelete", "archive", "early_media",
    }  # fmt: skip


texts = st.text(max_size=300) | st.sampled_from(
    ["", "a;b", "a #b", "#", "x\nSetvar: A=1", " a", "a ", "\u2028", "é" * 130]
)


@given(channel=texts, data=texts, name=texts, value=texts, caller=texts, account=texts)
def test_what_is_not_refused_reaches_asterisk_unchanged(
    channel: str, data: str, name: str, value: str, caller: str, account: str
) -> None:
    try:
        file = CallFile(
            f"PJSIP/{channel}", application="Wait", data=data, caller_name=caller, caller_number="100",
            account=account, variables=((name or "A", value),),
        )  # fmt: skip
    except UserError as error:
        assert all(problem.remedy and problem.code for problem in error.problems)
        return
    seen = as_asterisk_reads(compose(file))
    assert ("channel", f"PJSIP/{channel}") in seen
    assert ("setvar", f"{name or 'A'}={value}") in seen
    assert sum(key == "setvar" for key, _ in seen) == 1, "no value became a line of its own"
    assert not data or ("data", data) in seen
    assert not account or ("account", account) in seen
    assert parse(compose(file)).file == file


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"channel": "PJSIP"}, "callfile.channel"),
        ({"channel": "PJSIP/1\nSetvar: A=1"}, "callfile.control"),
        ({"data": "a;b"}, "callfile.comment"),
        ({"data": "a #b"}, "callfile.comment"),
        ({"data": "#b"}, "callfile.comment"),
        ({"data": "b "}, "callfile.spaces"),
        ({"data": "\x85"}, "callfile.control"),
        ({"data": "\udc00"}, "callfile.control"),
        ({"data": "é" * 130}, "callfile.long-line"),
        ({"variables": (("FILE(/etc/passwd)", "x"),)}, "callfile.setvar"),
        ({"variables": (("A B", "x"),)}, "callfile.setvar"),
        ({"variables": (("1A", "x"),)}, "callfile.setvar"),
        ({"variables": (("A", "x\0"),)}, "callfile.control"),
        ({"application": "System", "data": "reboot"}, "callfile.application"),
        ({"context": "a", "extension": "b"}, "callfile.action"),
        ({"application": "", "data": ""}, "callfile.action"),
        ({"caller_number": "12 34"}, "callfile.callerid"),
        ({"caller_name": 'a" <900>'}, "callfile.callerid"),
        ({"wait_time": 0}, "callfile.number"),
        ({"max_retries": -1}, "callfile.number"),
        ({"retry_time": 2**31}, "callfile.number"),
        ({"codecs": ("ulaw,all",)}, "callfile.codecs"),
    ],
)
def test_what_asterisk_would_misread_is_refused(changes: dict[str, Any], code: str) -> None:
    CallFile(**GOOD)
    with pytest.raises(UserError) as refused:
        CallFile(**{**GOOD, **changes})
    assert code in [problem.code for problem in refused.value.problems]


def test_a_line_of_the_longest_length_is_taken_and_no_longer_one() -> None:
    room = LONGEST_LINE_BYTES - len("Data: ")
    assert parse(compose(CallFile(**{**GOOD, "data": "x" * room}))).file.data == "x" * room
    with pytest.raises(UserError):
        CallFile(**{**GOOD, "data": "x" * (room + 1)})


def test_what_asterisk_appended_is_read() -> None:
    text = compose(FULL) + "\nStartRetry: 812 1 (1795318300)\n\nEndRetry: 812 1 (1795318400)\n"
    between = parse(text)
    assert [(note.kind, note.pid, note.retry) for note in between.notes] == [
        ("StartRetry", 812, 1), ("EndRetry", 812, 1),
    ]  # fmt: skip
    assert not between.in_flight and between.status == ""
    again = parse(text + "\nStartRetry: 812 2 (1795318500)\n")
    assert again.in_flight and again.file == FULL
    done = parse(text + "\nStartRetry: 812 2 (1795318500)\nStatus: Expired\n")
    assert done.status == "Expired" and not done.in_flight


def test_all_mistakes_of_a_file_are_told_with_their_lines() -> None:
    text = "Channel: PJSIP\nFoo: 1\n; a comment\nSetvar: FILE(/x)=1\nWaitTime: soon\nSetvar: A\nwhat\nData: x"
    with pytest.raises(UserError) as refused:
        parse(text, "one.call")
    assert [(problem.line, problem.code) for problem in refused.value.problems if problem.line] == [
        (1, "callfile.channel"), (2, "callfile.unknown-key"), (4, "callfile.setvar"), (5, "callfile.number"),
        (6, "callfile.syntax"), (7, "callfile.syntax"), (8, "callfile.action"),
    ]  # fmt: skip
    assert all(problem.source == "one.call" for problem in refused.value.problems)


def test_keys_are_read_as_loosely_as_asterisk_does() -> None:
    text = "CHANNEL:Local/1@x # whom\nset: A=1\napplication: Wait\narchive: true\nCallerID: Desk <100>\n"
    text += "waittime: 5"
    read = parse(text).file
    assert (read.channel, read.variables, read.archive, read.wait_time) == (
        "Local/1@x",
        (("A", "1"),),
        True,
        5,
    )
    assert (read.caller_name, read.caller_number) == ("Desk", "100")
