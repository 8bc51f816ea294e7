"""Category: integration (a helper). A machine that dials: Asterisk and `voicebot campaign dial` beside it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from _rig import to_toml

from tests.integration.conftest import RealAsterisk
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent
from voicebot.outbound.spool import Spool
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import NewContact
from voicebot.store.store import Store

END_WITHIN_S = 15.0

# Each number keeps a diary: when it began to ring, and when it was over. 1202... rings for one second, all
# others for a tenth. Nobody answers: they are busy.
CALLEES = """
[diaries]
exten => _1202.,1,Set(FILE({diaries}/${{EXTEN}},,,al,u)=begun ${{STRFTIME(,UTC,%s.%3q)}})
 same => n,Ringing()
 same => n,Wait(1)
 same => n,Goto(over,${{EXTEN}},1)
exten => _1.,1,Set(FILE({diaries}/${{EXTEN}},,,al,u)=begun ${{STRFTIME(,UTC,%s.%3q)}})
 same => n,Ringing()
 same => n,Wait(0.1)
 same => n,Goto(over,${{EXTEN}},1)
[over]
exten => _1.,1,Set(FILE({diaries}/${{EXTEN}},,,al,u)=over ${{STRFTIME(,UTC,%s.%3q)}})
 same => n,Hangup(17)
"""


@dataclass(frozen=True, slots=True)
class Rang:
    """A phone rang from `begun` to `over`, in s since the epoch; over is None where it was cut off."""

    number: str
    begun: float
    over: float | None


class Machine:
    """One Asterisk and its dialler, which is a process of its own. `changes` go into voicebot.toml."""

    def __init__(self, folder: Path, store_url: str, **changes: Any) -> None:
        self.folder, self.store_url = folder, store_url
        self.changes = changes
        self.asterisk = RealAsterisk(folder / "asterisk")
        self.diaries = folder / "diaries"
        self.diaries.mkdir(parents=True)
        self.spool = Spool(self.asterisk.state / "spool")
        self.processes: list[subprocess.Popen[bytes]] = []
        self.config = folder / "voicebot.toml"

    def up(self) -> None:
        """Start Asterisk, with the callees in its dialplan, and write a voicebot.toml for it."""
        self.asterisk.start()
        with (self.asterisk.state / "etc" / "extensions.conf").open("a") as dialplan:
            dialplan.write(CALLEES.format(diaries=self.diaries))
        self.asterisk.cli("dialplan reload")
        self.configure()

    def down(self) -> None:
        """End all that was started."""
        self.end()
        self.asterisk.down()

    def configure(self, **changes: Any) -> None:
        """Write voicebot.toml; each of `changes` is a setting, such as `store__url`."""
        facts = self.asterisk.facts
        settings: dict[str, Any] = {
            "asterisk": {
                **self.asterisk.settings,
                "ami_user": facts["dialler_user"],
                "ami_password": facts["dialler_password"],
            },
            "paths": {"var": str(self.folder / "var")},
            "store": {"url": self.store_url},
            "dialling": {
                "enabled": True,
                "spool": str(self.spool.folder),
                "prefixes": ["+1"],
                "calls_per_second": 200,
                "concurrent": 200,
            },
            "trunks": {
                "main": {"dial": "Local/{digits}@diaries", "calls_per_second": 200, "concurrent": 200}
            },
        }
        for dotted, value in {**self.changes, **changes}.items():
            section, name = dotted.split("__")
            settings[section][name] = value
        self.config.write_text(to_toml(settings))

    def start(self) -> subprocess.Popen[bytes]:
        """Start a dialler; a second one waits for the first to leave the spool."""
        command = [sys.executable, "-m", "voicebot", "campaign", "dial", "--config", str(self.config)]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*command, "--log-format", "json"], stdout=log, stderr=log, cwd=self.folder
            )
        self.processes.append(process)
        return process

    def end(self) -> list[int]:
        """End all diallers in good order. Returns their exit statuses."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.send_signal(signal.SIGTERM)
        found = []
        for process in self.processes:
            try:
                found.append(process.wait(END_WITHIN_S))
            except subprocess.TimeoutExpired:
                process.kill()
                found.append(process.wait())
        return found

    @property
    def log(self) -> Path:
        return self.folder / "dialler.log"

    def said(self, *levels: str) -> list[dict[str, Any]]:
        """Return what the diallers logged, of all levels or some."""
        if not self.log.exists():
            return []
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        entries = [json.loads(line) for line in lines]
        return [each for each in entries if not levels or each["level"] in levels]

    def rang(self) -> list[Rang]:
        """Return each time a phone rang."""
        found = []
        for diary in self.diaries.iterdir():
            name = diary.name
            begun: float | None = None
            for line in diary.read_text().splitlines():
                word, at = line.split()
                if begun is not None:
                    found.append(Rang(f"+{name}", begun, float(at) if word == "over" else None))
                begun = float(at) if word == "begun" else None
            if begun is not None:
                found.append(Rang(f"+{name}", begun, None))
        return found

    def left(self) -> dict[str, list[str]]:
        """Return what lies in the spool that should not when all is over."""
        folders = (self.spool.outgoing, self.spool.done, self.spool.aside, self.spool.ended)
        return {
            folder.name: names for folder in folders if (names := [path.name for path in folder.iterdir()])
        }


def most_at_once(calls: list[Rang]) -> int:
    """Return how many phones rang at the same time."""
    steps = [(each.begun, 1) for each in calls] + [(each.over, -1) for each in calls if each.over]
    most = count = 0
    for _, step in sorted(steps):
        count += step
        most = max(most, count)
    return most


def most_within(times: list[float], seconds: float) -> int:
    """Return how many fall into any stretch of so many seconds."""
    times = sorted(times)
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def noon() -> str:
    """A zone where it is about noon now, so that no quiet hours are in the way."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"


def campaign(name: str, **settings: Any) -> Campaign:
    """A campaign that nothing holds back but its pacing."""
    return Campaign.model_validate(
        {
            "campaign": name,
            "dialog": "d.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Test"},
            "trunk": "main",
            "ring_s": 15,
            "pacing": {"calls_per_second": 100, "concurrent": 100, "trunk_failures": 1},
            "consent": "all",
            "consent_note": "by their contract",
            **settings,
        }
    )


def people(*numbers: str) -> list[NewContact]:
    """People who agreed to be called."""
    now = datetime.now(UTC)
    return [
        NewContact(number, (number,), (noon(),), now, consent=Consent(now, "contract")) for number in numbers
    ]


def contacts(area: str, count: int) -> list[NewContact]:
    """People of an area code such as `202`."""
    return people(*(f"+1{area}555{n:04d}" for n in range(100, 100 + count)))


@asynccontextmanager
async def gateway(store: Store) -> AsyncIterator[None]:
    """Say that a gateway lives, for the time of the block."""

    async def beat() -> None:
        while True:
            with suppress(StoreUnavailable):
                await store.gateway_alive("gateway", 1000, 0, datetime.now(UTC))
            await asyncio.sleep(1)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], Awaitable[bool]], within_s: float, what: str) -> float:
    """Wait for it; return how long it took, in s."""
    began = time.monotonic()
    while not await true():
        assert time.monotonic() - began < within_s, f"after {within_s} s not: {what}"
        await asyncio.sleep(0.02)
    return time.monotonic() - began
