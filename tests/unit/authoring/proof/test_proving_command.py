"""Unit: what `voicebot dialog prove` and `graph` print, and their exit statuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from voicebot.cli.dialog import dialogs
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

GOOD = "dialog: good\nslots: {a: yes_no}\nsteps:\n  a: {ask: Yes?, fill: a}\n  bye: {say: Bye., end: done}\n"
WORDLESS = GOOD.replace("say: Bye., ", "")


def run(*arguments: str | Path) -> tuple[int, str]:
    result = CliRunner().invoke(dialogs, [str(argument) for argument in arguments])
    return result.exit_code, result.output


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_the_exit_status_tells_the_verdict(tmp_path: Path) -> None:
    good, wordless = written(tmp_path, "good.yaml", GOOD), written(tmp_path, "wordless.yaml", WORDLESS)
    status, output = run("prove", good)
    assert status == 0 and f"{good}: proven" in output
    status, output = run("prove", good, wordless)
    assert status == 1 and f"{wordless}:5 `bye`" in output and '- bot: "Yes?"' in output
    status, output = run("prove", good, "--turns", "1")
    assert status == 1 and "[turns]" in output


def test_what_is_cut_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicebot.authoring.proof.proving.MOST_STATES", 3)
    monkeypatch.setattr("voicebot.cli.dialog.prove.time.perf_counter", iter(range(0, 100_000, 100)).__next__)
    status, output = run("prove", written(tmp_path, "good.yaml", GOOD))
    assert status == 3 and "not finished" in output and "cut as the time was over" in output


def test_json_holds_figures_findings_and_the_conversation(tmp_path: Path) -> None:
    status, output = run("prove", written(tmp_path, "wordless.yaml", WORDLESS), "--json")
    assert status == 1
    (proof,) = json.loads(output)
    assert proof["steps_met"] == proof["steps"] == 2
    assert proof["longest"]["exact"] and not proof["proven"]
    (finding,) = proof["findings"]
    assert (finding["code"], finding["line"], finding["step"]) == ("wordless", 5, "bye")
    assert finding["conversation"]["yaml"].startswith("- conversation:")


def test_a_picture_is_written_as_its_name_says(tmp_path: Path) -> None:
    good = written(tmp_path, "good.yaml", GOOD)
    for name, beginning in (("a.svg", "<svg"), ("a.mmd", "flowchart TD"), ("a.md", "# good")):
        status, output = run("graph", good, "--output", tmp_path / name)
        assert status == 0 and "2 steps" in output
        assert (tmp_path / name).read_text().startswith(beginning)
    status, output = run("graph", good, "--format", "mermaid")
    assert status == 0 and output.startswith("flowchart TD")


def test_coverage_is_that_of_the_tests_beside_the_dialog(tmp_path: Path) -> None:
    good = written(tmp_path, "good.yaml", GOOD)
    written(
        tmp_path, "good.test.yaml", "- conversation: yes\n  talk:\n    - caller: 'yes'\n  outcome: done\n"
    )
    status, output = run("graph", good, "--coverage", "--output", tmp_path / "a.svg")
    assert status == 0 and "tests come to 2 of the steps" in output


def test_a_long_counter_example_ends_where_the_call_does_and_is_told_in_short(tmp_path: Path) -> None:
    steps = "".join(f"  a{n}: {{ask: Yes?, fill: a}}\n" for n in range(30))
    long = written(
        tmp_path, "long.yaml", GOOD.replace("  a: {ask: Yes?, fill: a}\n", f"{steps}").replace(
            "steps:", "limits: {turns: 50}\nsteps:"
        )
    )  # fmt: skip
    status, output = run("prove", long)
    assert status == 1 and "[turns]" in output
    assert "lines more" in output and output.count("- bot:") < 40
    status, output = run("prove", long, "--json")
    told = [f["conversation"]["yaml"] for f in json.loads(output)[0]["findings"] if f["code"] == "turns"]
    assert told and told[0].count("could not help you") == 1


def test_a_picture_as_json_and_one_of_no_known_kind(tmp_path: Path) -> None:
    good = written(tmp_path, "good.yaml", GOOD)
    status, output = run("graph", good, "--json")
    assert status == 0 and [node["title"] for node in json.loads(output)["nodes"]][:2] == ["a", "bye"]
    result = CliRunner().invoke(dialogs, ["graph", str(good), "-o", str(tmp_path / "a.png")])
    assert isinstance(result.exception, UserError) and not (tmp_path / "a.png").exists()
