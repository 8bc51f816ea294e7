"""Category: simulator. Any order of crashes, of the dialler and of Asterisk, clock steps and late news.

The dialler's own code works on a real SQLite file and a real spool folder; Asterisk is a model of its spool
and our fence that moves step by step; time is ours. Whatever happens: no phone rings twice, nobody is
forgotten.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.simulator.dialling.asterisk import SpoolAsterisk, rings
from tests.simulator.dialling.kills import NAME, POLICY, TRUNK, campaign, everybody
from voicebot.app.logs import configure_logs
from voicebot.campaign.attempt import NOT_DIALLED, Disposition
from voicebot.campaign.contact import ContactState
from voicebot.outbound.dialler import Dialler
from voicebot.outbound.dialler_campaign import CampaignRun
from voicebot.outbound.dialler_hands import CallFileHands
from voicebot.outbound.recovery import Live
from voicebot.outbound.spool import Spool
from voicebot.store.rows import CampaignState, NewContact
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

BEGIN = datetime(2100, 3, 2, 15, tzinfo=UTC)
"""Later than any file's time: what is spooled is due."""
CONTACTS = 5
FUSE = st.none() | st.none() | st.integers(1, 14)
"""The dialler dies at its so many-th step that changes something; None: it lives."""
USUAL = (
    *("dial", "pursue", "works", "works", "works", "time") * 3,
    *("asterisk_dies", "asterisk_dies", "kill", "start", "start", "clock", "ami", "news", "pause"),
)
"""What happens, as often as it should: of rules that are drawn alike hardly any would ever place a call."""
STATES = ("NOANSWER", "BUSY", "CONGESTION", "")


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Counts the steps that change something; burns down at one of them, and then nothing works any more."""

    def __init__(self) -> None:
        self.left: int | None = None
        self.burnt = False

    def step(self) -> None:
        if self.burnt:
            raise Killed
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self.burnt = True
                raise Killed


class MortalSpool(Spool):
    """A spool between any two steps of which the process may die."""

    fuse: Fuse

    def _write_aside(self, *args: Any) -> Any:
        self.fuse.step()
        return super()._write_aside(*args)

    def _settle(self, *args: Any) -> Any:
        super()._settle(*args)
        self.fuse.step()

    def _rename(self, *args: Any) -> Any:
        self.fuse.step()
        super()._rename(*args)
        self.fuse.step()

    def _remove(self, *paths: Path) -> None:
        for path in paths:
            self.fuse.step()
            super()._remove(path)
        self.fuse.step()

    def cancel_attempt(self, attempt: str, now: datetime) -> Any:
        self.fuse.step()
        found = super().cancel_attempt(attempt, now)
        self.fuse.step()
        return found


class MortalStore:
    """A store whose process may die before a change is committed, or after it."""

    CHANGES = ("claim", "handed", "dialling", "answered", "close_dial", "give_up", "set_state")

    def __init__(self, store: Store, fuse: Fuse) -> None:
        self._store, self._fuse = store, fuse

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._store, name)
        if name not in self.CHANGES:
            return real

        async def mortal(*args: Any, **values: Any) -> Any:
            self._fuse.step()
            result = await real(*args, **values)
            self._fuse.step()
            return result

        return mortal


class Crashes(RuleBasedStateMachine):
    """One campaign without retries: each phone may ring once."""

    def __init__(self) -> None:
        super().__init__()
        configure_logs("critical")
        self.folder = Path(tempfile.mkdtemp(prefix="voicebot-machine-"))
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.now, self.mono = BEGIN, 0.0
        self.spool = self.folder / "spool"
        self.rang = self.folder / "rang"
        self.fuse = Fuse()
        self.dialler: Dialler | None = None
        self.run_: CampaignRun | None = None
        self.ami = True
        self.running = True
        self.silenced: dict[str, int] = {}
        SpoolAsterisk.lay_out(self.spool)

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        async def prepare() -> Store:
            url = f"sqlite:///{self.folder / 'store.db'}"
            store = await self.stack.enter_async_context(Store.open(url))
            await store.create_campaign(campaign(), self.folder, self.now)
            rows = [
                NewContact(f"k{n}", (f"+1202555{n:04d}",), ("America/New_York",), self.now)
                for n in range(CONTACTS)
            ]
            await store.add_contacts(NAME, rows, self.now)
            await store.set_state(NAME, CampaignState.RUNNING, "test", self.now)
            return store

        self.store: Store = self.do(prepare())
        self.asterisk: SpoolAsterisk | None = self._asterisk(stuck=False)
        self._start(None)

    # --- the dialler ------------------------------------------------------------------------------------

    def _start(self, fuse: int | None) -> None:
        self.fuse = Fuse()
        spool = MortalSpool(self.spool, reserve_mb=0)
        spool.fuse = self.fuse
        spool.prepare()
        store: Any = MortalStore(self.store, self.fuse)
        self.dialler = Dialler(
            store,
            spool,
            {"callfile": CallFileHands(spool)},
            name="test",
            policy=POLICY,
            trunk_of=lambda _: TRUNK,
            judge=everybody,
            longest_call=timedelta(minutes=10),
            live=self._live,
            now=lambda: self.now,
            mono=lambda: self.mono,
        )
        self.run_ = None
        self._mortal(self.dialler.recover, fuse)
        if self.dialler is not None and self.running:
            self.run_ = self.dialler.run_of(self.do(self.store.campaign(NAME)))

    async def _live(self) -> Live | None:
        if not self.ami or self.asterisk is None:
            return None
        return Live(self.now, frozenset(self.asterisk.channels))

    def _mortal(self, work: Callable[[], Coroutine[Any, Any, Any]], fuse: int | None) -> None:
        """Do something that the dialler may die over."""
        self.fuse.left = fuse
        with suppress(Killed):
            self.do(work())
        if self.fuse.burnt:
            self.dialler = self.run_ = None
        self.fuse.left = None

    def dial(self, fuse: int | None, turns: int) -> None:
        async def work() -> None:
            assert self.run_ is not None
            await self.store.gateway_alive("gateway", 100, 0, self.now)
            for _ in range(turns):
                self.mono += 0.3
                await self.run_.turn()
                await self.run_.settled()

        self._mortal(work, fuse)

    def pursue(self, fuse: int | None) -> None:
        async def work() -> None:
            assert self.dialler is not None
            await self.dialler.pursuit.turn()

        self._mortal(work, fuse)

    def news_comes_late_or_again(self, which: int) -> None:
        assert self.dialler is not None
        seen = [*sorted({attempt for attempt, _ in rings(self.rang)}), "0" * 32]
        self.dialler.pursuit.hint(seen[which % len(seen)])

    def kill_dialler(self) -> None:
        self.dialler = self.run_ = None

    def start_dialler(self, fuse: int | None) -> None:
        self._start(fuse)

    @rule(
        script=st.lists(st.tuples(st.sampled_from(USUAL), FUSE, st.integers(0, 11)), min_size=15, max_size=50)
    )
    def a_day(self, script: list[tuple[str, int | None, int]]) -> None:
        """Many steps."""
        for what, fuse, number in script:
            self._happen(what, fuse, number)
            self.no_phone_rings_twice()

    def _happen(self, what: str, fuse: int | None, number: int) -> None:
        if what == "works" and self.asterisk is None:
            self.asterisk_starts(stuck=number % 2 == 0)
        if what == "works":
            self.asterisk_works(1 + number % 3, number)
        elif what == "asterisk_dies":
            self.asterisk = None
        elif what == "time":
            self.time_goes_by((0.5, 3.0, 3.0, 20.0, 20.0, 125.0)[number % 6])
        elif what == "clock":
            self.clock_is_set_back()
        elif what == "ami":
            self.ami_goes_or_comes()
        elif what == "kill":
            self.kill_dialler()
        elif self.dialler is None:
            self._start(fuse)
        elif what == "news":
            self.news_comes_late_or_again(number)
        elif what == "pause":
            self.pause_or_resume(fuse)
        elif what == "pursue":
            self.pursue(fuse)
        elif what == "dial" and self.run_ is not None:
            self.dial(fuse, 1 + number % 4)

    # --- people -----------------------------------------------------------------------------------------

    def pause_or_resume(self, fuse: int | None) -> None:
        self.running = not self.running
        state = CampaignState.RUNNING if self.running else CampaignState.PAUSED
        self.do(self.store.set_state(NAME, state, "test", self.now))
        assert self.dialler is not None
        if self.running:
            self.run_ = self.dialler.run_of(self.do(self.store.campaign(NAME)))
        else:
            self.run_ = None
            dialler = self.dialler
            self._mortal(lambda: dialler.recall.campaign(NAME), fuse)

    # --- Asterisk ---------------------------------------------------------------------------------------

    def _asterisk(self, stuck: bool) -> SpoolAsterisk:
        ends = iter(STATES * 1000)
        return SpoolAsterisk(
            self.spool,
            self.rang,
            outcome=lambda _: next(ends),
            now=lambda: self.now.timestamp(),
            stuck=stuck,
        )

    def asterisk_works(self, steps: int, which: int) -> None:
        assert self.asterisk is not None
        self.asterisk.scan()
        for _ in range(steps):
            if calls := self.asterisk.calls():
                self.asterisk.advance(calls[which % len(calls)])

    def asterisk_dies(self) -> None:
        self.asterisk = None

    def asterisk_starts(self, stuck: bool) -> None:
        self.asterisk = self._asterisk(stuck)

    # --- time, and what else goes wrong -----------------------------------------------------------------

    def time_goes_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.mono += seconds

    def clock_is_set_back(self) -> None:
        self.now -= timedelta(seconds=8)

    def ami_goes_or_comes(self) -> None:
        self.ami = not self.ami

    # --- what must always hold --------------------------------------------------------------------------

    @invariant()
    def no_phone_rings_twice(self) -> None:
        rung = Counter(dial for _, dial in rings(self.rang))
        assert all(times == 1 for times in rung.values()), rung

    def teardown(self) -> None:
        """All is well again: then everybody comes to an end."""
        try:
            if hasattr(self, "store"):
                self._finish()
                self.no_phone_rings_twice()
                self.do(self._count())
        finally:
            self.do(self.stack.aclose())
            self.runner.close()
            shutil.rmtree(self.folder)

    def _finish(self) -> None:
        self.ami = True
        if self.asterisk is None:
            self.asterisk = self._asterisk(stuck=False)
        if not self.running:
            self.running = True
            self.do(self.store.set_state(NAME, CampaignState.RUNNING, "test", self.now))
        self._start(None)
        for _ in range(200):
            self.dial(None, 1)
            for _ in range(4):
                self.asterisk_works(4, 0)
            self.pursue(None)
            self.time_goes_by(2.0)
            if self.do(self.store.campaign(NAME)).state is CampaignState.DONE:
                return
        raise AssertionError(f"not done: {self.do(self.store.status(NAME, self.now))}")

    async def _count(self) -> None:
        contacts = await self.store.contacts(NAME)
        assert len(contacts) == CONTACTS
        states = {contact.state for contact in contacts}
        assert states <= {ContactState.DONE, ContactState.HELD}, states
        rung = Counter(attempt for attempt, _ in rings(self.rang))
        async for row in self.store.attempts(NAME):
            if row.disposition in NOT_DIALLED:
                assert not rung[row.order.attempt], row
            elif row.disposition is not Disposition.INTERRUPTED:
                assert rung[row.order.attempt], row
        assert (await self.store.audit(NAME)).sound


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(
    max_examples=25,
    stateful_step_count=6,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    database=None,
)
