"""unit: overload is lateness that lasts."""

from __future__ import annotations

import pytest

from voicebot.app.lag import LAG_FOR_S, LAG_LIMIT_S, LagWatch

pytestmark = pytest.mark.unit

LATE = LAG_LIMIT_S + 0.01


def test_one_late_moment_is_no_overload() -> None:
    watch = LagWatch()
    assert not watch.note(1.0, 1.0 + LATE)
    assert not watch.note(2.0, 2.0)
    assert not watch.note(4.0, 4.0 + LATE)
    assert not watch.overloaded


def test_lateness_that_lasts_is_overload_until_the_loop_is_punctual_again() -> None:
    watch = LagWatch()
    changes = [watch.note(at, at + LATE) for at in (0.0, 1.0, LAG_FOR_S, 3.0)]
    assert changes == [False, False, True, False]
    assert watch.overloaded
    assert watch.note(4.0, 4.0)
    assert not watch.overloaded


def test_a_loop_that_was_blocked_all_the_time_is_overloaded_at_the_first_look() -> None:
    watch = LagWatch()
    assert watch.note(0.0, LAG_FOR_S + 1)
