"""Unit: what authors see of `voicebot dialog check` and `schema`: the report, the exit status, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from voicebot.cli import app

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[3]
GOOD = "dialog: good\nsteps:\n  a: {say: Hello., end: done}\n"
DOUBTFUL = GOOD + "  b: {end: never}\n"
WRONG = """\
dialog: wrong
steps:
  a:
    say: 안녕 {nmae}.
    goto: confrim
  confirm: {end: done}
"""


def check(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, ["dialog", "check", "--no-sounds", *map(str, arguments)])


def test_the_report_shows_the_place_and_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    result = check(tmp_path / "wrong.yaml")
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        str(tmp_path / "wrong.yaml"),
        "  4:10 mistake there is no value `nmae` [value]",
        "     4 |     say: 안녕 {nmae}.",
        "                  ^",
        "         there are call.number, call.called, call.id, result, now, today",
        "  5:11 mistake there is no step `confrim` [goto]",
        "     5 |     goto: confrim",
        "                   ^",
        "         did you mean `confirm`?",
        "",
        "1 dialog: 2 mistakes",
    ]


def test_the_caret_stands_under_its_place_after_wide_letters_and_in_long_lines(tmp_path: Path) -> None:
    path = tmp_path / "wide.yaml"
    step = f"{{say: {'안녕' * 30}, ask: {'hello ' * 30}, gotto: b}}"
    path.write_text(f"dialog: x\nsteps:\n  a: {step}\n", encoding="utf-8")
    shown, caret = check(path).output.splitlines()[2:4]
    before = caret.index("^") - sum(1 for c in shown if "가" <= c <= "힣")
    assert shown[before : before + 5] == "gotto"


def test_warnings_pass_unless_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(GOOD)
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    assert check(tmp_path / "good.yaml").output == "1 dialog: fine\n"
    result = check(tmp_path)
    assert result.exit_code == 0 and result.output.endswith("\n2 dialogs: 1 warning\n")
    assert "no step leads to `b` [unreachable]" in result.output
    assert check("--strict", tmp_path).exit_code == 1
    assert check("--strict", tmp_path / "good.yaml").exit_code == 0


def test_of_a_folder_the_dialogs_are_checked_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / ".hidden").mkdir()
    for name in ("a.yaml", "lib/b.yaml"):
        (tmp_path / name).write_text(GOOD)
    (tmp_path / "a.test.yaml").write_text("- conversation: x\n")
    (tmp_path / "ko.yaml").write_text("Hello.: 안녕하세요.\n", encoding="utf-8")
    (tmp_path / ".hidden" / "c.yaml").write_text(WRONG, encoding="utf-8")
    assert check(tmp_path).output == "2 dialogs: fine\n"
    (tmp_path / "empty").mkdir()
    assert "there are no dialogs here" in str(check(tmp_path / "empty").exception)


def test_an_unusable_command_is_another_status(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    assert check(tmp_path / "nothing.yaml", tmp_path / "wrong.yaml").exit_code == 2
    assert check().exit_code == 2
    assert check("--strcit", tmp_path).exit_code == 2


def test_programs_are_told_all_of_it(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(WRONG, encoding="utf-8")
    (tmp_path / "doubtful.yaml").write_text(DOUBTFUL)
    result = check("--json", tmp_path)
    told = json.loads(result.output)
    assert result.exit_code == 1 and told["dialogs"] == 2
    assert [(p["line"], p["column"], p["code"]) for p in told["mistakes"]] == [
        (4, 10, "value"),
        (5, 11, "goto"),
    ]
    assert [(Path(p["source"]).name, p["code"]) for p in told["warnings"]] == [
        ("doubtful.yaml", "unreachable")
    ]
    assert set(told["mistakes"][0]) == {"what", "remedy", "source", "line", "column", "code"}


def test_a_configuration_tells_what_dialogs_may_read(tmp_path: Path) -> None:
    dialog = GOOD.replace("Hello.", '"{env.SHOP} {env.SHIP}"')
    (tmp_path / "good.yaml").write_text(dialog)
    (tmp_path / "voicebot.toml").write_text('[asterisk]\nari_password = "x"\n[dialogs]\nenv = ["SHOP"]\n')
    assert check(tmp_path / "good.yaml").output == "1 dialog: fine\n"
    told = json.loads(check("--json", "--config", tmp_path / "voicebot.toml", tmp_path / "good.yaml").output)
    assert [(p["code"], "`env.SHIP`" in p["what"]) for p in told["warnings"]] == [("environment", True)]


def test_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text('dialog: x\nsteps:\n  a: {"g\\e[31moto": b}\n')
    assert "\x1b" not in check(tmp_path / "x.yaml").output


def test_the_schema_goes_to_a_file_or_out(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["dialog", "schema"]).output
    assert "Step" in json.loads(printed)["$defs"]
    written = CliRunner().invoke(app, ["dialog", "schema", "--output", str(tmp_path / "s.json")])
    assert written.exit_code == 0 and (tmp_path / "s.json").read_text(encoding="utf-8") == printed
    failed = CliRunner().invoke(app, ["dialog", "schema", "-o", str(tmp_path / "no" / "s.json")])
    assert "cannot be written" in str(failed.exception)


def test_a_command_loads_only_what_it_needs() -> None:
    """What a gateway needs (its event loop, the web client) takes longer to load than a check to run."""
    script = (
        "import sys; from typer.testing import CliRunner; from voicebot.cli import app\n"
        "CliRunner().invoke(app, ['dialog', 'check', '--no-sounds', 'dialogs/echo.yaml'])\n"
        "print([m for m in ('aiohttp', 'numpy', 'structlog', 'vosk', 'rapidfuzz') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stdout == "[]\n"
