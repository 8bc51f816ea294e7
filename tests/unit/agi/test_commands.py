"""Category: unit. Commands of AGI as they go on the wire, what is refused, and what replies mean."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicebot.agi import commands, media, speech
from voicebot.agi.catalogue import COMMANDS
from voicebot.agi.command import (
    CallerHungUp,
    Command,
    CommandFailed,
    Refused,
    line_of,
    outcome,
    quoted,
    unquoted,
)
from voicebot.agi.messages import Malformed, parse_reply

pytestmark = pytest.mark.unit

LINES = {
    commands.Answer(): b"ANSWER\n",
    commands.ChannelStatus("PJSIP/a-1"): b"CHANNEL STATUS PJSIP/a-1\n",
    commands.SetVariable("V", 'a "b" \\c'): b'SET VARIABLE V "a \\"b\\" \\\\c"\n',
    commands.SetVariable("V", ""): b'SET VARIABLE V ""\n',
    commands.SetCallerId("+1202", "A B"): b'SET CALLERID "\\"A B\\" <+1202>"\n',
    commands.Exec("Playback", "hello,noanswer"): b"EXEC Playback hello,noanswer\n",
    commands.Gosub("sub", argument="x y"): b'GOSUB sub s 1 "x y"\n',
    media.StreamFile("hello", "12#"): b"STREAM FILE hello 12#\n",
    media.StreamFile("hello"): b'STREAM FILE hello ""\n',
    media.GetData("hello", 3000, 4): b"GET DATA hello 3000 4\n",
    media.RecordFile(
        "/v/x", "wav", "#", -1, beep=True, silence_s=3
    ): b"RECORD FILE /v/x wav # -1 0 beep s=3\n",
    media.SayDateTime(5, "", "HM", "Asia/Seoul"): b'SAY DATETIME 5 "" HM Asia/Seoul\n',
    speech.SpeechRecognize("hello", 5): b"SPEECH RECOGNIZE hello 5\n",
}


@pytest.mark.parametrize("command", LINES)
def test_lines(command: Command[Any]) -> None:
    assert line_of(command) == LINES[command]


def test_every_command_is_in_the_catalogue() -> None:
    made = {
        each
        for module in (commands, media, speech)
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, Command) and each is not Command
    }
    assert made == set(COMMANDS.values())


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20), min_size=1, max_size=5))
def test_asterisk_reads_the_words_that_we_quote(words: list[str]) -> None:
    assert unquoted(" ".join(map(quoted, words))) == tuple(words)


@pytest.mark.parametrize("bad", ["a\nHANGUP", "a\rb", "a\0b", "\x1b[2J", "\ud800"])
def test_control_characters_are_refused_everywhere(bad: str) -> None:
    for command in (
        commands.SetVariable("V", bad),
        commands.NoOp(bad),
        commands.DatabasePut("f", "k", bad),
        commands.Verbose(bad),
        media.SendText(bad),
        media.StreamFile(bad),
        media.SayAlpha(bad),
        commands.SetContext(bad),
        commands.Hangup(bad),
        commands.Exec("Playback", bad),
    ):
        with pytest.raises(Refused):
            line_of(command)


@pytest.mark.parametrize(
    "command",
    [
        commands.Exec("System", "id"),
        commands.Exec("TrySystem", "id"),
        commands.Exec("Exec", "System(id)", frozenset(("Exec",))),
        commands.Exec("sYsTeM", "id", frozenset(("system",))),
        commands.Exec("Dial", "PJSIP/x"),
        commands.Exec("Set", "FILE(/x)=1", frozenset(("Set",))),
        commands.Exec("Playback", "${SHELL(id)}"),
        commands.Exec("Play back", ""),
        commands.SetVariable("FILE(/etc/x)", "1"),
        commands.SetVariable("SHELL(id)", "1"),
        commands.SetVariable("CHANNEL(hangup_handler_push)", "x,1,1"),
        commands.SetVariable("A,B", "1"),
        commands.SetVariable("GLOBAL(X)", "1"),
        commands.GetVariable("SHELL(id)"),
        commands.GetVariable("FILE(/etc/passwd)"),
        commands.GetVariable("CURL(http://x)"),
        commands.GetVariable("EVAL(${X})"),
        commands.GetFullVariable("${SHELL(id)}"),
        commands.GetFullVariable("${ SHELL (id)}"),
        commands.GetFullVariable("a${CHANNEL(name)}${FILE(/x)}"),
        commands.GetFullVariable("${${X}}"),
        commands.GetFullVariable("${IF($[1]?${SHELL(id)}:x)}"),
        commands.DatabaseDelTree(""),
        commands.SetVariable("V", "x" * 3000),
        media.StreamFile("../../etc/passwd"),
        media.StreamFile("a", "x"),
        media.RecordFile("x", "wav;id"),
    ],
)
def test_what_is_dangerous_or_not_understood_is_refused(command: Command[Any]) -> None:
    with pytest.raises(Refused):
        line_of(command)


def test_what_is_permitted_is_sent() -> None:
    assert line_of(commands.Exec("Dial", "PJSIP/x,30", frozenset(("Dial",)))) == b"EXEC Dial PJSIP/x,30\n"
    assert line_of(commands.SetVariable("__CHILD", "1")) == b"SET VARIABLE __CHILD 1\n"
    assert line_of(commands.SetVariable("CHANNEL(language)", "ko"))
    assert line_of(commands.GetFullVariable("${CALLERID(num):1:3} ${EXTEN:2}"))


@pytest.mark.parametrize(
    ("command", "reply", "meaning"),
    [
        (media.StreamFile("a"), "200 result=49 endpos=160", media.Played("1", 160)),
        (media.StreamFile("a"), "200 result=0 endpos=9", media.Played("", 9)),
        (media.GetData("a"), "200 result=123", media.Pressed("123")),
        (media.GetData("a"), "200 result=12 (timeout)", media.Pressed("12", True)),
        (media.GetData("a"), "200 result=", media.Pressed("")),
        (media.WaitForDigit(), "200 result=0", ""),
        (media.WaitForDigit(), "200 result=35", "#"),
        (media.RecordFile("a"), "200 result=35 (dtmf) endpos=80", media.Recorded("key", "#", 80)),
        (media.RecordFile("a"), "200 result=-1 (hangup) endpos=80", media.Recorded("hangup", "", 80)),
        (media.ReceiveText(), "200 result=1 (hi (you))", "hi (you)"),
        (commands.GetVariable("V"), "200 result=0", None),
        (commands.GetVariable("V"), "200 result=1 ()", ""),
        (commands.ChannelStatus(), "200 result=6", commands.ChannelState.UP),
        (commands.Exec("Read"), "200 result=0", 0),
        (commands.TddMode(), "200 result=0", False),
        (
            speech.SpeechRecognize("a"),
            '200 result=1 (speech) endpos=0 results=1 score0=900 text0="yes" grammar0=g',
            speech.Recognised("speech", (speech.Hypothesis("yes", 900, "g"),)),
        ),
        (
            speech.SpeechRecognize("a"),
            "200 result=1 (digit) digit=5 endpos=1",
            speech.Recognised("digit", (), "5", 1),
        ),
    ],
)
def test_meanings(command: Command[Any], reply: str, meaning: object) -> None:
    assert outcome(command, parse_reply(reply)) == meaning


@pytest.mark.parametrize(
    ("command", "reply", "error"),
    [
        (media.StreamFile("a"), "200 result=-1 endpos=0", CommandFailed),
        (commands.Exec("Read"), "200 result=-2", CommandFailed),
        (commands.Gosub("x"), "200 result=-1 Gosub label not found", CommandFailed),
        (commands.NoOp(), "510 Invalid or unknown command", CommandFailed),
        (commands.Answer(), "511 Command Not Permitted on a dead channel", CallerHungUp),
        (speech.SpeechRecognize("a"), "200 result=1 (hangup) endpos=0", CallerHungUp),
        (media.StreamFile("a"), "200 result=yes endpos=0", Malformed),
        (media.GetData("a"), "200 result=<script>", Malformed),
        (commands.ChannelStatus(), "200 result=77", Malformed),
    ],
)
def test_failures(command: Command[Any], reply: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        outcome(command, parse_reply(reply))
