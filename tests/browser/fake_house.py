"""A house for the panel without telephones: calls that live by themselves, people who wait, rooms, one PBX.

    python -m tests.browser.fake_house --calls 200 --port 8090     # then sign in as anna, vera, otto or sven

What the panel shows is made with the very classes of the gateway, so shapes cannot drift apart. Everything
that supervisors do is noted in `acts`. Given the same seed, the same is said.
"""

# ruff: noqa: E501
from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import math
import tempfile
import time
import wave
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import insert

from tests.browser.fake_calls import NAMES, ROOT, TALKS, FakeBrowserCalls, FakeCalls, FakeSupervisors
from tests.fake_people import FakeConferences, FakePbx, FakeQueues
from voicebot.call.live import Hub
from voicebot.call.record import (
    BotTurnRecord,
    CallerTurnRecord,
    CallRecord,
    DialogReference,
    InterventionRecord,
    Party,
    write_record,
)
from voicebot.campaign.loading import load_campaign
from voicebot.config import Config
from voicebot.errors import Problem
from voicebot.store import tables
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store, open_store
from voicebot.store.writing import Tx
from voicebot.web import serving
from voicebot.web.house import Condition, House, Part
from voicebot.web.security.passwords import hash_password

PATIENCE_S = 10.0
PASSWORD = "correct horse battery"
USERS = {"anna": "admin", "vera": "viewer", "otto": "supervisor", "sven": "author"}


def past_calls(var: Path, n: int) -> list[str]:
    """Write records of calls that are over, each third with a recording; return their ids, the newest first."""
    ids = []
    for at in range(n):
        name, file, steps, words = TALKS[at % len(TALKS)]
        began = datetime.now(UTC) - timedelta(minutes=7 * at + 3)
        turns: list[BotTurnRecord | CallerTurnRecord] = []
        ms = 400
        for step, (bot, caller) in zip(steps, words, strict=False):
            turns.append(
                BotTurnRecord(
                    step=step,
                    text=bot,
                    heard=bot,
                    start_ms=ms,
                    end_ms=ms + 1800,
                    latency_ms=600 + 37 * (at % 50),
                    pause_ms=400,
                )
            )
            turns.append(
                CallerTurnRecord(
                    kind="speech",
                    step=step,
                    text=caller,
                    start_ms=ms + 2300,
                    end_ms=ms + 3900,
                    confidence=0.9,
                    understood="match",
                    meaning=caller.split()[-1],
                )
            )
            ms += 4600
        id = f"past{at:04d}"
        record = CallRecord(
            id=id, started_at=began, ended_at=began + timedelta(milliseconds=ms), duration_ms=ms, caller=Party(number=f"+4930555{at:04d}", name=NAMES[at % len(NAMES)]),
            called=Party(number="600"), dialog=DialogReference(name=name, file=file, version="8f41c2aa", language="en-US"), stt="english", tts="english", codec="ulaw",
            outcome=("booked", "hangup", "error")[at % 3], goal=at % 3 == 0, ended_by="caller", hangup_cause=16, hangup_cause_text="Normal Clearing", slots={"people": 4, "day": "Friday"}, turns=turns,
            recording=f"{id}.wav" if at % 3 == 0 else None, faults=["the synthesis took 4.1 s"] if at % 3 == 2 else [],
            interventions=[InterventionRecord(at_ms=5000, by="otto", what="say", detail="One moment please.")] if at == 0 else [],
        )  # fmt: skip
        path = write_record(var, record)
        if record.recording:
            _record(path.with_suffix(".wav"), record)
        ids.append(id)
    return ids


def _record(path: Path, record: CallRecord) -> None:
    """Write something that looks like talk: tones where somebody speaks."""
    sides = np.zeros((record.duration_ms * 8, 2))
    for turn in record.turns:
        side = 0 if turn.who == "caller" else 1
        first, last = (turn.start_ms or 0) * 8, (turn.end_ms or 0) * 8
        t = np.arange(last - first) / 8000
        sides[first:last, side] = np.sin(2 * math.pi * (220 + 110 * side) * t) * (
            0.4 + 0.35 * np.sin(t * 17) * np.sin(t * 5.1)
        )
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes((sides * 20000).astype("<i2").tobytes())


@dataclasses.dataclass(frozen=True)
class FakeDialog:
    file: str
    version: str = "8f41c2aa"
    since: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    problems: tuple[Problem, ...] = ()
    about: str = "Reminds of an appointment."


def condition() -> Condition:
    return Condition(
        True, "", (
            Part("asterisk", "ok", "", {"version": "22.10.1"}), Part("ari", "ok", "", {"connected_s": 5021}),
            Part("stt.english", "ok", "", {"workers": 2, "queue": 0}), Part("tts.english", "degraded", "a worker was replaced 40 s ago; sentences take 1.2 s", {"workers": 2}),
            Part("dialler", "down", "it was not heard of for two minutes"),
            Part("disk", "ok", "", {"free_gb": 41.2}), Part("event loop", "ok", "", {"lag_p99_ms": 1.1}),
        ), 212, 400, 0.6,
    )  # fmt: skip


@dataclasses.dataclass(slots=True)
class Stage:
    """The house, and what is behind it."""

    url: str
    house: House
    calls: FakeCalls
    supervisors: FakeSupervisors
    queues: FakeQueues
    conferences: FakeConferences
    pbx: FakePbx
    browser_calls: FakeBrowserCalls
    app: Any
    loop: asyncio.AbstractEventLoop

    def tell(self, work: Callable[[], Any]) -> Any:
        """Do something on the house's event loop, from another thread."""

        async def do() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(do(), self.loop).result(PATIENCE_S)

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, in another thread, until something is so. Raises TimeoutError."""
        ends = time.monotonic() + PATIENCE_S
        while not true():
            if time.monotonic() > ends:
                raise TimeoutError
            time.sleep(0.02)

    def drop_readers(self) -> None:
        """Cut all browsers' event streams."""
        for stream in list(self.app.state.feed._streams.values()):
            for reader in list(stream):
                reader.close()


async def campaign(store: Store) -> None:
    """Keep a campaign that has placed calls, as far as its counters tell."""
    now = datetime.now(UTC)
    if any(row.name == "check_up" for row in await store.campaigns()):
        return
    row = await store.create_campaign(
        load_campaign(ROOT / "dialogs" / "check_up.campaign.yaml"), ROOT / "dialogs", now
    )
    await store.set_state("check_up", CampaignState.RUNNING, "", now)
    counts = {
        "contacts": {"done": 1840, "due": 960}, "goals": {"": 812}, "calls": {"2026-11-21": 2100, "2026-11-22": 293},
        "dispositions": {"answered": 1240, "no_answer": 610, "machine": 402, "busy": 130, "abandoned": 11},
        "calls_by_hour": {f"{hour:02}": 150 + hour * 37 % 120 for hour in range(9, 19)}, "answered_by_hour": {f"{hour:02}": 70 + hour * 29 % 60 for hour in range(9, 19)},
    }  # fmt: skip
    rows = [
        {"campaign_id": row.id, "kind": kind, "name": name, "n": n}
        for kind, table in counts.items()
        for name, n in table.items()
    ]

    async def add(tx: Tx) -> None:
        await tx.run(insert(tables.counters).values(rows))

    await store._writer.do(add)


@contextlib.asynccontextmanager
async def staged(
    folder: Path, n: int = 200, *, port: int = 0, pace: float = 1.0, lively: bool = True, past: int = 0
) -> AsyncIterator[Stage]:
    """Serve a panel with `n` calls while the block runs."""
    config = Config.model_validate({"panel": {"port": port}, "paths": {"var": str(folder)}})
    hub = Hub(time.time)
    calls = FakeCalls(hub, n, pace=pace)
    parts: dict[str, Any] = {
        "supervisors": FakeSupervisors(calls),
        "queues": FakeQueues(hub),
        "conferences": FakeConferences(hub),
        "pbx": FakePbx(),
        "browser_calls": FakeBrowserCalls(calls),
    }
    dialogs = [FakeDialog(str(ROOT / "dialogs" / talk[1])) for talk in TALKS]
    past_calls(folder, past)
    async with open_store(config) as store:
        hashed = await asyncio.to_thread(hash_password, PASSWORD)
        if past:
            await campaign(store)
        known = {user.name for user in await store.panel.users()}
        for name, role in USERS.items():
            if name not in known:
                await store.panel.add_user(name, role, hashed, datetime.now(UTC))
        house = House(config, hub, calls, store, **parts, condition=condition, dialogs=lambda: dialogs)
        apps: list[Any] = []
        make_app = serving.make_app

        def keep(*given: Any, **named: Any) -> Any:
            apps.append(make_app(*given, **named))
            return apps[0]

        serving.make_app = keep
        async with serving.panel_beside(config, house) as url:
            serving.make_app = make_app
            living = asyncio.create_task(calls.live()) if lively else None
            try:
                yield Stage(url, house, calls, **parts, app=apps[0], loop=asyncio.get_running_loop())
            finally:
                if living is not None:
                    living.cancel()
                    await asyncio.gather(living, return_exceptions=True)


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--folder", type=Path, help="where its database lives; else a temporary one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        async with staged(given.folder or Path(temporary), given.calls, port=given.port, past=60) as stage:
            print(f"{stage.url}  users {', '.join(USERS)}  password: {PASSWORD}", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
