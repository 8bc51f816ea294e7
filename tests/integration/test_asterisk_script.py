"""Category: integration. `scripts/asterisk` runs a real Asterisk, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.conftest import RealAsterisk

pytestmark = pytest.mark.integration

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "asterisk"


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def bound(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:  # connections that are closing do not hold the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def test_up_runs_it_and_down_leaves_nothing(tmp_path: Path) -> None:
    state = tmp_path / "pbx"
    up = run("up", "--state", state, "--free-ports", "--json")
    try:
        assert up.returncode == 0, up.stderr
        facts: dict[str, Any] = json.loads(up.stdout)
        ari_port = int(facts["ari_url"].rpartition(":")[2])
        ports = [(ari_port, socket.SOCK_STREAM), (facts["ami_port"], socket.SOCK_STREAM)]
        ports.append((facts["sip_port"], socket.SOCK_DGRAM))
        assert all(bound(*port) for port in ports)
        for name in ("ari_password_file", "ami_password_file"):
            assert stat.S_IMODE(Path(facts[name]).stat().st_mode) == 0o600

        status = run("status", "--state", state, "--json")
        assert status.returncode == 0
        assert json.loads(status.stdout) == facts
        assert run("cli", "--state", state, "core", "show", "version").stdout.startswith("Asterisk ")
        again = run("up", "--state", state, "--json")
        assert json.loads(again.stdout)["pid"] == facts["pid"], "a second `up` finds the first"
    finally:
        down = run("down", "--state", state)
    assert down.returncode == 0, down.stderr
    assert not state.exists()
    assert not Path(f"/proc/{facts['pid']}/exe").exists()
    assert not any(bound(*port) for port in ports)
    assert run("status", "--state", state).returncode == 3


def test_the_log_is_clean_after_the_start(tmp_path: Path) -> None:
    state = tmp_path / "pbx"
    facts = json.loads(run("up", "--state", state, "--free-ports", "--json").stdout)
    try:
        log = Path(facts["log"]).read_text()
    finally:
        run("down", "--state", state)
    assert "modules will be loaded" in log
    assert [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line] == []


def test_two_runs_at_once_choose_different_ports(tmp_path: Path) -> None:
    states = [tmp_path / "one", tmp_path / "two"]
    commands = [
        [sys.executable, str(SCRIPT), "up", "--state", str(state), "--free-ports", "--json"]
        for state in states
    ]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    try:
        facts = [json.loads(process.communicate(timeout=60)[0]) for process in running]
        assert [process.returncode for process in running] == [0, 0]
        assert len({fact[name] for fact in facts for name in ("ami_port", "sip_port")}) == 4
        assert facts[0]["ari_password"] != facts[1]["ari_password"]
    finally:
        for state in states:
            run("down", "--state", state)


@pytest.mark.parametrize(
    ("flag", "kind"), [("--ari-port", socket.SOCK_STREAM), ("--sip-port", socket.SOCK_DGRAM)]
)
def test_a_taken_port_is_named_with_its_holder(tmp_path: Path, flag: str, kind: socket.SocketKind) -> None:
    state = tmp_path / "pbx"
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        up = run("up", "--state", state, "--free-ports", flag, port)
    assert up.returncode == 2
    assert f"port {port}/" in up.stderr.splitlines()[-1]
    assert f"(pid {os.getpid()})" in up.stderr.splitlines()[-1]
    assert flag in up.stderr.splitlines()[-1]
    assert not state.exists()


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    up = run("up", "--state", tmp_path, "--free-ports")
    assert up.returncode == 2
    assert "--state" in up.stderr
    run("down", "--state", tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_after_a_crash_it_comes_back_as_it_was(tmp_path: Path) -> None:
    pbx = RealAsterisk(tmp_path / "pbx")
    pbx.start()
    try:
        before = pbx.facts
        pbx.restart(crash=True)
        assert pbx.pid != before["pid"]
        assert (pbx.ari_url, pbx.password) == (before["ari_url"], before["ari_password"])
        assert (pbx.sip_port, pbx.settings["ami_port"]) == (before["sip_port"], before["ami_port"])
    finally:
        pbx.down()


def test_it_runs_with_a_state_path_too_long_for_a_socket(tmp_path: Path) -> None:
    state = tmp_path / ("a" * 90)
    facts = json.loads(run("up", "--state", state, "--free-ports", "--json").stdout)
    assert run("cli", "--state", state, "core show uptime").returncode == 0
    run("down", "--state", state)
    assert not Path(facts["run"]).exists()
