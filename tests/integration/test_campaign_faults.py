"""Category: integration. A real dialler and a real Asterisk while database, AMI or spool are away."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from tests.integration.machines import Machine, campaign, contacts, gateway, until
from tests.postgres import fresh_database
from tests.simulator.store.proxy import Proxy, socket_of, through
from voicebot.campaign.attempt import Disposition
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.integration

STOPS_S = 1.0
RESUMES_S = 5.0
AWAY_S = 3.0
PACE = {"calls_per_second": 10, "concurrent": 50, "trunk_failures": 1}
FILES, ORIGINATED = "files", "originated"

Undo = Callable[[], Awaitable[None]]


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "one", fresh_database())
    try:
        machine.up()
        yield machine
    finally:
        machine.down()


class Faults:
    """What goes wrong; each returns what puts it right."""

    def __init__(self, machine: Machine, database: Proxy, ami: Proxy) -> None:
        self.machine, self._database, self._ami = machine, database, ami

    async def database_gone(self) -> Undo:
        await self._database.gone()
        return self._database.start

    async def database_silent(self) -> Undo:
        return self._silent(self._database)

    async def ami_gone(self) -> Undo:
        await self._ami.gone()
        return self._ami.start

    async def journals_hidden(self) -> Undo:
        """As by a mount over them."""
        journals = self.machine.spool.dialled
        away = journals.with_name("away")
        journals.rename(away)
        journals.mkdir()

        async def undo() -> None:
            for path in journals.iterdir():  # Asterisk goes on in what it finds
                path.unlink()
            journals.rmdir()
            away.rename(journals)

        return undo

    def _silent(self, proxy: Proxy) -> Undo:
        proxy.silent()

        async def undo() -> None:
            proxy.there()

        return undo


@asynccontextmanager
async def dialling(machine: Machine) -> AsyncIterator[tuple[Store, Faults]]:
    """A dialler at work on two campaigns, by call file and by Originate; database and AMI behind proxies."""
    url = machine.store_url
    database = Proxy(socket_of(url))
    ami = Proxy(("127.0.0.1", int(machine.asterisk.facts["ami_port"])))
    await database.start()
    await ami.start()
    machine.configure(store__url=through(database, url), asterisk__ami_port=ami.port)
    now = datetime.now(UTC)
    try:
        async with Store.open(url) as store, gateway(store):
            for name, way, area in ((FILES, "callfile", "303"), (ORIGINATED, "originate", "404")):
                await store.create_campaign(campaign(name, way=way, pacing=PACE), machine.folder, now)
                await store.add_contacts(name, contacts(area, 800), now)
                await store.set_state(name, CampaignState.RUNNING, "test", now)
            machine.start()
            yield store, Faults(machine, database, ami)
            assert await asyncio.to_thread(machine.end) == [0]
    finally:
        for proxy in (database, ami):
            proxy.there()
            await proxy.gone()


def rang(machine: Machine, area: str, since: float) -> list[float]:
    """When phones of an area began to ring, in s after `since`."""
    return sorted(
        each.begun - since for each in machine.rang() if each.number[2:5] == area and each.begun > since
    )


async def test_whatever_is_away_stops_the_dialling_at_once_and_it_resumes_by_itself(machine: Machine) -> None:
    async with dialling(machine) as (store, faults):
        for fault, because, stopped, runs in (
            (faults.database_gone, "database", ("303", "404"), ()),
            (faults.database_silent, "database", ("303", "404"), ()),
            (faults.journals_hidden, "spool", ("303", "404"), ()),
            (faults.ami_gone, "AMI is away", ("404",), ("303",)),
        ):
            what = fault.__name__
            began = time.time()
            await until(partial(ring, machine, began), 10, f"calls before {what}")
            told = len(machine.said("error", "warning"))
            undo = await fault()
            away = time.time()
            await asyncio.sleep(AWAY_S)
            for area in stopped:
                assert not [at for at in rang(machine, area, away) if at > STOPS_S], what
            for area in runs:
                assert rang(machine, area, away)[-1] > AWAY_S - STOPS_S, what
            await undo()
            back = time.time()
            await until(partial(ring, machine, back), RESUMES_S, f"calls after {what}")
            said = [
                each for each in machine.said("error", "warning")[told:] if each.get("because") == because
            ]
            assert len(said) == 1, (what, said)
        for name in (FILES, ORIGINATED):
            await store.set_state(name, CampaignState.PAUSED, "test", datetime.now(UTC))
        await until(lambda: none_open(store), 15, "all settled")
        attempts = [row async for row in store.attempts(FILES)]
        attempts += [row async for row in store.attempts(ORIGINATED)]
    times = Counter(each.number for each in machine.rang())
    assert set(times.values()) == {1}
    called = {
        row.order.number for row in attempts if row.disposition in (Disposition.BUSY, Disposition.INTERRUPTED)
    }
    assert set(times) <= called
    assert machine.left() == {}


async def ring(machine: Machine, since: float) -> bool:
    """Whether phones of both campaigns rang since then."""
    return all(rang(machine, area, since) for area in ("303", "404"))


async def none_open(store: Store) -> bool:
    return not await store.open_attempts()
