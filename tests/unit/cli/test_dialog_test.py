"""Unit: what authors see of `voicebot dialog test`, `chat` and `replay`."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import Result
from typer.testing import CliRunner

from voicebot.call.record import CallRecord
from voicebot.cli import app
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

DIALOG = """\
dialog: order
slots: {size: {type: choice, choices: {small: [small], large: {hear: [large, big], key: 2}}}}
steps:
  order: {ask: Small or large?, fill: size, failed: bye}
  look: {fetch: {get: "{env.SHOP}/{size}"}, failed: bye}
  done: {say: "One {size}.", end: ordered}
  bye: {say: Goodbye., end: lost}
"""
TESTS = """\
- conversation: a large one
  talk: [caller: big, {fetch: {get: /large}}, {bot: One large}]
  outcome: ordered
- conversation: nobody there
  talk: [silence, silence, silence]
  outcome: lost
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "order.yaml").write_text(DIALOG)
    (tmp_path / "order.test.yaml").write_text(TESTS)
    return tmp_path


def run(*words: object, text: str = "") -> Result:
    return CliRunner().invoke(app, ["dialog", *map(str, words)], input=text)


def test_all_that_passes_is_told_in_dots_and_figures(folder: Path) -> None:
    result = run("test", folder)
    lines = result.output.splitlines()
    assert (result.exit_code, lines[0]) == (0, "..")
    assert lines[-1].startswith("2 passed, 100 % of steps, 83.3 % of ways in ")
    assert f"  {folder}/order.yaml:5: never: look: failed to bye" in lines


def test_what_fails_is_told_with_line_expected_and_got(folder: Path) -> None:
    (folder / "order.test.yaml").write_text(TESTS.replace("bot: One large", "bot: Two"))
    result = run("test", folder / "order.yaml", "-v")
    assert result.exit_code == 1
    assert f"{folder}/order.test.yaml:2: the bot says something else" in result.output
    assert '    expected  "Two"\n    got       "One large."' in result.output
    assert "nobody there  passed" in result.output


def test_conversations_can_be_chosen_and_the_first_failure_can_end_it(folder: Path) -> None:
    (folder / "order.test.yaml").write_text(TESTS.replace("outcome: ordered", "outcome: x"))
    assert run("test", folder, "-k", "nobody").output.splitlines()[0] == "."
    assert run("test", folder, "--conversation", "nobody there").output.splitlines()[0] == "."
    assert run("test", folder, "-x").output.splitlines()[0] == "F"
    assert isinstance(run("test", folder, "-k", "somebody").exception, UserError)


def test_too_little_covered_fails(folder: Path) -> None:
    assert run("test", folder, "--cover-fail-under", 80).exit_code == 0
    result = run("test", folder, "--cover-fail-under", 90)
    assert (result.exit_code, "fewer than 90 % of ways" in result.output) == (1, True)


def test_programs_get_json_and_junit(folder: Path) -> None:
    found = json.loads(run("test", folder, "--json", "--junit", folder / "out.xml").output)
    assert (found["passed"], found["failed"], found["steps_percent"]) == (2, 0, 100.0)
    assert found["conversations"][0]["outcome"] == "ordered"
    assert ElementTree.parse(folder / "out.xml").getroot()[0].attrib["tests"] == "2"
    assert json.loads(run("test", "--schema").output)["title"].startswith("Test conversations")


def test_a_bad_test_file_or_dialog_is_a_mistake_of_the_author(folder: Path) -> None:
    (folder / "order.test.yaml").write_text(TESTS.replace("silence]", "silent]"))
    assert isinstance(run("test", folder).exception, UserError)
    (folder / "order.test.yaml").write_text(TESTS)
    (folder / "order.yaml").write_text(DIALOG.replace("end: lost", "goto: nowhere"))
    assert "nowhere" in str(run("test", folder).exception)


def test_a_line_that_does_not_exist_is_told_before_engines_load(folder: Path) -> None:
    result = run("test", folder, "--audio", "--impair", "awful")
    assert "clean, mobile, bad" in str(result.exception)


def test_a_chat_asks_for_what_services_would_answer_and_can_go_back(folder: Path) -> None:
    script = "big\nhello\n/fetch 200\n"
    lines = run("chat", folder / "order.yaml", text=script).output.splitlines()
    assert "        it asks for GET http://shop.example/large" in lines
    assert any(line.startswith("the dialog waits for GET") for line in lines)
    assert "bot>    One large. [ordered]" in lines
    lines = run(
        "chat", folder / "order.yaml", text="big\n/back\n/slots\n/path\n/dtmf 2\n"
    ).output.splitlines()
    assert "nothing yet" in lines
    assert lines[-1] == "learnt: size=large"


def test_a_chat_for_programs_is_one_object_a_line(folder: Path) -> None:
    lines = [
        json.loads(line)
        for line in run("chat", folder / "order.yaml", "--json", text="big\n/fail\n").output.splitlines()
    ]
    assert [line["then"] for line in lines] == ["listen", "wait", "end"]
    assert (lines[-1]["bot"], lines[-1]["outcome"], lines[1]["changed"]) == (
        "Goodbye.",
        "lost",
        {"size": "large"},
    )


@pytest.fixture
def record(folder: Path) -> Path:
    head = {"id": "c1", "started_at": "2027-03-01T12:00:00Z", "dialog": {"name": "order"}, "ended_by": "bot"}
    turns = [
        {"who": "bot", "step": "order", "text": "Small or large?"},
        {
            "who": "caller",
            "kind": "dtmf",
            "step": "order",
            "text": "2",
            "understood": "match",
            "meaning": "large",
        },
        {"who": "bot", "step": "done", "text": "One large."},
    ]
    call = CallRecord.model_validate(
        {**head, "turns": turns, "outcome": "ordered", "slots": {"size": "large"}}
    )
    (folder / "calls").mkdir()
    path = folder / "calls" / "c1.json"
    path.write_text(call.model_dump_json())
    return path


def test_a_replay_shows_both_sides_and_the_first_difference(folder: Path, record: Path) -> None:
    same = run("replay", folder / "order.yaml", record)
    assert (same.exit_code, same.output.splitlines()[-1]) == (0, "call c1: the same")
    (folder / "order.yaml").write_text(DIALOG.replace("One {size}.", "A {size} one."))
    other = run("replay", folder / "order.yaml", record)
    assert (other.exit_code, other.output.splitlines()[-1]) == (
        1,
        "call c1: different: in step done other words are said",
    )
    assert "One large." in other.output
    assert "A large one." in other.output


def test_a_folder_of_calls_is_summed_up(folder: Path, record: Path) -> None:
    (folder / "order.yaml").write_text(DIALOG.replace("end: ordered", "end: sold"))
    found = json.loads(run("replay", folder / "order.yaml", record.parent, "--json").output)
    assert found["outcomes"] == [{"then": "ordered", "now": "sold", "calls": 1}]
    assert (found["same"], found["different"]) == (0, 1)
