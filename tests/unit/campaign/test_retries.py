"""Category: unit. What follows an attempt: again, when, at which number, or never."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.retries import after

pytestmark = pytest.mark.unit

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)
NUMBERS = ("+12025550101", "+12025550102", "+12025550103")


def campaign(**settings: object) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "test",
            "dialog": "d.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Test"},
            "trunk": "main",
            "retries": {
                "busy": {"after": "10m", "at_most": 2},
                "no_answer": {"after": "2h", "at_most": 5, "next_number": True},
                "invalid": {"after": "0s", "at_most": 5, "next_number": True},
            },
            "limits": {"attempts": 4},
            **settings,
        }
    )


def contact(numbers: tuple[str, ...] = NUMBERS, **values: object) -> Contact:
    return Contact(1, "test", "k", numbers, ("America/New_York",), NOW - timedelta(hours=1), **values)  # type: ignore[arg-type]


BUSY, NO_ANSWER, INVALID = Disposition.BUSY, Disposition.NO_ANSWER, Disposition.INVALID


def test_a_disposition_is_retried_after_its_delay_and_only_as_often_as_it_may() -> None:
    first = after(campaign(), contact(), NUMBERS[0], BUSY, None, NOW, (BUSY,))
    assert (first.state, first.due, first.number_index) == (ContactState.DUE, NOW + timedelta(minutes=10), 0)
    second = after(campaign(), contact(), NUMBERS[0], BUSY, None, NOW, (BUSY, BUSY))
    assert second.state is ContactState.DUE
    third = after(campaign(), contact(), NUMBERS[0], BUSY, None, NOW, (BUSY, BUSY, BUSY))
    assert (third.state, third.due) == (ContactState.DONE, None)
    assert after(campaign(), contact(), NUMBERS[0], Disposition.REJECTED, None, NOW).state is (
        ContactState.DONE
    )


def test_alternative_numbers_are_tried_in_turn_and_one_that_does_not_exist_never_again() -> None:
    def index(number: str, disposition: Disposition, *past: Disposition) -> int | None:
        following = after(campaign(), contact(), number, disposition, None, NOW, past)
        return following.number_index if following.state is ContactState.DUE else None

    assert index(NUMBERS[0], NO_ANSWER, NO_ANSWER) == 1
    assert index(NUMBERS[2], NO_ANSWER, NO_ANSWER, NO_ANSWER, NO_ANSWER) == 0
    assert index(NUMBERS[0], INVALID, INVALID) == 1
    assert index(NUMBERS[2], NO_ANSWER, INVALID, NO_ANSWER, NO_ANSWER) == 2  # not round to the first
    assert index(NUMBERS[2], INVALID, NO_ANSWER, NO_ANSWER, INVALID) is None
    same = campaign(retries={"invalid": {"after": "1h", "at_most": 5}})
    assert after(same, contact(), NUMBERS[0], INVALID, None, NOW, (INVALID,)).state is ContactState.DONE


def test_limits_hold_whatever_retries_say() -> None:
    past = (NO_ANSWER,) * 4
    assert after(campaign(), contact(), NUMBERS[0], NO_ANSWER, None, NOW, past).state is ContactState.DONE
    back = NOW + timedelta(days=1)
    assert after(campaign(), contact(), NUMBERS[0], NO_ANSWER, back, NOW, past).state is ContactState.DONE
    ends = campaign(ends=NOW + timedelta(minutes=5))
    assert after(ends, contact(), NUMBERS[0], BUSY, None, NOW, (BUSY,)).state is ContactState.DONE


def test_a_call_back_is_made_when_it_was_asked_for() -> None:
    back = NOW + timedelta(days=1)
    following = after(campaign(), contact(), NUMBERS[1], Disposition.ANSWERED, back, NOW, (BUSY,))
    assert following.due == back
    assert following.asked == back
    assert following.number_index == 1


@pytest.mark.parametrize("disposition", sorted(NOT_DIALLED))
def test_what_was_never_dialled_is_due_again_and_counts_for_nothing(disposition: Disposition) -> None:
    following = after(campaign(), contact(), NUMBERS[1], disposition, None, NOW, (NO_ANSWER,) * 3)
    assert following.state is ContactState.DUE
    assert following.number_index == 1
    assert following.due is not None
    assert NOW <= following.due <= NOW + timedelta(minutes=1)


@pytest.mark.parametrize("disposition", sorted(NOT_DIALLED))
def test_a_call_that_was_asked_for_stays_the_one_of_its_time_however_often_it_is_put_off(
    disposition: Disposition,
) -> None:
    asked = NOW - timedelta(hours=1)
    following = after(campaign(), contact(asked=asked), NUMBERS[0], disposition, None, NOW)
    assert following.asked == asked and following.due is not None and following.due >= NOW


def test_the_rest_is_final_or_waits_for_a_person() -> None:
    retries = {str(each): {"after": "1m"} for each in Disposition}
    always = campaign(retries=retries, limits={"attempts": 50})
    back = NOW + timedelta(days=1)
    opted = after(always, contact(), NUMBERS[0], Disposition.OPTED_OUT, back, NOW)
    assert (opted.state, opted.due) == (ContactState.DONE, None)
    held = after(always, contact(), NUMBERS[0], Disposition.INTERRUPTED, back, NOW)
    assert (held.state, held.due) == (ContactState.HELD, None)
