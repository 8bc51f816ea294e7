"""The dialler: it claims who is due in running campaigns, hands them to Asterisk, and follows each call.

    async with asyncio.TaskGroup() as group:
        dialler = Dialler(store, spool, name=..., policy=..., trunk_of=..., judge=judge, ...)
        group.create_task(dialler.run())
        ...
        dialler.stop()

What it must never do is call somebody twice, or forget somebody. So: an attempt is committed before anything
leaves us; what became of it is told by files that Asterisk writes, and those are removed only after what they
say is committed; and at each start everything open is judged by its traces (recovery.py).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog

from voicebot.campaign.attempt import Disposition, Order
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.pacing import Pacer
from voicebot.campaign.rules.policy import Policy, Trunk
from voicebot.errors import UserError
from voicebot.outbound.dialler_book import Book, Entry
from voicebot.outbound.dialler_campaign import CampaignRun
from voicebot.outbound.dialler_hands import Hands
from voicebot.outbound.dialler_health import Health
from voicebot.outbound.dialler_places import Places
from voicebot.outbound.dialler_pursuit import Pursuit
from voicebot.outbound.dialler_recall import Recall
from voicebot.outbound.recovery import NO_GATEWAY, Live, Open
from voicebot.outbound.spool import Spool, Traces
from voicebot.outbound.spool_health import SpoolUnavailable
from voicebot.store.errors import StoreUnavailable
from voicebot.store.rows import AttemptRow, CampaignRow, CampaignState, Judge
from voicebot.store.store import Store

WATCH_S = 0.25
"""How often Asterisk and the spool are looked at, and whether the store told of a change."""
ASK_S = 1.0
"""How often the store is asked for campaigns' states and revocations, though it told of no change."""
PURSUE_S = 0.05
HEARTBEAT_S = 5.0
RENEW_S = 10.0
SWEEP_S = 30.0
LINGER_S = 2.0
"""After a gateway has ended: Asterisk's word on its last call comes a moment later."""
STRAYS_S = 600.0
"""How often files are looked for that Asterisk left after their attempt was closed."""
AFTER_MISTAKE_S = 10.0
"""So long until a campaign is begun again that a mistake of ours ended."""
UNANSWERED_CLAIM = timedelta(seconds=10)
"""A claim that was answered is in the book long before."""
FOREIGN_PATIENCE = timedelta(minutes=10)
"""So long after an attempt must be over its own dialler may come back and tell what became of it."""

log = structlog.get_logger(__name__)


@dataclass
class _Running:
    run: CampaignRun
    task: asyncio.Task[None]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class Dialler:
    """One spool's dialler.

    hands:    the ways to hand over, by name (`callfile`, `originate`)
    trunk_of: a campaign's way out; may raise UserError
    live:     asks Asterisk which attempts have channels, None where it cannot be asked
    holds_back: why nobody of a campaign may be called yet; "" where they may
    """

    def __init__(
        self,
        store: Store,
        spool: Spool,
        hands: Mapping[str, Hands],
        *,
        name: str,
        policy: Policy,
        trunk_of: Callable[[Campaign], Trunk],
        judge: Judge,
        longest_call: timedelta,
        live: Callable[[], Awaitable[Live | None]] | None = None,
        holds_back: Callable[[str], str] = lambda campaign: "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        mono: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.book = Book()
        self.health = Health(mono)
        self._store, self._spool, self._hands = store, spool, hands
        self._holds_back = holds_back
        self._policy, self._trunk_of, self._judge = policy, trunk_of, judge
        self._longest_call = longest_call
        self._now, self._mono = now, mono
        self._places = Places(store, self.book, self.health, now=now, mono=mono)
        self.pursuit = Pursuit(
            store,
            spool,
            self.book,
            self.health,
            now=now,
            mono=mono,
            longest_call=longest_call,
            again=self._again,
            finished=self._finished,
            live=live,
        )
        self.recall = Recall(
            store,
            self.book,
            self.health,
            self.pursuit,
            name=name,
            lists_of=self._lists_of,
            now=now,
            mono=mono,
        )
        self._running: dict[str, _Running] = {}
        self._runs: dict[str, CampaignRun] = {}
        self._pacers: dict[tuple[object, ...], Pacer] = {}
        self._ways: dict[str, str] = {}
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        self._ask_at = 0.0
        self._refused: dict[str, str] = {}
        self._again_at: dict[str, float] = {}
        self._strays_at = mono() + STRAYS_S
        self._became: Counter[str] = Counter()

    # --- life -------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Dial no more; `run` returns once hand-overs that began are finished."""
        self._stopping.set()

    async def run(self, linger: asyncio.Event | None = None) -> None:
        """Dial until `stop()`. What is open then is found again by the next start.

        linger: a gateway in this process has not ended yet: its calls are followed to their end meanwhile,
                and for a moment after it is set
        """
        if not await self._patiently(self.recover):
            return
        tasks = [
            asyncio.create_task(self._every(PURSUE_S, self.pursuit.turn), name="pursuit"),
            asyncio.create_task(self._every(HEARTBEAT_S, self._heartbeat), name="heartbeat"),
            asyncio.create_task(self._every(RENEW_S, self._renew), name="leases"),
            asyncio.create_task(self._every(SWEEP_S, self._sweep), name="sweep"),
            asyncio.create_task(self._every(WATCH_S, self._listen), name="changes"),
        ]
        try:
            watch = asyncio.create_task(self._every(WATCH_S, self.watch), name="campaigns")
            stopping = asyncio.create_task(self._stopping.wait())
            done, _ = await asyncio.wait({*tasks, watch, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a mistake of ours: not in silence
        finally:
            for task in (watch, stopping):
                task.cancel()
            await asyncio.gather(watch, stopping, return_exceptions=True)
            await self._wind_up()
            if linger is not None and self._stopping.is_set():
                await self._follow_the_last(linger)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def recover(self) -> None:
        """Take up all that was open when this dialler ended. Raises StoreUnavailable, SpoolUnavailable."""
        for campaign in await self._store.campaigns():
            self._ways[campaign.name] = campaign.settings.way
        rows = await self._store.open_attempts(dialler=self.name)
        self.take_up(rows)
        await self._store.renew_leases(self.name, self._now())
        await self.pursuit.turn()
        strays = await self.pursuit.strays()
        if rows or strays:
            log.info("taken up again", open=len(rows), still_open=len(self.book), tidied=strays)

    def take_up(self, rows: tuple[AttemptRow, ...]) -> None:
        """Look after attempts, as the database knows them."""
        for row in rows:
            way = self._ways.get(row.order.campaign, "originate")  # of which less can be known
            self.book.add(Open.of(row, way, self._now()), self._mono(), self._mono())

    async def _wind_up(self) -> None:
        """Finish hand-overs, take back what was not dialled, tell how the rest stands."""
        for name in tuple(self._running):
            await self._end_run(name)
        undialled = [entry for entry in self.book if entry.undialled]
        if undialled:
            await self.pursuit.cancel(undialled, "the dialler ended")
        log.info("dialler ended", still_open=len(self.book))

    async def _follow_the_last(self, gateway_ended: asyncio.Event) -> None:
        """While a gateway serves its last calls, close them; nobody else would until the next start."""
        until: float | None = None
        while len(self.book) and (until is None or self._mono() < until):
            if until is None and gateway_ended.is_set():
                until = self._mono() + LINGER_S
            await asyncio.sleep(PURSUE_S)

    # --- campaigns --------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        """Be told by the store that somebody paused a campaign, or revoked."""
        async for _ in self._store.changes():
            self._changed.set()

    async def watch(self) -> None:
        """Do as the store wants where something changed; look whether Asterisk and the spool are there."""
        if self._changed.is_set() or self._mono() >= self._ask_at:
            self._changed.clear()
            self._ask_at = self._mono() + ASK_S
            await self.obey()
        await self.recall.unheard()
        await self._look_at_spool()

    async def obey(self) -> None:
        """Begin and end the runs of campaigns as their states want it; take back what is revoked."""
        try:
            rows = {row.name: row for row in await self._store.campaigns(CampaignState.RUNNING)}
        except StoreUnavailable as error:
            self.health.bad("database", str(error))
            return
        for name in set(self._running) - set(rows):
            await self._end_run(name)
        for entry in self.book:  # also those that a run handed over while it ended
            if entry.undialled and entry.campaign not in rows:
                await self.recall.campaign(entry.campaign)
                break
        for name, row in rows.items():
            known = self._running.get(name)
            if known is not None and (known.run.settings != row.settings or known.task.done()):
                await self._end_run(name)
                known = None
            if known is None:
                self._begin_run(row)
        await self.recall.revoked()

    def _begin_run(self, row: CampaignRow) -> None:
        if self._mono() < self._again_at.get(row.name, 0.0):
            return
        self._again_at.pop(row.name, None)
        try:
            run = self.run_of(row)
        except UserError as error:
            if self._refused.get(row.name) != str(error):
                log.error("campaign cannot be dialled", campaign=row.name, why=str(error))
            self._refused[row.name] = str(error)
            return
        self._refused.pop(row.name, None)
        stopping = asyncio.Event()
        task = asyncio.create_task(run.run(stopping), name=f"campaign {row.name}")
        self._running[row.name] = _Running(run, task, stopping)
        log.info("campaign runs", campaign=row.name, way=row.settings.way)

    def run_of(self, row: CampaignRow) -> CampaignRun:
        """Return what dials for a campaign. Raises UserError where voicebot.toml does not let it."""
        hands = self._hands.get(row.settings.way)
        if hands is None:
            raise UserError(
                f"the campaign wants `way: {row.settings.way}`, which is not set up here",
                "set asterisk.ami_password for `originate`, or use `way: callfile`",
            )
        self._ways[row.name] = row.settings.way
        run = self._runs[row.name] = CampaignRun(
            row,
            self._store,
            self.book,
            self.health,
            self._places,
            hands,
            dialler=self.name,
            policy=self._policy,
            trunk=self._trunk_of(row.settings),
            judge=self._judge,
            now=self._now,
            mono=self._mono,
            holds_back=self._holds_back,
        )
        paces = (row.name, row.settings.pacing, row.settings.ring_s)
        run.pacer = self._pacers.setdefault(paces, run.pacer)  # what it learned outlives a pause
        return run

    async def _end_run(self, name: str) -> None:
        """End a campaign's run, and take back what it left. Who is cancelled here leaves it to `_wind_up`."""
        known = self._running[name]
        self._runs.pop(name, None)
        known.stopping.set()
        await asyncio.wait({known.task})  # to await the task itself would pass a cancellation on to it
        self._running.pop(name, None)
        if (mistake := known.task.exception()) is not None:
            self._again_at[name] = self._mono() + AFTER_MISTAKE_S
            log.error("campaign ended by a mistake of ours", campaign=name, exc_info=mistake)
        if not self._stopping.is_set():
            await self.recall.campaign(name)
            log.info("campaign does not run any more", campaign=name)

    def _lists_of(self, name: str) -> Sequence[str]:
        run = self._runs.get(name)
        return run.settings.do_not_call if run is not None else ()

    async def _look_at_spool(self) -> None:
        if self.health.is_bad("spool"):
            try:
                await asyncio.to_thread(self._spool.prepare)
            except SpoolUnavailable as error:
                self.health.bad("spool", str(error))
            else:
                self.health.good("spool")

    # --- attempts ---------------------------------------------------------------------------------------

    async def _again(self, orders: list[Order]) -> None:
        """Hand over what a crash, or a spool that was full, kept from it. Under the same ids."""
        for name in {order.campaign for order in orders}:
            if (run := self._runs.get(name)) is not None:  # else `watch` begins it, or takes them back
                await run.hand_over([order for order in orders if order.campaign == name])

    def _finished(self, entry: Entry, disposition: Disposition, traces: Traces) -> None:
        self._became[disposition] += 1
        if traces.journal is not None and traces.journal.unserved == NO_GATEWAY:
            self._places.unserved(self._now())
        log.debug("attempt closed", campaign=entry.campaign, attempt=entry.id, disposition=str(disposition))
        if (run := self._runs.get(entry.campaign)) is not None:
            run.ended(entry, disposition, traces)

    async def _heartbeat(self) -> None:
        why = self.health.why()
        detail = f"waits: {why}" if why else f"{len(self.book)} open"
        await self._store.dialler_alive(self.name, self._now(), detail)
        self.health.good("database")

    async def _renew(self) -> None:
        """Keep what is ours; take up what was committed although the database's answer never came."""
        now = self._now()
        await self._store.renew_leases(self.name, now)
        for row in await self._store.open_attempts(dialler=self.name):
            if self.book.get(row.order.attempt) is None and now - row.claimed_at > UNANSWERED_CLAIM:
                self.take_up((row,))

    async def _sweep(self) -> None:
        """What is done now and then: old once-keys, and attempts whose dialler never came back."""
        now = self._now()
        if self._became:
            log.info("calls", open=len(self.book), **self._became)
            self._became.clear()
        await asyncio.to_thread(self._spool.sweep, now)
        if self._mono() >= self._strays_at:
            self._strays_at = self._mono() + STRAYS_S
            await self.pursuit.strays()
        for row in await self._store.open_attempts():
            if row.dialler == self.name or row.lease_until > now:
                continue
            talk = self._longest_call if row.answered_at else timedelta(0)
            over = row.order.expires + timedelta(seconds=row.order.ring_s) + talk + FOREIGN_PATIENCE
            if now >= over:
                why = f"dialler {row.dialler} did not come back to tell what became of it"
                await self._store.give_up(row.order.attempt, Disposition.INTERRUPTED, now, why)
                log.warning("given up", attempt=row.order.attempt, dialler=row.dialler)

    # --- helpers ----------------------------------------------------------------------------------------

    async def _every(self, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
        """Do it again and again; a database or spool that is away is told once, and tried on."""
        while True:
            try:
                await work()
            except StoreUnavailable as error:
                self.health.bad("database", str(error))
            except SpoolUnavailable as error:
                self.health.bad("spool", str(error))
            await asyncio.sleep(seconds)

    async def _patiently(self, work: Callable[[], Awaitable[object]]) -> bool:
        """Do it once it can be done. False: told to stop before."""
        while not self._stopping.is_set():
            try:
                await work()
            except StoreUnavailable as error:
                self.health.bad("database", str(error))
            except SpoolUnavailable as error:
                self.health.bad("spool", str(error))
            else:
                self.health.good("database")
                self.health.good("spool")
                return True
            await asyncio.sleep(WATCH_S)
        return False
