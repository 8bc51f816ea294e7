"""Category: integration. `voicebot campaign dial` and the real Asterisk are killed, again and again.

Who is called writes a line that no crash takes back. Afterwards everybody was called once, or is held.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import RealAsterisk

from tests.integration.machines import campaign, people
from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.contact import ContactState
from voicebot.config import load_config
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store, open_store

pytestmark = pytest.mark.integration

KILLS = int(os.environ.get("VOICEBOT_KILLS", "10"))
CONTACTS = 80 * KILLS
BOOT_S = 30
CALLEE = """
[callees]
exten => _X!,1,Set(FILE({rang},,,al,u)=${{EXTEN}})
 same => n,Ringing()
 same => n,Wait(1)
 same => n,Hangup(17)
"""


class Mortal(RealAsterisk):
    """An Asterisk that is killed and started again with everything it left on the disk."""

    def __init__(self, state: Path) -> None:
        super().__init__(state)
        self._again: subprocess.Popen[bytes] | None = None

    def add_callees(self, rang: Path) -> None:
        with (self.state / "etc" / "extensions.conf").open("a") as file:
            file.write(CALLEE.format(rang=rang))
        self.cli("dialplan reload")

    @property
    def pid(self) -> int:
        return self._again.pid if self._again else super().pid

    def die(self) -> None:
        self.stop(crash=True)
        if self._again:
            self._again.wait()

    def rise(self) -> None:
        """Start it on the spool as it is."""
        self._again = subprocess.Popen(
            [*self.facts["command"], "-f"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.state, start_new_session=True,
        )  # fmt: skip
        ends = time.monotonic() + BOOT_S
        while time.monotonic() < ends:
            asked = subprocess.run(
                [*self.facts["command"], "-rx", "core waitfullybooted"], capture_output=True, check=False
            )
            if b"fully booted" in asked.stdout:
                return
            time.sleep(0.05)
        raise AssertionError("Asterisk does not start again")


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[Mortal]:
    instance = Mortal(tmp_path / "asterisk")
    instance.start()
    try:
        yield instance
    finally:
        if instance.running:
            instance.die()
        instance.down()


def write_config(asterisk: Mortal, folder: Path) -> Path:
    facts = asterisk.facts
    path = folder / "voicebot.toml"
    path.write_text(
        f"""
[asterisk]
ami_host = "{facts["ami_host"]}"
ami_port = {facts["ami_port"]}
ami_user = "{facts["dialler_user"]}"
ami_password_file = "{facts["dialler_password_file"]}"
[dialling]
enabled = true
spool = "{asterisk.state / "spool"}"
prefixes = ["+1"]
calls_per_second = 100
concurrent = 100
[trunks.main]
dial = "Local/{{digits}}@callees"
calls_per_second = 100
concurrent = 100
"""
    )
    return path


class DiallerProcess:
    """`voicebot campaign dial`, as its user runs it."""

    def __init__(self, config: Path, log: Path) -> None:
        self._command = [sys.executable, "-m", "voicebot", "campaign", "dial", "--config", str(config)]
        self._log = log.open("ab")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log)

    def end(self, number: signal.Signals) -> int:
        assert self._process is not None
        assert self._process.poll() is None, "the dialler ended by itself"
        self._process.send_signal(number)
        return self._process.wait(10)


async def alive(store: Store, seconds: float) -> None:
    """Let time go by in which a gateway is said to live."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await store.gateway_alive("gateway", 1000, 0, datetime.now(UTC))
        await asyncio.sleep(min(1.0, max(0.0, ends - time.monotonic())))


async def test_nobody_is_called_twice_and_nobody_is_lost(mortal: Mortal, tmp_path: Path) -> None:
    rang = tmp_path / "rang"
    mortal.add_callees(rang)
    config = write_config(mortal, tmp_path)
    chance = random.Random(5)
    process = DiallerProcess(config, tmp_path / "dialler.log")
    async with open_store(load_config(config)) as store:
        now = datetime.now(UTC)
        await store.create_campaign(
            campaign("kills", pacing={"calls_per_second": 25, "concurrent": 60, "trunk_failures": 1}),
            tmp_path,
            now,
        )
        numbers = [f"+1202{n:07d}" for n in range(2_000_000, 2_000_000 + CONTACTS)]
        await store.add_contacts("kills", people(*numbers), now)
        await store.set_state("kills", CampaignState.RUNNING, "test", now)
        for kill in range(KILLS):
            process.start()
            await alive(store, chance.uniform(1.5, 4.0))
            if kill % 3 == 1:  # Asterisk alone: the dialler sees it die, and come back
                mortal.die()
                await alive(store, chance.uniform(0.0, 1.0))
                mortal.rise()
                await alive(store, chance.uniform(0.0, 1.0))
            process.end(signal.SIGKILL)
            if kill % 3 == 2:  # both
                mortal.die()
                mortal.rise()
        process.start()
        async with asyncio.timeout(150):
            while (await store.campaign("kills")).state is not CampaignState.DONE:
                await alive(store, 0.5)
        assert process.end(signal.SIGTERM) == 0, (tmp_path / "dialler.log").read_text()
        rung = Counter(rang.read_text().split())
        contacts = await store.contacts("kills", most=CONTACTS + 1)
        states = Counter(contact.state for contact in contacts)
        assert [number for number, times in rung.items() if times > 1] == []
        assert len(contacts) == CONTACTS
        assert states[ContactState.DONE] + states[ContactState.HELD] == CONTACTS
        assert states[ContactState.DONE] > CONTACTS / 2
        async for row in store.attempts("kills"):
            was_called = row.order.number.removeprefix("+") in rung
            if row.disposition is Disposition.BUSY:
                assert was_called
            assert row.disposition in (Disposition.BUSY, Disposition.INTERRUPTED, *NOT_DIALLED)
        assert (await store.audit("kills")).sound
