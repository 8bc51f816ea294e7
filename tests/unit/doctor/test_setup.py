"""Unit: what a dialog needs of this machine, and what a running gateway has refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from voicebot.app.dialogs import DialogStore
from voicebot.config import Config
from voicebot.config.people import QueueConfig
from voicebot.doctor.ami import _check_talks, _check_transfers
from voicebot.doctor.dialplan import Step
from voicebot.doctor.finding import Status
from voicebot.doctor.setup import check_routes
from voicebot.errors import UserError

pytestmark = pytest.mark.unit

WORK = """
dialog: work
steps:
  ask: {hook: no_such_hook, failed: talk}
  talk: {llm: {about: Be brief.}, failed: person}
  person: {transfer: {queue: reception}}
"""
HELLO = "dialog: hello\nsteps:\n  hi: {say: Hello., end: done}\n"


def config(folder: Path, text: str, **more: Any) -> Config:
    (folder / "work.yaml").write_text(text)
    routes = [{"number": "600", "dialog": "work.yaml"}]
    return Config.model_validate({"base": folder, "routes": routes, **more})


def told(config: Config) -> str:
    findings = check_routes(config)
    assert all(finding.remedy for finding in findings if finding.status is not Status.OK)
    return " / ".join(finding.what for finding in findings if finding.status is not Status.OK)


def test_what_the_work_of_a_dialog_lacks_is_told(tmp_path: Path) -> None:
    assert "no_such_hook" in told(config(tmp_path, WORK))
    without_hook = WORK.replace("ask: {hook: no_such_hook, failed: talk}", "ask: {say: Hello.}")
    assert told(config(tmp_path, without_hook, llm={"url": "http://127.0.0.1:1/v1"})) == ""
    assert "asks a language model, and none is configured" in told(config(tmp_path, without_hook))


def test_an_environment_that_lacks_something_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOOKING", raising=False)
    assert "BOOKING is not set" in told(config(tmp_path, HELLO, dialogs={"env": ["BOOKING"]}))
    monkeypatch.setenv("BOOKING", "http://booking.test")
    assert told(config(tmp_path, HELLO, dialogs={"env": ["BOOKING"]})) == ""


def test_a_gateway_does_not_start_with_work_that_cannot_be_done(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none is configured"):
        DialogStore(config(tmp_path, WORK.replace("hook: no_such_hook, failed: talk", "say: Hello."))).load()


def test_what_a_running_gateway_has_refused_is_told(tmp_path: Path) -> None:
    found = config(tmp_path, HELLO)
    state = {"file": "work.yaml", "version": "abc", "since": "2027-03-01T10:00:00", "problems": ["bad"]}
    found.var.mkdir()
    for pid, expected in ((os.getpid(), True), (2**22 + 1, False)):
        found.dialog_state.write_text(json.dumps({"pid": pid, "dialogs": [state]}))
        assert ("still serves version abc" in told(found)) is expected
    found.dialog_state.write_text("nonsense")
    assert told(found) == ""


def test_a_dialplan_that_cannot_take_those_who_talk_is_told(tmp_path: Path) -> None:
    found = config(tmp_path, HELLO)
    assert _check_talks(found, []) == []  # nobody ever talks to an agent
    queues = found.model_copy(update={"queues": {"support": QueueConfig()}})
    (finding,) = _check_talks(queues, [Step("voicebot-handover", "_X!", 1, "NoOp", "")])
    assert "[voicebot-talk]" in finding.what
    assert _check_talks(queues, [Step("voicebot-talk", "talk", 1, "Bridge", "")]) == []


def test_a_transfer_into_nothing_is_told(tmp_path: Path) -> None:
    work = config(tmp_path, WORK)
    (finding,) = _check_transfers(work, [Step("voicebot-handover", "_X!", 1, "NoOp", "")])
    assert "[voicebot-queue]" in finding.what
    assert _check_transfers(work, [Step("voicebot-queue", "_X!", 1, "NoOp", "")]) == []
