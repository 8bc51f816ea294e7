"""Unit: a dialog that was made ready has nothing left to make in its first call."""

from __future__ import annotations

import pytest

from tests.unit.dialog.running.spoken import Talk, dialog
from voicebot.dialog.running.listening import grammar_of
from voicebot.dialog.running.warming import warm_up

pytestmark = pytest.mark.unit

INNER = dialog("slots: {pin: {type: digits, length: 4}}\nsteps: {a: {ask: Pin?, fill: pin}, b: {return: ok}}")
OUTER = dialog(
    """
include: {pin: pin.yaml}
slots: {day: date, size: {type: choice, choices: {small: {examples: [a tiny one]}, large: []}}}
steps:
  a: {call: {dialog: pin}}
  b: {ask: When and which?, fill: [day, size]}
  c: {end: done}
""",
    {"pin": INNER},
)


def test_every_first_question_of_a_call_is_there_already() -> None:
    warm_up(OUTER)
    before = grammar_of.cache_info().misses
    talk = Talk(OUTER)
    talk.says("1234")
    assert grammar_of.cache_info().misses == before
    assert talk.says("tomorrow a small one") == "[done]"
