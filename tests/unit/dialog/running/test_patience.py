"""Unit: how long the bot is patient, and with what."""

from __future__ import annotations

import pytest

from voicebot.dialog.model.dialog import Limits
from voicebot.dialog.running.patience import Patience
from voicebot.dialog.turns import Keys, Silence, Unheard

pytestmark = pytest.mark.unit


def test_silences_and_misunderstandings_count_together_in_a_step() -> None:
    patience = Patience(Limits(failures=3))
    assert [patience.fail("noinput"), patience.fail("nomatch")] == [1, 1]
    assert not patience.exhausted
    assert patience.fail("nomatch") == 2 and patience.exhausted
    patience.enter_step()
    assert not patience.exhausted and patience.fail("nomatch") == 1


def test_silences_in_a_row_count_over_all_steps() -> None:
    patience = Patience(Limits(silences=2))
    for event in (Silence(), Keys("1"), Silence()):
        patience.note(event)
        patience.enter_step()
    assert not patience.silent_for_good
    patience.note(Silence())
    assert patience.silent_for_good


def test_a_deaf_recogniser_is_not_the_callers_fault() -> None:
    patience = Patience(Limits(failures=1))
    for _ in range(3):
        assert not patience.deaf
        patience.note(Unheard())
    assert patience.deaf and not patience.exhausted
    patience.note(Keys("1"))
    assert not patience.deaf


def test_a_step_fails_to_the_agent_once_only_and_a_call_ends() -> None:
    patience = Patience(Limits(turns=1))
    assert [patience.fail_step("pin"), patience.fail_step("pin")] == [False, True]
    assert [patience.note(Keys("1")), patience.note(Keys("1"))] == [False, True]
