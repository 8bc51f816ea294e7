"""Category: integration (a helper). An Asterisk that is killed and comes back with its spool as it was."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.conftest import RealAsterisk
from voicebot.campaign.attempt import Order
from voicebot.outbound.spool import Spool

READY_WITHIN_S = 20.0

# Whoever is dialled here leaves a line, so that a second call to the same attempt is seen. The words have no
# letter that means a digit in a pattern (n, x, z).
CALLEES = """
[callees]
exten => _take!,1,Set(FILE({counts}/${{EXTEN:4}},,,al,u)=called)
 same => n,Answer()
 same => n,Wait(0.3)
 same => n,Hangup(16)
exten => _stay!,1,Set(FILE({counts}/${{EXTEN:4}},,,al,u)=called)
 same => n,Answer()
 same => n,Wait(30)
exten => _bell!,1,Set(FILE({counts}/${{EXTEN:4}},,,al,u)=called)
 same => n,Ringing()
 same => n,Wait(30)
exten => _busy!,1,Set(FILE({counts}/${{EXTEN:4}},,,al,u)=called)
 same => n,Hangup(17)
"""


class MortalAsterisk(RealAsterisk):
    """`kill()` and `revive()` keep the spool, unlike `restart()`, which begins with an empty one."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self._process: subprocess.Popen[bytes] | None = None
        self.spool = Spool(state / "spool")
        self.counts = state.with_name(f"{state.name}-counts")

    def start(self) -> None:
        super().start()
        self.counts.mkdir(exist_ok=True)
        with (self.state / "etc" / "extensions.conf").open("a") as dialplan:
            dialplan.write(CALLEES.format(counts=self.counts))
        self.cli("dialplan reload")
        self.spool.prepare()

    def kill(self) -> None:
        """SIGKILL, and return once it is gone."""
        if self._process is None:
            self.stop(crash=True)
        else:
            self._process.kill()
            self._process.wait(READY_WITHIN_S)

    def spawn(self) -> None:
        """Start the same Asterisk again, and do not wait."""
        log = (self.state / "log" / "console.log").open("ab")
        self._process = subprocess.Popen(
            [*self.facts["command"], "-f"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.state
        )
        log.close()

    def revive(self) -> None:
        """Start the same Asterisk again, and return once it is booted."""
        self.spawn()
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            run = subprocess.run(
                [*self.facts["command"], "-rx", "core waitfullybooted"],
                capture_output=True, text=True, check=False, timeout=READY_WITHIN_S,
            )  # fmt: skip
            if "fully booted" in run.stdout:
                return
            time.sleep(0.02)
        raise AssertionError("Asterisk does not come back")

    def down(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(READY_WITHIN_S)
        super().down()

    def called(self, attempt: str) -> int:
        """How often an attempt's callee was called."""
        try:
            return len((self.counts / attempt).read_text().splitlines())
        except FileNotFoundError:
            return 0

    @property
    def process_id(self) -> int:
        return self._process.pid if self._process is not None else self.pid


def an_order(attempt: str, dial: str, *, expires_s: float = 60, due_s: float = 0, ring_s: int = 20,
             ask_amd: bool = False) -> Order:  # fmt: skip
    """An order to dial `dial`, such as `Local/take{id}@callees`."""
    now = datetime.now(UTC)
    return Order(
        attempt, "test", "+12025550142", dial.format(id=attempt), "+12025550100", "Test",
        now + timedelta(seconds=due_s), now + timedelta(seconds=expires_s), ring_s, ask_amd,
    )  # fmt: skip
