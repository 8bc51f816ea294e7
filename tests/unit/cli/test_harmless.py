"""Unit: what files and callers say steers no terminal, and breaks neither JSON nor XML."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from voicebot.cli import app, describe
from voicebot.cli.harmless import harmless, json_line
from voicebot.errors import Problem

pytestmark = pytest.mark.unit

EVIL = "\x1b]0;owned\x07\x9b31m\u202e\ufffe"
DIALOG = (
    "dialog: x\nslots: {s: text}\nsteps:\n  a: {ask: Hm?, fill: s}\n  b: {say: 'You said {s}.', end: x}\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inner = tmp_path / "ev\x1b[2Jil"
    try:
        inner.mkdir()
    except (OSError, ValueError):
        pytest.skip("no such names here")
    (inner / "x.yaml").write_text(DIALOG)
    escaped = json.dumps(EVIL)
    (inner / "x.test.yaml").write_text(
        f"- {{conversation: {escaped}, talk: [{{caller: {escaped}}}, {{bot: never said}}]}}\n",
        encoding="utf-8",
    )
    return inner


COMMANDS = ("check", "test", "prove")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_escape_sequence_reaches_the_terminal(command: str, folder: Path) -> None:
    result = CliRunner().invoke(app, ["dialog", command, str(folder)])
    told = result.output
    assert told and not any(sign in told for sign in "\x1b\x07\x9b\u202e"), repr(told)


def test_a_chat_shows_what_is_said_harmlessly(folder: Path) -> None:
    result = CliRunner().invoke(app, ["dialog", "chat", str(folder / "x.yaml")], input=f"my {EVIL} name\n")
    assert "You said my" in result.output
    assert not any(sign in result.output for sign in "\x1b\x07\x9b\u202e")


@pytest.mark.parametrize("command", COMMANDS)
def test_json_stays_json(command: str, folder: Path) -> None:
    result = CliRunner().invoke(app, ["dialog", command, "--json", str(folder)])
    json.loads(result.stdout)


def test_reports_stay_xml(folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    CliRunner().invoke(app, ["dialog", "test", str(folder), "--junit", os.fspath(report)])
    case = ElementTree.parse(report).getroot().find(".//testcase")
    assert case is not None and "owned" in (case.get("name") or "") and case.find("failure") is not None


def test_problems_are_told_in_one_harmless_line() -> None:
    assert describe(Problem("a\x1b[2J\nb", source="\udcff")) == " : a [2J b"


def test_harmless_keeps_what_is_text() -> None:
    assert harmless("한국어 é\ttab\nline 👩‍👧") == "한국어 é\ttab\nline 👩‍👧"


@pytest.mark.parametrize("text", ["a\x9b2Jb", "a\u202eb", "a\x7fb\x1b[2J", "\ud800", "안녕 \U0001f600 é"])
def test_json_steers_no_terminal_and_says_the_same(text: str) -> None:
    line = json_line({"name": text})
    assert line == harmless(line)
    assert json.loads(line) == {"name": text}
