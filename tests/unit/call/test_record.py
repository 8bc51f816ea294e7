"""unit: call records are written whole, found again, and say what the docs say."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voicebot.app.reference import record_reference
from voicebot.call.hearing import SpeechSpan
from voicebot.call.record import (
    HIDDEN,
    BotTurnRecord,
    CallerTurnRecord,
    CallRecord,
    Party,
    find_record,
    list_records,
    read_record,
    write_record,
)
from voicebot.call.scribe import Scribe
from voicebot.call.speaking import Spoken
from voicebot.dialog.turns import Keys, Listen, SpokenText, Understood, Utterance
from voicebot.errors import UserError
from voicebot.speech.stt import Expectation, Transcript

pytestmark = pytest.mark.unit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def record(call_id: str = "a1") -> CallRecord:
    return CallRecord(id=call_id, started_at=NOON)


def scribe(answered_at: float = 100.0) -> Scribe:
    return Scribe(record(), answered_at)


def said(text: str, **changes: bool) -> list[Spoken]:
    return [Spoken(1, SpokenText(text, "en", **changes))]


def test_a_record_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    before = record()
    before.turns = [
        BotTurnRecord(text="안녕하세요", heard="안녕하세요", start_ms=20),
        CallerTurnRecord(kind="dtmf", text="1"),
    ]
    path = write_record(tmp_path, before)
    assert path == tmp_path / "calls" / "2026-03-01" / "a1.json"
    assert read_record(path) == before
    assert [p.name for p in path.parent.iterdir()] == ["a1.json"]


def test_the_person_on_the_line_is_whoever_called_or_whom_we_called() -> None:
    parties: dict[str, Any] = {"caller": Party(number="+1"), "called": Party(number="600")}
    there = CallRecord(id="a1", started_at=NOON, **parties)
    assert there.person.number == "+1"
    there.direction = "outbound"
    assert there.person.number == "600"


def test_calls_are_found_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    for call_id in ("aa1", "ab2"):
        write_record(tmp_path, record(call_id))
    assert find_record(tmp_path, "ab").id == "ab2"
    assert find_record(tmp_path, "last").id in ("aa1", "ab2")
    assert len(list_records(tmp_path, 1)) == 1
    for wrong in ("a", "x"):
        with pytest.raises(UserError, match="calls list"):
            find_record(tmp_path, wrong)


def test_latency_counts_from_the_end_of_what_the_caller_said() -> None:
    scribe_ = scribe()
    given = Utterance(Transcript("yes", confidence=0.9, engine="vosk", took_ms=15))
    scribe_.caller(
        given,
        Listen("ask", Expectation()),
        Understood("match", "ask", "yes"),
        SpeechSpan(103.0, 104.0),
        now=104.65,
    )
    scribe_.bot_begins("next", said("Thank you."))
    scribe_.bot_audible(104.7)
    scribe_.bot_ends(105.5)
    caller, bot = scribe_.record.turns
    assert isinstance(caller, CallerTurnRecord)
    assert (caller.start_ms, caller.end_ms, caller.meaning) == (3000, 4000, "yes")
    assert isinstance(bot, BotTurnRecord)
    assert (bot.start_ms, bot.latency_ms, bot.pause_ms, bot.heard) == (4700, 700, 600, "Thank you.")


def test_what_was_not_heard_is_not_claimed() -> None:
    scribe_ = scribe()
    scribe_.bot_begins("greet", said("Good morning, this is the clinic."))
    scribe_.bot_audible(100.1)
    scribe_.bot_ends(100.6, heard="Good morning,", interrupted_by="speech")
    (bot,) = scribe_.record.turns
    assert isinstance(bot, BotTurnRecord)
    assert (bot.heard, bot.interrupted_by) == ("Good morning,", "speech")


def test_sensitive_words_and_keys_leave_no_trace() -> None:
    scribe_ = scribe()
    scribe_.bot_begins("confirm", said("Your card is 4111.", sensitive=True))
    scribe_.bot_ends(101.0, heard="Your card is")
    scribe_.key(101.5)
    scribe_.caller(
        Keys("4111"),
        Listen("card", Expectation()),
        Understood("match", "card", "4111", sensitive=True),
        SpeechSpan(),
        102.0,
    )
    text = scribe_.record.model_dump_json()
    assert "4111" not in text
    assert "card is" not in text
    assert HIDDEN in text


def test_nothing_said_in_a_sensitive_step_is_kept_however_it_was_taken() -> None:
    scribe_ = scribe()
    given = Utterance(Transcript("four one one one help", engine="vosk"))
    scribe_.caller(
        given,
        Listen("card", Expectation(), sensitive=True),
        Understood("command", "card", "help"),
        SpeechSpan(),
        102.0,
    )
    (turn,) = scribe_.record.turns
    assert isinstance(turn, CallerTurnRecord)
    assert (turn.text, turn.meaning) == (HIDDEN, "help")


def test_an_observer_that_fails_does_not_hurt_the_call() -> None:
    def observe(_: CallRecord, __: object) -> None:
        raise BrokenPipeError

    scribe_ = Scribe(record(), 100.0, observe)
    scribe_.bot_begins("greet", said("Hello."))
    scribe_.bot_ends(101.0)
    assert len(scribe_.record.turns) == 1


def test_the_schema_in_the_docs_is_made_from_the_models() -> None:
    docs = Path(__file__).parents[3] / "docs" / "call-record.md"
    assert record_reference() in docs.read_text()
