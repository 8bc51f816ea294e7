"""Simulator: whatever happens in whatever order, the store stays of one piece; both databases."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from tests.postgres import fresh_database
from tests.simulator.store.making import NOW, SECOND, always, call, campaign, claim, contacts, running
from voicebot.campaign.attempt import NOT_DIALLED, AnsweredBy, AttemptState, DialResult, Disposition
from voicebot.campaign.contact import ContactState
from voicebot.campaign.verdict import Ruling
from voicebot.store import tables
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

PEOPLE = 4
_areas = itertools.count(210)

STEPS = st.one_of(
    st.tuples(st.just("claim"), st.integers(1, 3)),
    st.tuples(st.just("rule"), st.sampled_from([Ruling.DEFERRED, Ruling.REFUSED, Ruling.HALTED])),
    st.tuples(st.just("dial"), st.integers(0, 5), st.sampled_from(list(Disposition))),
    st.tuples(st.just("call"), st.integers(0, 5), st.sampled_from(list(AnsweredBy)), st.booleans()),
    st.tuples(
        st.just("give_up"), st.integers(0, 5), st.sampled_from([Disposition.INTERRUPTED, Disposition.EXPIRED])
    ),
    st.tuples(st.just("progress"), st.integers(0, 5)),
    st.tuples(st.just("opt_out"), st.integers(0, PEOPLE - 1)),
    st.tuples(st.just("erase"), st.integers(0, PEOPLE - 1)),
    st.tuples(st.just("import"), st.integers(1, PEOPLE + 2)),
    st.tuples(st.just("release")),
    st.tuples(st.just("refuse"), st.integers(0, PEOPLE - 1)),
    st.tuples(st.just("state"), st.sampled_from([CampaignState.RUNNING, CampaignState.PAUSED])),
    st.tuples(st.just("wait"), st.sampled_from([1, 700, 4000])),
)


class World:
    """A store, and a loop to run it."""

    def __init__(self, url: str) -> None:
        self.runner = asyncio.Runner()
        self._opening = Store.open(url, patience_s=5)
        self.store = self.runner.run(self._opening.__aenter__())

    def close(self) -> None:
        self.runner.run(self._opening.__aexit__(None, None, None))
        self.runner.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("store")
    made = World(f"sqlite:///{folder}/store.db" if request.param == "sqlite" else fresh_database())
    yield made
    made.close()


@given(st.lists(STEPS, min_size=3, max_size=25))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_stays_of_one_piece(world: World, steps: list[tuple[Any, ...]]) -> None:
    world.runner.run(play(world.store, steps))


async def play(store: Store, steps: list[tuple[Any, ...]]) -> None:
    await store.forgive_clock(NOW - SECOND)  # of the example before
    area = str(next(_areas))
    name = f"c{area}"
    await running(store, PEOPLE, campaign(name), area=area)
    ids: list[str] = []
    now = NOW
    for what, *given_ in steps:
        now += SECOND
        if what == "claim":
            ids += [order.attempt for order in (await claim(store, name, given_[0], now)).orders]
        elif what == "rule":
            until = now + timedelta(minutes=5)
            await claim(store, name, 1, now, always(given_[0], until=until))
        elif what == "opt_out":
            await store.opt_out(f"+1{area}555{given_[0]:04}", "test", now)
        elif what == "erase":
            await store.erase(f"+1{area}555{given_[0]:04}", now)
        elif what == "import":
            await store.add_contacts(name, contacts(given_[0], area), now)
        elif what == "release":
            await store.release_held(name, now)
        elif what == "refuse":
            await store.refuse(name, [f"row {given_[0]}"], "test", now)
        elif what == "state":
            await store.set_state(name, given_[0], "test", now)
        elif what == "wait":
            now += given_[0] * SECOND
        elif ids:
            id = ids[given_[0] % len(ids)]
            if what == "dial":
                await store.close_dial(DialResult(id, given_[1], now))
            elif what == "call":
                await store.finish_call(call(id, now, answered_by=given_[1], opted_out=given_[2]), now)
            elif what == "give_up":
                await store.give_up(id, given_[1], now)
            else:
                await asyncio.gather(
                    store.handed([id], now), store.dialling(id, now), store.answered(id, now)
                )
    await check(store, name)


async def check(store: Store, name: str) -> None:
    """The invariants, counted from the rows themselves."""
    status = await store.status(name, NOW)
    rows = [row async for row in store.attempts(name)]
    people = await store.contacts(name)
    open_ = [row for row in rows if row.state is not AttemptState.CLOSED]
    assert len({row.contact for row in open_}) == len(open_), "two open attempts of one contact"
    busy = {contact.id for contact in people if contact.state is ContactState.BUSY}
    assert busy <= {row.contact for row in open_}, "a contact is busy, but nobody calls them"
    held = {contact.id for contact in people if contact.state is ContactState.DUE}
    assert not held & {row.contact for row in open_}, "a contact is due while they are called"
    states = Counter(contact.state for contact in people)
    assert {state: n for state, n in status.contacts.items() if n} == states
    closed = [row for row in rows if row.disposition is not None]
    assert status.dispositions == Counter(row.disposition for row in closed)
    calls = [row for row in rows if row.disposition not in NOT_DIALLED]
    assert sum(status.calls.values()) == len(calls)
    assert sum(status.minutes.values()) == sum(row.minutes for row in calls)
    assert sum(contact.attempts for contact in people) == len([row for row in calls if row.disposition])
    async with store._database.reading() as connection:
        counted = select(func.count()).select_from(tables.attempts).where(tables.attempts.c.state != "closed")
        assert len(await store.open_attempts()) == (await connection.execute(counted)).scalar_one()
    for chain in (name, ""):
        audit = await store.audit(chain)
        assert audit.sound, audit.problems
