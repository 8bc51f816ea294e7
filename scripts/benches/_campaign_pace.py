"""Calls begun by the dialler on the real Asterisk, one minute at 50 a second, by the fence's own clock."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import statistics
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from voicebot.app.campaigns import dial
from voicebot.app.logs import configure_logs
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent
from voicebot.config import Config
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import open_store

ROOT = Path(__file__).resolve().parents[2]
RATE = 50.0
SECONDS = 60
TARGETS = {"paced_per_s": "49 to 51"}
CALLEE = """
[callees]
exten => _X!,1,Set(FILE({rang},,,al,u)=${{STRFTIME(,UTC,%s.%3q)}})
 same => n,Hangup(17)
"""


def measure(pace: float = RATE, pace_s: int = SECONDS) -> dict[str, Any]:
    """Dial so many callees who are busy; tell calls a second between the first and the last."""
    with tempfile.TemporaryDirectory(prefix="voicebot-pace-") as folder:
        state = Path(folder) / "asterisk"
        facts = json.loads(_script("up", "--state", str(state), "--free-ports", "--json"))
        try:
            rang = Path(folder) / "rang"
            with (state / "etc" / "extensions.conf").open("a") as file:
                file.write(CALLEE.format(rang=rang))
            subprocess.run([*facts["command"], "-rx", "dialplan reload"], check=True, capture_output=True)
            configure_logs("warning")
            asyncio.run(_dial(_config(facts, Path(folder)), pace, pace_s))
            times = sorted(float(each) for each in re.findall(r"[0-9]+\.[0-9]+", rang.read_text()))
        finally:
            _script("down", "--state", str(state))
    return _figures(times)


def _script(*words: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "asterisk"), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _config(facts: dict[str, Any], folder: Path) -> Config:
    plenty = {"calls_per_second": 1000, "concurrent": 10_000}
    return Config.model_validate(
        {
            "asterisk": {
                "ami_host": facts["ami_host"],
                "ami_port": facts["ami_port"],
                "ami_user": facts["dialler_user"],
                "ami_password": facts["dialler_password"],
            },
            "store": {"url": f"sqlite:///{folder / 'store.db'}"},
            "dialling": {
                "enabled": True, "spool": f"{facts['state']}/spool", "prefixes": ["+1"], **plenty
            },
            "trunks": {"main": {"dial": "Local/{digits}@callees", **plenty}},
            "base": folder,
        }
    )  # fmt: skip


async def _dial(config: Config, pace: float, seconds: int) -> None:
    campaign = Campaign.model_validate(
        {
            "campaign": "pace",
            "dialog": "d.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Test"},
            "trunk": "main",
            "pacing": {"calls_per_second": pace, "concurrent": 5000, "trunk_failures": 1},
            "consent": "all",
            "consent_note": "by their contract",
        }
    )
    now = datetime.now(UTC)
    ahead = 12 - now.hour
    zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"
    rows = [
        NewContact(f"k{n}", (f"+1202{2_000_000 + n}",), (zone,), now, consent=Consent(now, "contract"))
        for n in range(int(pace * seconds))
    ]
    async with open_store(config) as store:
        await store.create_campaign(campaign, config.base, now)
        await store.add_contacts("pace", rows, now)
        await store.set_state("pace", CampaignState.RUNNING, "bench", now)
        await store.gateway_alive("gateway", 10_000, 0, now)
        stopping = asyncio.Event()
        dialler = asyncio.create_task(dial(config, store, stopping))
        async with asyncio.timeout(2 * seconds + 30):
            while (await store.campaign("pace")).state is not CampaignState.DONE:
                await store.gateway_alive("gateway", 10_000, 0, datetime.now(UTC))
                await asyncio.sleep(1)
        stopping.set()
        await dialler


def _figures(times: list[float]) -> dict[str, Any]:
    took = times[-1] - times[0]
    gaps = [later - earlier for earlier, later in itertools.pairwise(times)]
    seconds = [0] * (int(took) + 1)
    for at in times:
        seconds[int(at - times[0])] += 1
    return {
        "paced_calls": len(times),
        "paced_per_s": round((len(times) - 1) / took, 2),
        "pace_worst_second": max(seconds),
        "pace_least_second": min(seconds[:-1]),
        "pace_gap_p99_ms": round(statistics.quantiles(gaps, n=100)[98] * 1000, 1),
    }
