"""Unit: transfers, music and telephones that lead nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicebot.config import Config
from voicebot.doctor.finding import Status
from voicebot.doctor.people import check_people

pytestmark = pytest.mark.unit

DIALOG = "dialog: on\nsteps:\n  on: {say: One moment., transfer: {%s}}\n"


def config(folder: Path, target: str, **tables: Any) -> Config:
    (folder / "on.yaml").write_text(DIALOG % target)
    return Config.model_validate(
        {"base": folder, "routes": [{"number": "600", "dialog": "on.yaml"}], **tables}
    )


def test_a_mistyped_queue_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    (finding,) = check_people(config(tmp_path, "queue: suport", queues={"support": {}}))
    assert finding.status is Status.WARNING
    assert "on.yaml: there is no [queues.suport]" in finding.what
    assert finding.remedy == "did you mean `support`?"


@pytest.mark.parametrize(
    ("target", "tables"),
    [
        ("queue: support", {"queues": {"support": {}}}),
        ("queue: reception", {}),  # nobody has queues of ours: it is one of Asterisk's
        ("to: reception", {"queues": {"support": {}}}),
        ("conference: weekly", {"conferences": {"weekly": {}}}),
    ],
)
def test_what_is_there_or_the_dialplans_is_left_alone(tmp_path: Path, target: str, tables: Any) -> None:
    assert check_people(config(tmp_path, target, **tables)) == []


def test_music_that_is_not_there(tmp_path: Path) -> None:
    (finding,) = check_people(config(tmp_path, "to: x", conferences={"weekly": {"music": "no.wav"}}))
    assert finding.status is Status.FAULT
    assert "conferences.weekly.music" in finding.what
