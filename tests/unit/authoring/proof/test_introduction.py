"""Unit: who calls, and from where, is told before anything else; nobody who opts out is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.authoring.proof.introduction import Introduction, introduction_problems
from voicebot.dialog.loading.files import load_dialog
from voicebot.errors import Problem

pytestmark = pytest.mark.unit

CLINIC = Introduction("Green Street Clinic", "+12025550100", ("automated", "computer"))
TOP = "dialog: call\noutbound: true\nneeds: {phone: {type: phone, default: '+12025550100'}}\n"


def problems(tmp_path: Path, steps: str, top: str = TOP, wanted: Introduction = CLINIC) -> list[Problem]:
    file = tmp_path / "call.yaml"
    file.write_text(top + steps)
    return introduction_problems(load_dialog(file), {}, wanted)


@pytest.mark.parametrize("number", ["{phone|phone}", "202 555-0100", "+1 (202) 555-0100", "{phone}"])
def test_all_told_first(tmp_path: Path, number: str) -> None:
    steps = f"""
steps:
  hi: {{say: "This is the automated voice of green street clinic, {number}.", ask: Is it you?, fill: me}}
  bye: {{say: Bye., end: done}}
slots: {{me: yes_no}}
"""
    assert problems(tmp_path, steps) == []


def test_what_is_told_after_a_question_is_too_late(tmp_path: Path) -> None:
    steps = """
steps:
  hi: {ask: Is it you?, fill: me}
  who: {say: "This is the automated Green Street Clinic, {phone|phone}.", end: done}
slots: {me: yes_no}
"""
    found = problems(tmp_path, steps)
    assert [problem.code for problem in found] == ["identity", "identity", "notice"]
    assert "Green Street Clinic" in found[0].what and "+12025550100" in found[1].what


def test_every_variant_counts(tmp_path: Path) -> None:
    steps = """
steps:
  hi:
    say:
      - "This is the automated assistant of Green Street Clinic, {phone|phone}."
      - "This is the automated assistant of the clinic, {phone|phone}."
    end: done
"""
    assert [problem.code for problem in problems(tmp_path, steps)] == ["identity"]


def test_another_number_is_not_ours(tmp_path: Path) -> None:
    steps = "steps:\n  hi: {say: 'The automated Green Street Clinic, 202 555 0199.', end: done}\n"
    assert [problem.code for problem in problems(tmp_path, steps)] == ["identity"]


def test_an_opt_out_that_leads_elsewhere(tmp_path: Path) -> None:
    steps = """
always: {opt_out: {goto: sure}}
steps:
  hi: {say: "The automated Green Street Clinic, 202 555 0100.", ask: Is it you?, fill: me, goto: bye}
  sure: {ask: Are you sure?, fill: me, goto: bye}
  bye: {say: Bye., end: done}
slots: {me: yes_no}
"""
    assert [problem.code for problem in problems(tmp_path, steps)] == ["opt_out"]


def test_only_outbound_dialogs(tmp_path: Path) -> None:
    found = problems(tmp_path, "steps:\n  hi: {say: Hello., end: done}\n", top="dialog: call\n")
    assert [problem.code for problem in found] == ["outbound"]
