"""unit: when a callee wants to be called again, and what counts as abandoned."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

import pytest

from voicebot.call.outbound import Answer, call_back_at, result_of, was_abandoned
from voicebot.call.record import CallRecord, JudgementRecord, OutboundRecord
from voicebot.campaign.attempt import AnsweredBy

pytestmark = pytest.mark.unit

SEOUL = ZoneInfo("Asia/Seoul")
BEGAN = datetime(2027, 3, 1, 5, 30, tzinfo=UTC)  # 14:30 in Seoul


@pytest.mark.parametrize(
    ("wanted", "at"),
    [
        (datetime(2027, 3, 2, 10, tzinfo=SEOUL), "2027-03-02T01:00"),
        (datetime(2027, 3, 2, 10), "2027-03-02T01:00"),
        (date(2027, 3, 2), "2027-03-02T05:30"),
        (time(16), "2027-03-01T07:00"),
        (time(10), "2027-03-02T01:00"),
        (datetime(2027, 3, 1, 10, tzinfo=SEOUL), None),
        (date(2027, 2, 28), None),
        ("tomorrow", None),
        (None, None),
    ],
)
def test_a_call_back_is_on_the_callees_clock(wanted: object, at: str | None) -> None:
    found = call_back_at({"call_back": wanted}, BEGAN, SEOUL)
    assert found == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None)


@pytest.mark.parametrize(
    ("by", "first_ms", "abandoned"),
    [
        ("person", 300, False),
        ("unknown", 2000, False),
        ("person", 2001, True),
        ("unknown", None, True),
        ("machine", None, False),
    ],
)
def test_who_may_be_a_person_and_hears_nothing_is_abandoned(
    by: Literal["person", "machine", "unknown"], first_ms: int | None, abandoned: bool
) -> None:
    call = OutboundRecord(campaign="c", attempt="a", answered_by=by, first_audio_ms=first_ms)
    assert was_abandoned(call) is abandoned


def test_a_result_holds_what_the_record_says_as_json() -> None:
    judged = JudgementRecord(at_ms=900, by="person", confidence=0.9, why="short_greeting")
    record = CallRecord(
        id="7",
        started_at=BEGAN,
        ended_at=BEGAN,
        outcome="confirmed",
        slots={"day": date(2027, 3, 2), "at": time(10)},
        outbound=OutboundRecord(campaign="c", attempt="a", answered_by="person", judgements=[judged]),
    )
    result = result_of(record, Answer(BEGAN, 1.0))
    assert (result.attempt, result.record, result.answered_at) == ("a", "7", BEGAN)
    assert result.answered_by is AnsweredBy.PERSON
    assert result.slots == {"day": "2027-03-02", "at": "10:00:00"}
    assert result.detail == "short_greeting"
