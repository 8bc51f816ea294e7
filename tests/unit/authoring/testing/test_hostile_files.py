"""Unit: whatever a file of test conversations holds, reading it ends soon, with all its mistakes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.authoring.testing.load import load_cases, parse_cases
from voicebot.cli import app
from voicebot.dialog.loading.yamlfile import LARGEST_BYTES, MOST_PROBLEMS
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

LONGEST_S = 5.0
"""Generous, for a machine that does other things."""
HOSTILE = {
    "deep flow": ("a: " + "[" * (LARGEST_BYTES // 2), "depth"),
    "deep lists": ("- " * (LARGEST_BYTES // 3), "depth"),
    "deep mappings": ("a: " + "{a: " * (LARGEST_BYTES // 5), "depth"),
    "many keys": ("".join(f"k{n}: 1\n" for n in range(60_000)), "size"),
    "a bomb of aliases": ("a: &a [x]\n" + "".join(f"b{n}: [*a, *a]\n" for n in range(9999)), "alias"),
    "a tag": ("- conversation: !!python/object/apply:os.system [ls]", "tag"),
    "NUL": ("- conversation: x\0", "encoding"),
    "many strange keys": ("- {x: 1}\n" * 2_000, "extra_forbidden"),
    "a date of 5,000 figures": (
        "- {conversation: x, now: " + "9" * 5_000 + "}",
        "datetime_from_date_parsing",
    ),
    "a pattern that is too deep": (
        "- {conversation: x, talk: [{bot: /" + "(" * 3_000 + "/}]}",
        "value_error",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_soon(name: str) -> None:
    text, code = HOSTILE[name]
    began = time.process_time()
    with pytest.raises(UserError) as refused:
        parse_cases(text, Path("x.test.yaml"))
    assert time.process_time() - began < LONGEST_S
    problems = refused.value.problems
    assert code in {problem.code for problem in problems}
    assert len(problems) <= MOST_PROBLEMS + 1
    assert all(len(problem.what) < 600 for problem in problems if problem.code != "value_error")


@pytest.mark.parametrize("number", ["9" * 9_999, "0x" + "f" * 9_999, ".inf", ".nan", "1e99999"])
def test_what_no_json_holds_stays_a_text(number: str) -> None:
    (case,) = parse_cases(f"- {{conversation: x, given: {{a: {number}}}}}", Path("x.test.yaml"))
    assert case.spec.given == {"a": number}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
@pytest.mark.parametrize("command", ["check", "chat", "test", "graph"])
def test_a_pipe_or_a_device_is_refused_at_once(command: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.yaml")
    (tmp_path / "x.test.yaml").symlink_to("/dev/zero")
    name = "x.test.yaml" if command == "test" else "x.yaml"
    result = CliRunner().invoke(app, ["dialog", command, str(tmp_path / name)])
    told = f"{result.output} {result.exception}"
    assert result.exit_code != 0 and "is no file, but a pipe or a device" in told


def test_a_folder_with_a_pipe_in_it_is_read_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    (tmp_path / "b.yaml").mkdir()
    (tmp_path / "c.yaml").write_text("dialog: c\nsteps: {a: {end: done}}\n")
    result = CliRunner().invoke(app, ["dialog", "check", str(tmp_path)])
    assert "a pipe" in result.output and "2 dialogs: 1 mistake" in result.output


def test_a_test_file_that_never_ends_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "x.test.yaml").write_bytes(b"#" * (LARGEST_BYTES + 1))
    with pytest.raises(UserError, match="larger than 1 MiB"):
        load_cases(tmp_path / "x.test.yaml")
