"""Unit: `voicebot callfile` on a folder; what Asterisk does with it is in tests/integration/test_spool.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from voicebot.cli import app
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

CALL = ("--channel", "PJSIP/100", "--application", "Wait", "--data", "1")


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (tmp_path / "outgoing").mkdir()
    return tmp_path


def callfile(spool: Path, *arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, ["callfile", *arguments, "--spool", str(spool)], input=text)


def test_the_spool_is_the_configurations(spool: Path) -> None:
    config = spool / "voicebot.toml"
    config.write_text(f'[dialling]\nspool = "{spool}"\n')
    result = CliRunner().invoke(app, ["callfile", "write", *CALL, "--name", "a.call", "-c", str(config)])
    assert result.exit_code == 0, result.output
    assert [path.name for path in (spool / "outgoing").iterdir()] == ["a.call"]


def test_a_file_is_only_printed(spool: Path) -> None:
    result = callfile(spool, "write", *CALL, "--set", "A=1", "--no-archive", "--print")
    assert "Channel: PJSIP/100\n" in result.stdout and "Setvar: A=1\n" in result.stdout
    assert "Archive" not in result.stdout
    assert not any((spool / "outgoing").iterdir())


def test_a_file_of_ones_own_is_checked_and_placed(spool: Path) -> None:
    wrong = callfile(spool, "write", "--from", "-", text="Channel: PJSIP/100\nFoo: 1\nApplication: Wait\n")
    assert isinstance(wrong.exception, UserError) and wrong.exception.problems[0].line == 2
    right = callfile(spool, "write", "--from", "-", "--json", text="Channel: PJSIP/100\nApplication: Wait\n")
    assert json.loads(right.stdout)["text"].startswith("Channel: PJSIP/100\n")
    assert len(list((spool / "outgoing").iterdir())) == 1


def test_all_mistakes_are_told_at_once(spool: Path) -> None:
    result = callfile(spool, "write", "--channel", "x", "--set", "A B=1", "--wait-time", "0")
    assert isinstance(result.exception, UserError) and len(result.exception.problems) == 4


@pytest.mark.parametrize(("status", "code"), [("Completed", 0), ("Expired", 1), ("Failed", 1)])
def test_following_ends_with_what_became_of_it(spool: Path, status: str, code: int) -> None:
    assert callfile(spool, "write", *CALL, "--name", "a.call").exit_code == 0
    with (spool / "outgoing" / "a.call").open("a") as file:
        file.write(f"\nStartRetry: 1 1 (1795318300)\nStatus: {status}\n")
    (spool / "outgoing" / "a.call").rename(spool / "outgoing_done" / "a.call")
    assert callfile(spool, "follow", "a.call").exit_code == code
    assert json.loads(callfile(spool, "list", "--done", "--json").stdout)[0]["status"] == status


def test_what_asterisk_began_with_is_not_taken_back(spool: Path) -> None:
    callfile(spool, "write", *CALL, "--name", "a.call")
    with (spool / "outgoing" / "a.call").open("a") as file:
        file.write("\nStartRetry: 1 1 (1795318300)\n")
    result = callfile(spool, "cancel", "a.call", "--json")
    assert result.exit_code == 1 and json.loads(result.stdout) == {"name": "a.call", "in_time": False}


def test_an_attempt_is_taken_back_by_its_journal(spool: Path) -> None:
    attempt = "0123456789abcdef" * 2
    callfile(spool, "write", *CALL, "--at", "+1h", "--name", f"{attempt}.call")
    assert callfile(spool, "cancel", f"{attempt}.call").exit_code == 0
    assert (spool / "voicebot" / "dialled" / attempt).read_text().startswith("cancelled ")
