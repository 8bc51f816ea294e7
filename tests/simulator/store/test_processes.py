"""Simulator: of four processes none claims twice, or passes a limit; both databases."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from tests.simulator.store.making import NOW, campaign, running
from voicebot.campaign.attempt import Disposition
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

PROCESSES = 4
PEOPLE = 300
AT_ONCE = 12
ROOT = Path(__file__).parents[3]


async def one(url: str, name: str, began: float) -> dict[str, object]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.simulator.store.claimer", url, name, str(began)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        told, _ = await process.communicate()
    assert process.returncode == 0
    return dict(json.loads(told))


async def test_nobody_is_claimed_twice_and_limits_hold_over_all_processes(url: str, store: Store) -> None:
    await running(store, PEOPLE, campaign(pacing={"concurrent": AT_ONCE, "calls_per_second": 200}))
    began = time.time()
    told = await asyncio.gather(*(one(url, f"d{at}", began) for at in range(PROCESSES)))
    claimed = [contact for each in told for contact in each["contacts"]]  # type: ignore[attr-defined]
    assert len(claimed) == len(set(claimed)) == PEOPLE
    assert max(each["most"] for each in told) <= AT_ONCE  # type: ignore[type-var]
    status = await store.status("spring", NOW)
    assert status.dispositions == {Disposition.REJECTED: PEOPLE}
    audit = await store.audit("spring")
    assert audit.sound and audit.attempts == PEOPLE, audit.problems
