"""Category: integration. The real Asterisk that all tests of this folder share, on ports of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "asterisk"
UNPACK_TIMEOUT_S = 600
END_TIMEOUT_S = 10


class RealAsterisk:
    """A real Asterisk with the files of `asterisk/`, run by scripts/asterisk in a state folder of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self._facts: dict[str, Any] = {}

    def start(self) -> None:
        """Start it and return once it takes calls; after `stop()` with the same ports and passwords."""
        run = subprocess.run(
            [sys.executable, SCRIPT, "up", "--state", self.state, "--free-ports", "--json"],
            capture_output=True, text=True, timeout=UNPACK_TIMEOUT_S, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr
        self._facts = json.loads(run.stdout)

    def stop(self, *, crash: bool = False) -> None:
        """End the process, politely or as a crash would, and return once it is gone."""
        watch = os.pidfd_open(self.pid)
        try:
            os.kill(self.pid, signal.SIGKILL if crash else signal.SIGTERM)
            ended, _, _ = select.select([watch], [], [], END_TIMEOUT_S)
            assert ended, f"Asterisk {self.pid} does not end"
        finally:
            os.close(watch)

    def restart(self, *, crash: bool = False) -> None:
        self.stop(crash=crash)
        self.start()

    def down(self) -> None:
        """End it and remove all it left."""
        subprocess.run([sys.executable, SCRIPT, "down", "--state", self.state], check=True, timeout=30)

    def cli(self, command: str) -> str:
        """Return the answer of Asterisk's command line."""
        run = subprocess.run(
            [*self._facts["command"], "-rx", command], capture_output=True, text=True, check=True, timeout=30
        )
        return run.stdout

    def channels(self) -> int:
        """How many channels live now (a call to the bot has two)."""
        return int(self.cli("core show channels count").split()[0])

    @property
    def facts(self) -> dict[str, Any]:
        """All that `scripts/asterisk up --json` printed."""
        return dict(self._facts)

    @property
    def running(self) -> bool:
        return Path(f"/proc/{self.pid}/cmdline").exists() and bool(
            Path(f"/proc/{self.pid}/cmdline").read_bytes()
        )

    @property
    def pid(self) -> int:
        return int(self._facts["pid"])

    @property
    def ari_url(self) -> str:
        """Base URL without /ari, as `asterisk.ari_url` of voicebot.toml wants it."""
        return str(self._facts["ari_url"])

    @property
    def user(self) -> str:
        return str(self._facts["ari_user"])

    @property
    def password(self) -> str:
        return str(self._facts["ari_password"])

    @property
    def app(self) -> str:
        """The Stasis application to which the dialplan sends every number."""
        return str(self._facts["app"])

    @property
    def sip_host(self) -> str:
        return str(self._facts["sip_host"])

    @property
    def sip_port(self) -> int:
        return int(self._facts["sip_port"])

    @property
    def settings(self) -> dict[str, Any]:
        """The [asterisk] section of a voicebot.toml for this Asterisk."""
        ours = (
            "ari_url",
            "ari_user",
            "ari_password",
            "app",
            "ami_host",
            "ami_port",
            "ami_user",
            "ami_password",
        )
        return {name: self._facts[name] for name in ours}

    @property
    def log(self) -> str:
        """What Asterisk logged so far: notices, warnings, errors."""
        return Path(self._facts["log"]).read_text(errors="replace")


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAsterisk]:
    """The Asterisk of the test session; a test that stops it starts it again."""
    instance = RealAsterisk(tmp_path_factory.mktemp("asterisk"))
    instance.start()
    try:
        yield instance
    finally:
        instance.down()


@pytest.fixture(scope="module")
def pbx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealAsterisk]:
    """An Asterisk of a module's own, whose tests end it, break it, or give it telephones and trunks."""
    instance = RealAsterisk(tmp_path_factory.mktemp("pbx"))
    instance.start()
    try:
        yield instance
    finally:
        instance.down()
