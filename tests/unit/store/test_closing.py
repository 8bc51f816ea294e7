"""Unit: what an attempt came to, by what is known of its two halves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from voicebot.campaign.attempt import AnsweredBy, CallResult, DialResult, Disposition
from voicebot.store.closing import bare, disposition_of

pytestmark = pytest.mark.unit

AT = datetime(2027, 3, 1, 15, tzinfo=UTC)
DIALLED = DialResult("a", Disposition.ANSWERED, AT)
TALKED = CallResult(
    "a", AT, AT, AnsweredBy.PERSON, "done", first_audio_ms=100, slots={"name": "Ana"}, detail="x"
)


def test_a_half_of_an_answered_call_is_not_enough() -> None:
    assert disposition_of(DIALLED, None) is None
    assert disposition_of(None, TALKED) is None
    assert disposition_of(None, None) is None
    assert disposition_of(DIALLED, TALKED) is Disposition.ANSWERED


@pytest.mark.parametrize("disposition", [each for each in Disposition if each is not Disposition.ANSWERED])
def test_anything_else_is_enough_unless_there_was_a_conversation(disposition: Disposition) -> None:
    dial = DialResult("a", disposition, AT)
    assert disposition_of(dial, None) is disposition
    assert disposition_of(dial, TALKED) is Disposition.ANSWERED


def test_what_is_personal_is_dropped_and_what_counts_is_kept() -> None:
    dial, call = bare(DialResult("a", Disposition.BUSY, AT, 17, 486, "Ana's phone"), TALKED)
    assert dial == DialResult("a", Disposition.BUSY, AT, 17, 486)
    assert call is not None and (call.slots, call.detail, call.outcome) == ({}, "", "done")
    assert bare(None, None) == (None, None)
