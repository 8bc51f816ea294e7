"""Category: simulator. Commands that go to a gateway that runs, by its REST interface."""

from __future__ import annotations

import json

import pytest
import structlog
from typer.testing import CliRunner

from tests.simulator.web.panel import Served
from voicebot.cli import app
from voicebot.cli.house import RunningHouse
from voicebot.errors import UserError

pytestmark = pytest.mark.simulator

CALL = "0000000000000000"


@pytest.fixture
def run(panel: Served, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Run a command with the panel's configuration; return its output."""
    config = panel.house.config
    monkeypatch.setenv("VOICEBOT_CONFIG", str(config.base / "voicebot.toml"))
    monkeypatch.setenv("VOICEBOT_PANEL__PORT", panel.at.rpartition(":")[2])
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # our own machine is never asked by a proxy

    def run(*words: str) -> str:
        result = CliRunner().invoke(app, list(words))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())  # the panel's log is in no output
    yield run
    structlog.reset_defaults()


def test_live_calls(panel: Served, run) -> None:  # type: ignore[no-untyped-def]
    assert CALL in run("live", "list")
    assert len(json.loads(run("live", "list", "--json"))) == 3
    assert "appointment" in run("live", "show", CALL)
    assert "said" in run("live", "say", CALL, "Hello?")
    run("live", "correct", CALL, "day", "2026-12-01")
    run("live", "hold", CALL, "One moment.")
    run("live", "recording", CALL, "pause")
    asked = panel.house.supervisors.acts[-4:]  # type: ignore[union-attr]
    assert [each[0] for each in asked] == ["say", "correct", "hold", "recording"]
    assert asked[2][1:3] == (CALL, "One moment.")
    assert all(each[-1] == "local" for each in asked)
    with pytest.raises(UserError, match="no step `nowhere`"):
        run("live", "jump", CALL, "nowhere")
    with pytest.raises(UserError, match="no live call"):
        run("live", "end", "f00")


def test_queues_and_rooms(run) -> None:  # type: ignore[no-untyped-def]
    assert "support: 4 wait" in run("queue", "list")
    assert "paused (lunch)" in run("queue", "agents")
    assert "ready" in run("queue", "unpause", "dana")
    assert "place 1" in run("queue", "move", "w3", "1")
    assert "meeting: 4 there, recording, video" in run("conference", "list")
    assert "locked" in run("conference", "lock", "meeting")
    run("conference", "invite", "meeting", "anna")
    assert "muted" in run("conference", "mute", "meeting", "p1")
    with pytest.raises(UserError, match="nobody is `p9`"):
        run("conference", "kick", "meeting", "p9")


def test_users_tokens_and_links(panel: Served, run) -> None:  # type: ignore[no-untyped-def]
    assert "sam   supervisor" in run("panel", "user", "list")
    assert run("panel", "link").startswith("http://")
    assert len(run("panel", "token", "add", "probe").strip()) == 43
    assert "probe" in run("panel", "token", "list")
    run("panel", "token", "remove", "probe")
    with pytest.raises(UserError, match="no user `ghost`"):
        run("panel", "user", "role", "ghost", "admin")


def test_who_calls_is_no_markup_and_steers_no_terminal(
    panel: Served,
    run,
    monkeypatch: pytest.MonkeyPatch,  # type: ignore[no-untyped-def]
) -> None:
    told, name = RunningHouse.get, "[/x] :bomb: \x1b[31m\x9b"

    def of_strangers(part: dict[str, object]) -> dict[str, object]:
        return {key: name if key in ("caller_name", "name", "summary", "text") else part[key] for key in part}

    def hostile(house: RunningHouse, path: str, **query: object) -> object:
        return json.loads(json.dumps(told(house, path, **query)), object_hook=of_strangers)

    monkeypatch.setattr(RunningHouse, "get", hostile)
    for words in (("live", "list"), ("live", "show", CALL), ("queue", "list"), ("conference", "list")):
        shown = run(*words)
        assert "[/x] :bomb:" in shown
        assert "\x1b" not in shown and "\x9b" not in shown
