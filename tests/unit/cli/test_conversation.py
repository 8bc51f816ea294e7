"""Unit: a call on a terminal; what callers say is shown as it is, never taken for markup."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console

from voicebot.call.record import BotTurnRecord, CallerTurnRecord, CallRecord, Party
from voicebot.cli.conversation import Talk, records_table, show_record, turn_line
from voicebot.cli.terminal import print_table

pytestmark = pytest.mark.unit

RECORD = CallRecord(
    id="a1b2",
    started_at=datetime(2027, 3, 1, 12, tzinfo=UTC),
    caller=Party(number="[/x]"),
    outcome="[done]",
    ended_by="caller",
    slots={"note": "[/] [bold]"},
    turns=[CallerTurnRecord(kind="speech", text="[red] [/]")],
    faults=["[Errno 28] No space left"],
)


def test_brackets_are_text() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    show_record(console, RECORD)
    print_table(console, records_table([RECORD]))
    for text in ("[/x] called", "[done] after", "note=[/] [bold]", "[red] [/]", "fault [Errno 28]"):
        assert text in out.getvalue()


def test_who_spoke_by_a_microphone_is_named_and_withholds_nothing() -> None:
    out = io.StringIO()
    console = Console(file=out, width=200)
    record = RECORD.model_copy(update={"direction": "browser", "caller": Party(name="anna")})
    show_record(console, record)
    print_table(console, records_table([record]))
    assert out.getvalue().count("anna (microphone)") == 2


def test_a_table_has_no_blanks_at_the_end_of_its_lines() -> None:
    out = io.StringIO()
    print_table(Console(file=out, width=200), records_table([RECORD]))
    lines = out.getvalue().splitlines()
    assert len(lines) == 2
    assert all(line == line.rstrip() for line in lines)


def test_a_record_cannot_steer_the_terminal_or_forge_a_line() -> None:
    hostile = "one\x1b]0;owned\x07\x9b31m\nforged line"
    record = CallRecord(
        id="a1b2",
        started_at=datetime(2027, 3, 1, 12, tzinfo=UTC),
        caller=Party(number=hostile),
        called=Party(number=hostile),
        outcome=hostile,
        hangup_cause=16,
        hangup_cause_text=hostile,
        slots={"name": hostile},
        faults=[hostile],
        turns=[
            CallerTurnRecord(kind="speech", text=hostile, understood="match", meaning=hostile),
            BotTurnRecord(text=hostile, heard=hostile),
        ],
    )
    out = io.StringIO()
    console = Console(file=out, width=1000)
    show_record(console, record)
    print_table(console, records_table([record]))
    text = out.getvalue()
    assert "\x1b" not in text
    assert "\x9b" not in text
    assert not any(line.startswith("forged") for line in text.splitlines())


def test_of_several_calls_each_line_says_whose_it_is() -> None:
    def record(id: str, number: str) -> CallRecord:
        return RECORD.model_copy(
            update={"id": id, "caller": Party(number=number), "called": Party(number="600")}
        )

    first, second = record("1a2bffff", "15550100"), record("3c4dffff", "")
    turn = CallerTurnRecord(kind="speech", text="hello", start_ms=0)
    alone = turn_line(turn).plain
    talk = Talk()

    def said(of: CallRecord, live: int) -> list[str]:
        return [line.plain for line in talk.lines(of, turn, live)]

    assert said(first, 1) == [alone]
    assert said(second, 2) == ["call 3c4d: 600 from withheld", f"3c4d  {alone}"]
    assert said(first, 2) == ["call 1a2b: 600 from 15550100", f"1a2b  {alone}"]
    assert said(second, 2) == [f"3c4d  {alone}"]
    assert said(first, 1) == [alone]
