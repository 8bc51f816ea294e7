"""A conversation on a terminal: who, what, when, and how long a reply took.

Names, numbers and words come from strangers: they are printed as text, never as markup or escape sequences.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from voicebot.app.logs import one_line
from voicebot.call.record import BotTurnRecord, CallerTurnRecord, CallRecord, TurnRecord


def clock(ms: int | None) -> str:
    """Return `m:ss.t`."""
    if ms is None:
        return "      -"
    minutes, rest = divmod(ms, 60_000)
    return f"{minutes:>2}:{rest / 1000:04.1f}"


def turn_line(turn: TurnRecord) -> Text:
    """Return one turn as a line of a conversation."""
    line = Text(clock(turn.start_ms), style="dim")
    if isinstance(turn, BotTurnRecord):
        line.append("  bot     ", style="bold cyan")
        line.append(one_line(turn.heard if turn.interrupted_by else turn.text))
        notes = []
        if turn.interrupted_by:
            notes.append(f"interrupted by {turn.interrupted_by}")
        if turn.held:
            notes.append("a noise held it" if turn.held == 1 else f"noises held it {turn.held} times")
        if turn.latency_ms is not None:
            pause = f", {turn.pause_ms} of them the pause" if turn.pause_ms else ""
            notes.append(f"after {turn.latency_ms} ms{pause}")
    else:
        line.append("  caller  ", style="bold green")
        line.append(one_line(_caller_words(turn)))
        notes = [turn.understood + (f": {turn.meaning}" if turn.meaning else "")] if turn.understood else []
        if turn.confidence is not None:
            notes.append(f"confidence {turn.confidence:.2f}")
        if turn.recognition_ms is not None:
            notes.append(f"{turn.engine} {turn.recognition_ms:.0f} ms")
    if notes:
        line.append(one_line("  [" + ", ".join(notes) + "]"), style="dim")
    return line


class Talk:
    """Conversations as they happen. Where several calls live at once, each line says whose it is."""

    def __init__(self) -> None:
        self._introduced: set[str] = set()

    def lines(self, record: CallRecord, turn: TurnRecord, live: int) -> list[Text]:
        """Return what to print for a turn of one of `live` calls: a head once a call, and the turn."""
        line = turn_line(turn)
        if live < 2:
            self._introduced.clear()
            return [line]
        mark = record.id[:4]
        lines = [Text.assemble((f"{mark}  ", "bold"), line)]
        if record.id not in self._introduced:
            self._introduced.add(record.id)
            lines.insert(0, _text(f"call {mark}: {record.called.number} from {_caller(record)}", "bold"))
        return lines


def _caller(record: CallRecord) -> str:
    if record.direction == "browser":
        return f"{record.caller.name} (microphone)".lstrip()
    return record.caller.number or "withheld"


def _caller_words(turn: CallerTurnRecord) -> str:
    match turn.kind:
        case "dtmf":
            return f"keys {turn.text}"
        case "silence":
            return "(silence)"
        case "unheard":
            return "(not heard: recognition failed)"
        case _:
            return turn.text or "(nothing understood)"


def show_record(console: Console, record: CallRecord) -> None:
    """Print a whole call: the head, the conversation, the end."""
    when = f"{record.started_at:%Y-%m-%d %H:%M:%S} UTC"
    console.print(Text.assemble((when, "bold"), f"  {one_line(record.id)}"))
    console.print(
        _text(
            f"{_caller(record)} called {record.called.number}   "
            f"dialog {record.dialog.name} ({record.dialog.version})   {record.stt} / {record.tts}",
            "dim",
        )
    )
    for turn in record.turns:
        console.print(turn_line(turn), soft_wrap=True)
    for done in record.interventions:
        words = f"{done.by}: {done.what.replace('_', ' ')} {done.detail}".rstrip()
        console.print(_text(f"at {done.at_ms / 1000:.1f} s ", "dim") + _text(words), soft_wrap=True)
    cause = (
        f", cause {record.hangup_cause} {record.hangup_cause_text}".rstrip() if record.hangup_cause else ""
    )
    took = f"{record.duration_ms / 1000:.1f} s"
    console.print(
        _text(record.outcome, "green" if record.goal else "yellow")
        + _text(f" after {took}, ended by {record.ended_by}{cause}")
    )
    if record.slots:
        console.print(_text("slots: " + ", ".join(f"{k}={v}" for k, v in record.slots.items())))
    for fault in record.faults:
        console.print(_text("fault ", "red") + _text(fault))


def _text(text: str, style: str = "") -> Text:
    return Text.assemble((one_line(text), style))


def records_table(records: Iterable[CallRecord]) -> Table:
    """Return a table of calls, a line each."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in (
        "id",
        "started (UTC)",
        "caller",
        "called",
        "dialog",
        "outcome",
        "ended by",
        "s",
        "turns",
        "reply ms",
    ):
        table.add_column(
            column, no_wrap=True, justify="right" if column in ("s", "turns", "reply ms") else "left"
        )
    for record in records:
        median = record.median_latency_ms
        table.add_row(
            _text(record.id[:12]),
            f"{record.started_at:%Y-%m-%d %H:%M:%S}",
            _text(_caller(record)),
            _text(record.called.number),
            _text(record.dialog.name),
            _text(record.outcome, "green" if record.goal else ""),
            _text(record.ended_by),
            f"{record.duration_ms / 1000:.0f}",
            str(len(record.turns)),
            "" if median is None else str(median),
        )
    return table
