"""Unit: `voicebot calls`: one damaged file does not hide the other calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.call.record import CallRecord, Party, write_record
from voicebot.cli import app
from voicebot.errors import UserError

pytestmark = pytest.mark.unit


@pytest.fixture
def config(tmp_path: Path) -> str:
    """A configuration whose var folder has one good record and two damaged ones."""
    good = write_record(tmp_path / "var", CallRecord(id="a1b2", started_at=datetime(2027, 3, 1, tzinfo=UTC)))
    (good.parent / "cut.json").write_text('{"id": ')
    (good.parent / "bytes.json").write_bytes(b"\xff\xfe")
    file = tmp_path / "voicebot.toml"
    file.write_text("")
    return str(file)


def test_damaged_records_are_told_and_passed_over(config: str) -> None:
    result = CliRunner().invoke(app, ["calls", "list", "--json", "-c", config])
    assert [record["id"] for record in json.loads(result.stdout)] == ["a1b2"]
    told = result.stderr.splitlines()
    assert len(told) == 2 and all(".json: not a call record" in line for line in told)


def test_a_call_is_shown_by_the_beginning_of_its_id(config: str) -> None:
    result = CliRunner().invoke(app, ["calls", "show", "a1", "--json", "-c", config])
    assert json.loads(result.stdout)["id"] == "a1b2"
    assert isinstance(CliRunner().invoke(app, ["calls", "show", "zz", "-c", config]).exception, UserError)


def test_a_record_in_json_steers_no_terminal(config: str) -> None:
    hostile = CallRecord(
        id="beef", started_at=datetime(2027, 3, 1, tzinfo=UTC), caller=Party(name="\x9b\u202e")
    )
    write_record(Path(config).parent / "var", hostile)
    shown = CliRunner().invoke(app, ["calls", "show", "beef", "--json", "-c", config]).stdout
    assert json.loads(shown)["caller"]["name"] == "\x9b\u202e"
    assert shown.rstrip().isprintable()
