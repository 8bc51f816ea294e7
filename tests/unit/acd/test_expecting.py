"""Category: unit. What callers are told while they wait, and when."""

from __future__ import annotations

import pytest

from voicebot.acd.expecting import (
    FIRST_ANNOUNCEMENT_S,
    Announcement,
    Announcing,
    Average,
    Experience,
    expected_wait_s,
    told_minutes,
)

pytestmark = pytest.mark.unit


def test_the_expected_wait_follows_what_calls_took() -> None:
    experience = Experience.none()
    assert expected_wait_s(1, 2, experience) is None
    experience.handling.add(100)
    assert expected_wait_s(1, 2, experience) == 25
    assert expected_wait_s(3, 2, experience) == 125
    assert expected_wait_s(1, 0, experience) is None
    for _ in range(50):
        experience.handling.add(200)
    assert experience.handling.value == pytest.approx(200, rel=0.01)
    assert Average().value is None


@pytest.mark.parametrize(("wait", "minutes"), [(10, 0), (46, 1), (61, 2), (120, 2), (10_000, 30)])
def test_minutes_are_rather_too_many(wait: float, minutes: int) -> None:
    assert told_minutes(wait) == minutes


def test_a_greeting_then_the_position_every_half_minute() -> None:
    announcing = Announcing(0, every_s=30, say_position=True, say_wait=True, call_back=True)
    assert announcing.next(0.5, 2, None) is None
    assert announcing.next(FIRST_ANNOUNCEMENT_S, 2, None) == Announcement(True, 2, None, True)
    announcing.said(6)
    assert announcing.next(35.9, 1, 50.0) is None
    assert announcing.next(36, 1, 50.0) == Announcement(False, 1, 1, True)


def test_without_announcements_there_is_but_a_greeting() -> None:
    announcing = Announcing(0, every_s=0, say_position=True, say_wait=True, call_back=False)
    assert announcing.next(1, 2, 90) == Announcement(True, None, None, False)
    announcing.said(5)
    assert announcing.due is None
