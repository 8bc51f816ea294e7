"""How evenly calls are placed: 50 a second for a minute, through a real Asterisk to Local channels; and what
a decision of the pacer costs.

The pace is taken where it counts: at the phones, which note when they begin to ring.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts"), str(ROOT / "tests" / "integration")]

from tests.integration.machines import Machine, campaign, contacts, gateway, most_within, until  # noqa: E402
from voicebot.campaign.campaign import Pacing  # noqa: E402
from voicebot.campaign.pacing import Load, Pacer  # noqa: E402
from voicebot.store.rows import CampaignState  # noqa: E402
from voicebot.store.store import Store  # noqa: E402

TARGETS = {"paced_calls_per_s": "50 +- 2 %", "pacing_decision_us": "<= 50"}
RATE = 50
SECONDS = 60
LEAD_S = 3
"""Left out at the beginning: the campaign is taken up, the first batch is claimed."""
DECISIONS = 20_000


def measure(seconds: int = SECONDS) -> dict[str, Any]:
    """Return the pace at the phones, its evenness, and the cost of a decision."""
    return {**asyncio.run(_pace(seconds)), "pacing_decision_us": _decision_us()}


def _decision_us() -> float:
    """Return the median of a decision with what follows it, in us."""
    pacer = Pacer(Pacing(mode="progressive", calls_per_second=200, concurrent=1000), ring_s=25)
    took = []
    for n in range(DECISIONS):
        load = Load(open=n % 400, ringing=n % 90, talking=n % 200, free=300 - n % 200)
        began = time.perf_counter_ns()
        pacer.begun(n / 100, pacer.allowance(n / 100, load))
        took.append(time.perf_counter_ns() - began)
    return round(statistics.median(took) / 1000, 2)


async def _pace(seconds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="voicebot-pace-") as folder:
        machine = Machine(Path(folder), f"sqlite:///{folder}/store.db")
        await asyncio.to_thread(machine.up)
        try:
            async with Store.open(f"sqlite:///{folder}/store.db") as store, gateway(store):
                times = await _dial(store, machine, seconds)
        finally:
            await asyncio.to_thread(machine.down)
    begin = times[0] + LEAD_S
    within = [at for at in times if begin <= at < begin + seconds]
    by_second = [sum(begin + n <= at < begin + n + 1 for at in within) for n in range(seconds)]
    gaps = [later - earlier for earlier, later in pairwise(within)]
    return {
        "paced_calls_per_s": round(len(within) / seconds, 2),
        "paced_least_and_most_a_second": [min(by_second), max(by_second)],
        "paced_most_in_any_second": most_within(within, 1.0),
        "paced_gap_ms_p50_p99": [
            round(1000 * statistics.median(gaps), 1),
            round(1000 * statistics.quantiles(gaps, n=100)[98], 1),
        ],
        "paced_calls": len(within),
    }


async def _dial(store: Store, machine: Machine, seconds: int) -> list[float]:
    """Run a campaign of enough contacts; return when each phone began to ring, in s."""
    settings = campaign("pace", pacing={"calls_per_second": RATE, "concurrent": 500, "trunk_failures": 1})
    now = datetime.now(UTC)
    await store.create_campaign(settings, machine.folder, now)
    count = RATE * (seconds + 2 * LEAD_S)
    await store.add_contacts("pace", contacts("303", count), now)
    await store.set_state("pace", CampaignState.RUNNING, "bench", now)
    machine.start()

    async def done() -> bool:
        return len(list(machine.diaries.iterdir())) >= count

    await until(done, seconds + 60, "all phones rang")
    return sorted(rang.begun for rang in machine.rang())


if __name__ == "__main__":
    print(measure())
