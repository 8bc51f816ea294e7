"""Unit: what the doctor says of Asterisk's spool where this machine dials."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicebot.config import Config
from voicebot.doctor.finding import Status
from voicebot.doctor.spool import check_spool
from voicebot.pbx.spool_folder import OWN_FOLDERS

pytestmark = pytest.mark.unit


def configuration(spool: Path, enabled: bool = True) -> Config:
    return Config.model_validate({"dialling": {"enabled": enabled, "spool": str(spool)}})


def test_a_machine_that_does_not_dial_needs_no_spool(tmp_path: Path) -> None:
    assert check_spool(configuration(tmp_path / "nowhere", enabled=False)) == []


def test_from_nothing_to_a_sound_spool(tmp_path: Path) -> None:
    (missing,) = check_spool(configuration(tmp_path / "nowhere"))
    assert missing.status is Status.FAULT and "astspooldir" in missing.remedy
    (tmp_path / "outgoing").mkdir()
    (young,) = check_spool(configuration(tmp_path))
    assert (
        young.status is Status.WARNING
        and "install -d" in young.remedy
        and not (tmp_path / "voicebot").exists()
    )
    for name in OWN_FOLDERS:
        (tmp_path / "voicebot" / name).mkdir(parents=True)
    (tmp_path / "outgoing_done").mkdir()
    assert [found.status for found in check_spool(configuration(tmp_path))] == [Status.OK]
    (tmp_path / "voicebot" / "dialled").rmdir()
    (half,) = check_spool(configuration(tmp_path))
    assert half.status is Status.WARNING and "dialled" in half.what
