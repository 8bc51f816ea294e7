"""Category: simulator. No database, spool or Asterisk, a clock set back: it says so, waits, and resumes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.simulator.dialling.asterisk import SpoolAsterisk, rings
from tests.simulator.dialling.kills import NAME, POLICY, TRUNK, campaign, everybody
from voicebot.campaign.attempt import AnsweredBy, CallResult, DialResult, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.verdict import Verdict
from voicebot.outbound.dialler import Dialler
from voicebot.outbound.dialler_book import Book
from voicebot.outbound.dialler_hands import CallFileHands
from voicebot.outbound.dialler_health import Health
from voicebot.outbound.dialler_places import Places
from voicebot.outbound.dialler_spool import sole_dialler
from voicebot.outbound.spool import Spool
from voicebot.store.rows import CampaignState, Judge, NewContact
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator


class World:
    """A dialler at work, with a model of Asterisk that may be switched off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spool_folder, self.rang = folder / "spool", folder / "rang"
        self.database = folder / "store.db"
        self.asterisk_works = True
        self.ahead = timedelta(0)
        self.judge: Judge = everybody
        SpoolAsterisk.lay_out(self.spool_folder)
        self.asterisk = SpoolAsterisk(self.spool_folder, self.rang)
        self.spool = Spool(self.spool_folder, reserve_mb=1)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    @property
    def rung(self) -> int:
        return len(rings(self.rang))

    @property
    def waiting(self) -> int:
        """Files that Asterisk did not come to yet."""
        return len({path.name for path in self.spool.outgoing.iterdir()} - set(self.asterisk.calls()))

    def dialler_of(self, store: Store) -> Dialler:
        return Dialler(
            store,
            self.spool,
            {"callfile": CallFileHands(self.spool)},
            name="test",
            policy=POLICY,
            trunk_of=lambda _: TRUNK,
            judge=self.judge,
            longest_call=timedelta(minutes=10),
            now=self.now,
        )

    @asynccontextmanager
    async def at_work(
        self, contacts: int = 2000, settings: Campaign | None = None, linger: asyncio.Event | None = None
    ) -> AsyncIterator[Store]:
        async with Store.open(f"sqlite:///{self.database}") as store:
            self.store = store
            await store.create_campaign(settings or campaign(), self.folder, self.now())
            rows = [
                NewContact(f"k{n}", (f"+1202555{n:04d}",), ("America/New_York",), self.now())
                for n in range(contacts)
            ]
            await store.add_contacts(NAME, rows, self.now())
            await store.set_state(NAME, CampaignState.RUNNING, "test", self.now())
            self.dialler = self.dialler_of(store)
            tasks = [asyncio.create_task(self._asterisk()), asyncio.create_task(self._gateway())]
            self.running = asyncio.create_task(self.dialler.run(linger))
            try:
                yield store
            finally:
                self.dialler.stop()
                await self.running
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def _asterisk(self) -> None:
        while True:
            if self.asterisk_works:
                self.asterisk.scan()
                self.asterisk.advance()
            await asyncio.sleep(0.002)

    async def _gateway(self) -> None:
        while True:
            try:
                await self.store.gateway_alive("gateway", 10_000, 0, self.now())
            except Exception as error:  # the database is away: that is what is tested
                assert type(error).__name__ == "StoreUnavailable"
            await asyncio.sleep(0.5)


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]], within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while True:
            found: Any = true()
            if await found if asyncio.iscoroutine(found) else found:
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def told(logs: list[Any], because: str) -> list[Any]:
    return [entry for entry in logs if entry.get("because") == because]


async def test_a_database_that_is_locked_stops_dialling_and_it_resumes_by_itself(world: World) -> None:
    with capture_logs() as logs:
        async with world.at_work():
            await until(lambda: world.rung > 20, 10)
            lock = sqlite3.connect(world.database, isolation_level=None, check_same_thread=False)
            await asyncio.to_thread(lock.execute, "BEGIN EXCLUSIVE")
            await asyncio.sleep(1.0)
            stopped = world.rung
            await asyncio.sleep(2.0)
            assert world.rung == stopped
            lock.execute("ROLLBACK")
            lock.close()
            await until(lambda: world.rung > stopped + 20, 5)
    assert len(told(logs, "database")) == 1
    assert [entry for entry in logs if entry["event"] == "works again" and entry["what"] == "database"]


async def test_a_spool_that_cannot_be_written_is_told_once_and_nobody_is_lost(world: World) -> None:
    with capture_logs() as logs:
        async with world.at_work() as store:
            await until(lambda: world.rung > 20, 10)
            away = world.spool.aside.with_name("aside.away")
            world.spool.aside.rename(away)
            world.spool.aside.touch()  # nor can the folder be made again
            await until(lambda: bool(told(logs, "spool")), 2)
            await asyncio.sleep(0.5)
            stopped = world.rung
            claimed = (await store.status(NAME, world.now())).contacts
            await asyncio.sleep(1.5)
            assert world.rung == stopped
            assert (await store.status(NAME, world.now())).contacts["due"] == claimed["due"]
            world.spool.aside.unlink()
            away.rename(world.spool.aside)
            await until(lambda: world.rung > stopped + 20, 5)
            await until(lambda: _nothing_older(store, world, 3), 10)
    assert len(told(logs, "spool")) <= 2


async def _nothing_older(store: Store, world: World, seconds: float) -> bool:
    """Whether no attempt is open that was claimed longer ago."""
    limit = world.now() - timedelta(seconds=seconds)
    return all(row.claimed_at > limit for row in await store.open_attempts())


async def test_an_asterisk_that_is_away_is_not_given_more_and_more_files(world: World) -> None:
    with capture_logs() as logs:
        async with world.at_work(
            settings=campaign(pacing={"calls_per_second": 5, "concurrent": 500})
        ) as store:
            await until(lambda: world.rung > 3, 10)
            world.asterisk_works = False
            await until(lambda: bool(told(logs, "asterisk")), 15)
            await until(lambda: len(list(world.spool.outgoing.iterdir())) == 1, 4)  # it tells of the return
            await asyncio.sleep(1.5)
            assert len(list(world.spool.outgoing.iterdir())) == 1
            assert len(told(logs, "asterisk")) == 1
            world.asterisk_works = True
            rung = world.rung
            await until(lambda: world.rung > rung + 10, 10)
            assert await store.open_attempts() is not None


async def test_a_clock_that_is_set_back_stops_it_until_the_clock_is_right(world: World) -> None:
    with capture_logs() as logs:
        async with world.at_work():
            await until(lambda: world.rung > 20, 10)
            world.ahead = -timedelta(minutes=10)
            await until(lambda: bool(told(logs, "clock")), 2)
            await asyncio.sleep(0.5)
            stopped = world.rung
            await asyncio.sleep(1.0)
            assert world.rung == stopped
            world.ahead = timedelta(0)
            await until(lambda: world.rung > stopped + 20, 5)


async def test_pause_stops_and_takes_back_within_a_second(world: World) -> None:
    async with world.at_work() as store:
        await until(lambda: world.rung > 20, 10)
        world.asterisk_works = False
        await until(lambda: world.waiting > 5, 5)
        await store.set_state(NAME, CampaignState.PAUSED, "test", world.now())
        await until(lambda: not world.waiting, 1)
        rung, begun = world.rung, len(world.asterisk.calls())  # some may be past the fence
        world.asterisk_works = True
        await asyncio.sleep(1.0)
        assert world.rung <= rung + begun
        status = await store.status(NAME, world.now())
        assert status.dispositions["cancelled"] > 0
        await store.set_state(NAME, CampaignState.RUNNING, "test", world.now())
        await until(lambda: world.rung > rung + 20, 2)


@pytest.mark.parametrize("steps", range(6))
async def test_who_is_told_to_stop_while_a_campaign_ends_does_stop(world: World, steps: int) -> None:
    """Of all moments: both are waited for at once, and neither may take the other's end for its own."""
    async with world.at_work(contacts=30):
        await until(lambda: bool(world.dialler._running), 5)
        (known,) = world.dialler._running.values()
        end, ends = known.stopping.set, list[asyncio.Task[None]]()

        async def end_soon() -> None:
            for _ in range(steps):  # of the event loop
                await asyncio.sleep(0)
            end()

        def end_both() -> None:
            world.dialler.stop()
            ends.append(asyncio.create_task(end_soon()))

        known.stopping.set = end_both  # type: ignore[method-assign]
        async with asyncio.timeout(20):
            await asyncio.shield(world.running)


async def test_a_revocation_reaches_what_is_spooled(world: World) -> None:
    async with world.at_work(contacts=3) as store:
        world.asterisk_works = False
        await until(lambda: len(list(world.spool.outgoing.iterdir())) == 3, 5)
        await store.opt_out("+12025550001", "by letter", world.now())
        await until(lambda: len(list(world.spool.outgoing.iterdir())) == 2, 2)
        world.asterisk_works = True
        await until(lambda: world.rung == 2, 5)
        await until(lambda: _done(store), 5)
        assert "+12025550001" not in " ".join(dial for _, dial in rings(world.rang))


async def _done(store: Store) -> bool:
    return (await store.campaign(NAME)).state is CampaignState.DONE


async def test_who_is_told_to_stop_leaves_nothing_undialled_in_the_spool(world: World) -> None:
    async with world.at_work() as store:
        await until(lambda: world.rung > 20, 10)
        world.asterisk_works = False
        await until(lambda: world.waiting > 3, 5)
        world.dialler.stop()
        async with asyncio.timeout(2):
            await world.running
        assert not world.waiting
        for row in await store.open_attempts():
            journal = world.spool.traces(row.order.attempt).journal
            assert journal is not None
            assert journal.dialled


def test_a_spool_has_one_dialler_whose_name_outlives_it(tmp_path: Path) -> None:
    with sole_dialler(tmp_path) as first:
        assert first
        with sole_dialler(tmp_path) as second:
            assert second is None
    with sole_dialler(tmp_path) as again:
        assert again == first


async def test_a_result_that_waits_for_the_database_comes_in_time_after_a_restart(world: World) -> None:
    async with Store.open(f"sqlite:///{world.database}") as store:
        now = world.now()
        await store.create_campaign(campaign(), world.folder, now)
        await store.add_contacts(NAME, [NewContact("k", ("+12025550000",), ("America/New_York",), now)], now)
        await store.set_state(NAME, CampaignState.RUNNING, "test", now)
        claimed = await store.claim(
            NAME, dialler="test", most=1, now=now, policy=POLICY, trunk=TRUNK, judge=everybody
        )
        (order,) = claimed.orders
        world.ahead = timedelta(minutes=10)  # so long the dialler was down
        await store.close_dial(DialResult(order.attempt, Disposition.ANSWERED, now), world.now())
        dialler = world.dialler_of(store)
        await dialler.recover()
        assert len(await store.open_attempts()) == 1
        back = now + timedelta(days=1)
        result = CallResult(order.attempt, now, now, AnsweredBy.PERSON, "call_back", call_back=back)
        await store.finish_call(result, world.now())
        (contact,) = await store.contacts(NAME)
        assert contact.due == back.replace(microsecond=back.microsecond // 1000 * 1000)
        dialler.pursuit.hint(order.attempt)
        await dialler.pursuit.turn()
        assert len(dialler.book) == 0


async def test_a_campaign_that_a_mistake_of_ours_ends_is_not_begun_again_at_once(world: World) -> None:
    def broken(*_: object) -> Verdict:
        raise ValueError("a mistake")

    world.judge = broken
    with capture_logs() as logs:
        async with world.at_work(contacts=1):
            await until(lambda: any("mistake" in entry["event"] for entry in logs), 5)
            await asyncio.sleep(1.0)
    assert sum("mistake" in entry["event"] for entry in logs) == 1


async def test_after_an_answered_call_without_a_gateway_only_a_new_word_of_one_counts(world: World) -> None:
    async with Store.open(f"sqlite:///{world.database}") as store:
        await store.create_campaign(campaign(), world.folder, world.now())
        await store.gateway_alive("gateway", 10, 0, world.now())
        health = Health(lambda: 0.0)
        places = Places(store, Book(), health, now=world.now, mono=lambda: 0.0)
        assert (await places.load(NAME)).free == 10
        places.unserved(world.now())
        assert (await places.load(NAME)).free == 0 and health.is_bad("gateways")
        await asyncio.sleep(0.005)  # times in the database are whole milliseconds
        await store.gateway_alive("gateway", 10, 0, world.now())
        places.unserved(places._unserved_at or world.now())
        assert (await places.load(NAME)).free == 10 and not health.is_bad("gateways")


async def test_a_gateway_that_died_before_the_clock_was_set_back_is_dead(world: World) -> None:
    async with Store.open(f"sqlite:///{world.database}") as store:
        await store.gateway_alive("gateway", 10, 0, world.now())
        world.ahead = -timedelta(hours=1)
        assert await store.gateways(world.now()) == () and await store.room(world.now()) == 0
        await store.gateway_alive("gateway", 10, 0, world.now())
        assert await store.room(world.now()) == 10


async def test_calls_that_end_after_we_were_told_to_stop_are_closed_while_the_gateway_ends(
    world: World,
) -> None:
    world.asterisk_works = False
    async with world.at_work(contacts=1, linger=asyncio.Event()) as store:
        await until(lambda: world.waiting == 1, 10)
        world.asterisk.scan()
        while not world.rung:
            world.asterisk.advance()
        world.dialler.stop()
        await asyncio.sleep(0.3)  # had it not waited, it would be over by now
        assert not world.running.done()
        world.asterisk_works = True
        await until(world.running.done, 5)
        assert not await store.open_attempts()
