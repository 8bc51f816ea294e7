"""Import of a table of contacts: how fast with all that it does, and in how much memory."""

from __future__ import annotations

import asyncio
import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

DIALOGS = Path(__file__).resolve().parents[2] / "dialogs"
TARGETS = {"import_s": 90, "import_peak_mb": 300}
"""At the most, for 1,000,000 rows; memory is that of all its processes together."""
ROWS = 1_000_000
AREAS = ("202", "212", "312", "415", "305", "617", "713", "206", "404", "303")


def measure(rows: int = ROWS) -> dict[str, Any]:
    """Import a table into a new SQLite store, and insert as many bare rows beside it."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "people.csv"
        _write(table, rows)
        done = subprocess.run(
            [sys.executable, __file__, str(table)], check=True, capture_output=True, text=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        bare_s = _bare(Path(folder) / "bare.db", rows)
    seconds = found["seconds"]
    return {
        "import_rows": rows,
        "import_s": round(seconds, 1),
        "import_rows_per_s": round(rows / seconds),
        "import_peak_mb": found["peak_mb"],
        "import_new": found["new"],
        "import_rejected": found["rejected"],
        "import_bare_executemany_s": round(bare_s, 1),
        "import_to_bare": round(seconds / bare_s, 1),
    }


def _write(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("patient,first_name,phone,mobile,state,appointment,agreed_on,agreed_how\n")
        for row in range(rows):
            number = f"({chance.choice(AREAS)}) {chance.randint(200, 999)}-{chance.randint(0, 9999):04}"
            day = row % 28 + 1
            file.write(f"{row},Name{row % 997},{number},,NY,2027-03-{day:02} 09:30,2026-10-{day:02},form\n")


def _bare(path: Path, rows: int) -> float:
    """Insert as many rows with one call, into a table with a key and nothing else to do."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(
            "CREATE TABLE people (id INTEGER PRIMARY KEY, key TEXT UNIQUE, number TEXT, said TEXT)"
        )
        database.executemany(
            "INSERT INTO people VALUES (?, ?, ?, ?)",
            ((row, str(row), "+12025550142", '{"first_name":"Ann"}') for row in range(rows)),
        )
    return time.perf_counter() - began


async def _imported(table: Path) -> dict[str, Any]:
    from voicebot.campaign.loading import load_campaign
    from voicebot.outbound.importing.run import import_contacts
    from voicebot.store.store import Store

    now = datetime.now(UTC)
    async with Store.open(f"sqlite:///{table.with_name('store.db')}", patience_s=10) as store:
        campaign = load_campaign(DIALOGS / "reminder.campaign.yaml")
        row = await store.create_campaign(campaign, str(DIALOGS), now)
        began = time.perf_counter()
        done = await import_contacts(store, row, table, now)
        return {"seconds": time.perf_counter() - began, "new": done.new, "rejected": done.rejected}


def _memory_kb() -> int:
    """Return the resident memory of this process and its children; what they share counts for each."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            told = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if os.getpid() in (int(told["Pid"]), int(told["PPid"])):
            total += int(told.get("VmRSS", "0 kB").split()[0])
    return total


def main() -> None:
    peak = [0]
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.25):
            peak[0] = max(peak[0], _memory_kb())

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        found = asyncio.run(_imported(Path(sys.argv[1])))
    finally:
        over.set()
        watcher.join()
    print(json.dumps({**found, "peak_mb": peak[0] // 1024}))


if __name__ == "__main__":
    main()
