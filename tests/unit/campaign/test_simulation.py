"""Unit: a campaign played through with a virtual clock."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact
from voicebot.campaign.simulation import Assumptions, Played, play

pytestmark = pytest.mark.unit

MONDAY_NOON = datetime(2027, 3, 1, 17, tzinfo=UTC)
NEW_YORK, LOS_ANGELES = ("America/New_York",), ("America/Los_Angeles",)


def campaign(**settings: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": "c",
            "dialog": "d.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Corner Clinic"},
            "trunk": "PJSIP/{number}@main",
            "windows": [{"from": "09:00", "to": "17:00"}],
            **settings,
        }
    )


def contacts(count: int, zones: tuple[str, ...] = NEW_YORK) -> list[Contact]:
    return [Contact(n, "c", str(n), (f"+1202555{n:04}",), zones, MONDAY_NOON) for n in range(count)]


def played(campaign: Campaign, who: list[Contact], **assumed: float) -> Played:
    chance = random.Random(1).random
    return play(campaign, who, MONDAY_NOON, chance=chance, assumptions=Assumptions(**assumed))


def test_everybody_is_called_once_at_the_pace_that_was_asked_for() -> None:
    result = played(
        campaign(pacing={"calls_per_second": 2, "concurrent": 1000}), contacts(600), answered=1, machine=0
    )
    assert result.calls == 600 and result.dispositions[Disposition.ANSWERED] == 600 and result.left == 0
    assert result.finished is not None
    assert timedelta(seconds=295) < result.finished - MONDAY_NOON < timedelta(seconds=900)


def test_no_more_calls_at_once_than_allowed() -> None:
    result = played(campaign(pacing={"calls_per_second": 50, "concurrent": 7}), contacts(100))
    assert result.peak == 7 and result.hindrances["concurrent"] > 0


def test_everybody_is_called_at_their_own_hours() -> None:
    late = datetime(2027, 3, 1, 21, 30, tzinfo=UTC)  # 16:30 in New York, 13:30 in Los Angeles
    settings = campaign(pacing={"calls_per_second": 0.1, "concurrent": 100})
    who = contacts(400) + contacts(400, LOS_ANGELES)
    result = play(
        settings, who, late, chance=random.Random(1).random, assumptions=Assumptions(answered=1, machine=0)
    )
    hours = {at.astimezone(UTC).hour for at in result.by_hour}
    assert hours <= set(range(14, 24)) | {0}  # 9 to 17 in the east, 9 to 17 in the west
    assert result.finished is not None and result.finished > late + timedelta(hours=12)


def test_retries_wait_and_keep_to_one_call_a_day() -> None:
    settings = campaign(
        retries={"no_answer": {"after": "1h", "at_most": 2}},
        pacing={"calls_per_second": 10, "concurrent": 100},
    )
    result = played(settings, contacts(20), answered=0, machine=0, busy=0, invalid=0)
    assert result.dispositions[Disposition.NO_ANSWER] == 60
    assert len({at.date() for at in result.by_hour}) == 3


def test_who_has_no_legal_hour_is_counted_and_not_called() -> None:
    everywhere = ("Pacific/Auckland", "Europe/London", "America/Los_Angeles")
    result = played(campaign(), contacts(3, everywhere) + contacts(1))
    assert result.never == 3 and result.calls == 1 and result.finished is not None


def test_a_day_is_played_in_a_moment() -> None:
    result = played(campaign(pacing={"calls_per_second": 1, "concurrent": 200}), contacts(20_000))
    assert result.left == 0 and result.calls == 20_000
