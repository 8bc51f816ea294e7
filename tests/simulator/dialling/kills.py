"""A dialler and an Asterisk as processes that are killed, again and again; then everybody is counted.

    rig = Rig(folder, contacts=5000)
    rig.prepare()
    tally = rig.torment(kills=1000, seed=1)     # SIGKILL at fsync, rename, unlink, commit, or any microsecond
    rig.finish()                                # one life without a kill
    rig.count() -> Count(duplicates, lost, ...)

The dialler is the real one, on a real SQLite file. Processes are forked, so a life costs some 50 ms. Where a
life ends is drawn before it begins: at its n-th crash point, just before or just after the call; or by time.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite

from tests.simulator.dialling.asterisk import SpoolAsterisk, rings
from voicebot.app.logs import configure_logs
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.campaign.verdict import Check, Ruling, Verdict
from voicebot.outbound.dialler import Dialler
from voicebot.outbound.dialler_hands import CallFileHands
from voicebot.outbound.dialler_spool import sole_dialler
from voicebot.outbound.recovery import Live
from voicebot.outbound.spool import Spool
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import Store

NAME = "kills"
POLICY = Policy(("+1",), calls_per_second=1000.0, concurrent=10_000, calls_a_day=10**9, minutes_a_day=10**9)
TRUNK = Trunk("main", "PJSIP/{number}@trunk", 1000.0, 10_000)
LONGEST_LIFE_S = 3.0
RINGS = 20
"""Steps of some ms that a phone rings: so many calls are on their way when Asterisk is killed."""
OUTCOMES = ("NOANSWER", "NOANSWER", "BUSY", "CONGESTION")


def everybody(
    campaign: Campaign, policy: Policy, contact: Contact, history: History, now: datetime
) -> Verdict:
    """No rule stands against anybody but those who opted out: what is tested is not the law."""
    if history.opted_out is not None:
        return Verdict(Ruling.REFUSED, history.number, (Check("opted_out", Ruling.REFUSED, "They said so."),))
    return Verdict(Ruling.ALLOWED, history.number, ())


def campaign(**settings: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "campaign": NAME,
            "dialog": "d.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Test"},
            "trunk": "main",
            "pacing": {"calls_per_second": 200, "concurrent": 200, "trunk_failures": 1.0},
            "limits": {"per_day": 20, "per_number": 100},
            "consent": "all",
            **settings,
        }
    )


@dataclass(frozen=True)
class Count:
    """What became of everybody. duplicates: rung more often than once; lost: neither terminal nor held;

    untrue: closed as called although no phone rang, or as never called although one did
    """

    contacts: int
    rung: int
    duplicates: int
    lost: int
    untrue: int
    held: int
    sound: bool
    states: dict[str, int] = field(default_factory=dict)


class Rig:
    """Everything below one folder."""

    def __init__(self, folder: Path, contacts: int, *, live: bool = True) -> None:
        self.folder, self.contacts = folder, contacts
        self.spool_folder, self.rang = folder / "spool", folder / "rang"
        self.points, self.live_file = folder / "points", folder / "live.json"
        self._live = live
        self._asterisk = 0

    # --- what the processes do --------------------------------------------------------------------------

    def store(self) -> Any:
        return Store.open(f"sqlite:///{self.folder / 'store.db'}")

    def prepare(self) -> None:
        configure_logs("error")
        SpoolAsterisk.lay_out(self.spool_folder)

        async def work() -> None:
            now = datetime.now(UTC)
            async with self.store() as store:
                await store.create_campaign(campaign(), self.folder, now)
                for first in range(0, self.contacts, 1000):
                    rows = [
                        NewContact(f"k{n}", (f"+1202{n:07d}",), ("America/New_York",), now)
                        for n in range(first, min(first + 1000, self.contacts))
                    ]
                    await store.add_contacts(NAME, rows, now)
                await store.set_state(NAME, CampaignState.RUNNING, "test", now)

        asyncio.run(work())

    async def dial(self, until: Callable[[], bool] = lambda: False) -> None:
        """The life of a dialler, until its campaign is done."""
        spool = Spool(self.spool_folder, reserve_mb=1)
        spool.prepare()
        with sole_dialler(spool.dialled) as name:
            assert name is not None
            async with self.store() as store:
                dialler = Dialler(
                    store,
                    spool,
                    {"callfile": CallFileHands(spool)},
                    name=name,
                    policy=POLICY,
                    trunk_of=lambda campaign: TRUNK,
                    judge=everybody,
                    longest_call=timedelta(minutes=30),
                    live=self._ask_live if self._live else None,
                )
                running = asyncio.create_task(dialler.run())
                while not running.done():
                    now = datetime.now(UTC)
                    await store.gateway_alive("gateway", 10_000, 0, now)
                    row = await store.campaign(NAME)
                    if row.state is CampaignState.DONE or until():
                        dialler.stop()
                        break
                    await asyncio.sleep(0.1)
                await running

    async def _ask_live(self) -> Live | None:
        at = datetime.now(UTC)
        try:
            found = json.loads(self.live_file.read_text())
        except (OSError, ValueError):
            return None
        return Live(at, frozenset(found))

    def be_asterisk(self) -> None:
        """The life of an Asterisk, until it is killed."""
        chance = random.Random(os.getpid())
        asterisk = SpoolAsterisk(
            self.spool_folder, self.rang, outcome=lambda _: chance.choice(OUTCOMES), rings=RINGS
        )
        shown: set[str] | None = None
        while True:
            asterisk.scan()
            for name in asterisk.calls():
                asterisk.advance(name)
                if asterisk.channels != shown:
                    shown = set(asterisk.channels)
                    aside = self.live_file.with_suffix(".new")
                    aside.write_text(json.dumps(sorted(shown)))
                    aside.rename(self.live_file)
            if shown is None:
                self.live_file.write_text("[]")
                shown = set()
            time.sleep(0.002)

    # --- processes --------------------------------------------------------------------------------------

    def _fork(self, work: Callable[[], object]) -> int:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                work()
                status = 0
            except BaseException:
                import traceback

                (self.folder / "fault").write_text(traceback.format_exc())
            finally:
                os._exit(status)
        return pid

    def start_asterisk(self) -> None:
        self._asterisk = self._fork(self.be_asterisk)

    def kill_asterisk(self) -> None:
        if self._asterisk:
            os.kill(self._asterisk, signal.SIGKILL)
            os.waitpid(self._asterisk, 0)
            self.live_file.unlink(missing_ok=True)
            self._asterisk = 0

    def torment(self, kills: int, seed: int, *, asterisk_every: int = 10) -> Counter[str]:
        """Kill diallers; return how many died where. Every so many times Asterisk dies, too."""
        chance = random.Random(seed)
        tally: Counter[str] = Counter()
        self.start_asterisk()
        try:
            while tally.total() - tally["asterisk"] < kills:
                if chance.random() < 1 / asterisk_every:
                    self.kill_asterisk()
                    tally["asterisk"] += 1
                where = self._one_life(chance)
                tally[where] += 1
                if not self._asterisk:
                    self.start_asterisk()
        finally:
            self.kill_asterisk()
        return tally

    def _one_life(self, chance: random.Random) -> str:
        self.points.unlink(missing_ok=True)
        by_time = chance.random() < 0.25
        after = 0 if by_time else chance.randint(1, chance.choice((30, 120, 400)))

        def live() -> None:
            if after:
                die_at(after, self.points)
            asyncio.run(self.dial())

        pid = self._fork(live)
        ends = time.monotonic() + (chance.uniform(0.0, 0.6) if by_time else LONGEST_LIFE_S)
        while True:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                if not os.WIFSIGNALED(status):
                    fault = self.folder / "fault"
                    text = fault.read_text() if fault.exists() else "nothing is left to call"
                    raise AssertionError(
                        f"a dialler ended by itself: {os.waitstatus_to_exitcode(status)} {text}"
                    )
                return self.points.read_text() if self.points.exists() else "killed"
            if time.monotonic() >= ends:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return "any microsecond"
            time.sleep(0.002)

    def finish(self, limit_s: float = 240.0) -> None:
        """One life of both without a kill, until the campaign is done."""
        self.start_asterisk()
        try:
            ends = time.monotonic() + limit_s
            asyncio.run(self.dial(until=lambda: time.monotonic() > ends))
        finally:
            self.kill_asterisk()

    # --- counting ---------------------------------------------------------------------------------------

    def count(self) -> Count:
        rung = Counter(dial for _, dial in rings(self.rang))
        by_attempt = Counter(attempt for attempt, _ in rings(self.rang))

        async def work() -> Count:
            states: Counter[str] = Counter()
            lost = untrue = 0
            last: dict[int, Disposition | None] = {}
            async with self.store() as store:
                async for row in store.attempts(NAME):
                    known = row.disposition
                    last[row.contact] = known
                    never = known in (Disposition.EXPIRED, Disposition.CANCELLED, Disposition.NOT_HANDED)
                    unsure = known is Disposition.INTERRUPTED or known is None
                    untrue += not unsure and never is bool(by_attempt[row.order.attempt])
                page: tuple[Contact, ...] = await store.contacts(NAME)
                while page:
                    for contact in page:
                        states[contact.state] += 1
                        lost += contact.state not in (ContactState.DONE, ContactState.HELD)
                    page = await store.contacts(NAME, after_id=page[-1].id)
                audit = await store.audit(NAME)
            return Count(
                contacts=states.total(),
                rung=len(rung),
                duplicates=sum(times - 1 for times in rung.values()),
                lost=lost + self.contacts - states.total(),
                untrue=untrue,
                held=states[ContactState.HELD],
                sound=audit.sound,
                states={str(state): number for state, number in states.items()},
            )

        return asyncio.run(work())


def die_at(count: int, note: Path) -> None:
    """Have this process killed at its `count`-th crash point from now on; `note` tells which one it was."""
    left = [count]

    def point(name: str) -> None:
        left[0] -= 1
        if left[0] == 0:
            with contextlib.suppress(OSError):
                note.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(10)

    def around(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **values: Any) -> Any:
            point(f"before {name}")
            result = real(*args, **values)
            point(f"after {name}")
            return result

        return call

    for name in ("fsync", "rename", "unlink", "write", "utime"):
        setattr(os, name, around(name, getattr(os, name)))
    commit = aiosqlite.Connection.commit

    async def committing(self: aiosqlite.Connection) -> None:
        point("before commit")
        await commit(self)
        point("after commit")

    aiosqlite.Connection.commit = committing  # type: ignore[method-assign]


def as_json(tally: Counter[str], count: Count) -> dict[str, Any]:
    return {
        "kills": tally.total() - tally["asterisk"],
        "asterisk_kills": tally["asterisk"],
        "where": dict(sorted(tally.items())),
        **asdict(count),
    }
