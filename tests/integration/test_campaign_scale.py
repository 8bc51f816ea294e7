"""Category: integration. Two machines, each a real Asterisk and a dialler, call on one real PostgreSQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.integration.machines import Machine, campaign, contacts, gateway, most_at_once, most_within, until
from tests.postgres import fresh_database
from voicebot.campaign.attempt import Disposition
from voicebot.campaign.contact import ContactState
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.integration

EACH = 150
AT_ONCE = 12
A_SECOND = 12.0
BURST_S = 0.5


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    url = fresh_database()
    both = Machine(tmp_path / "one", url), Machine(tmp_path / "two", url)
    try:
        for each in both:
            each.up()
        yield both
    finally:
        for each in both:
            each.down()


async def test_two_machines_call_each_contact_once_within_the_limits_and_one_may_be_killed(
    machines: tuple[Machine, Machine],
) -> None:
    one, two = machines
    now = datetime.now(UTC)
    async with Store.open(one.store_url) as store, gateway(store):
        for name, area, pacing in (
            ("crowd", "202", {"calls_per_second": 100, "concurrent": AT_ONCE}),
            ("quick", "303", {"calls_per_second": A_SECOND, "concurrent": 100}),
        ):
            await store.create_campaign(
                campaign(name, pacing={**pacing, "trunk_failures": 1}), one.folder, now
            )
            await store.add_contacts(name, contacts(area, EACH), now)
        victim = one.start()
        two.start()
        await until(lambda: diallers(store, 2), 15, "two diallers")
        for name in ("crowd", "quick"):
            await store.set_state(name, CampaignState.RUNNING, "test", datetime.now(UTC))
        await until(lambda: rang(one, EACH // 4), 30, "the first machine calls")
        victim.kill()
        victim.wait()
        begun = len(two.rang())
        await until(lambda: rang(two, begun + EACH // 4), 30, "the second machine goes on alone")
        one.start()
        await until(lambda: done(store, "crowd", "quick"), 60, "both campaigns are done")
        attempts = {name: [row async for row in store.attempts(name)] for name in ("crowd", "quick")}
        states = Counter([each.state for name in attempts for each in await store.contacts(name)])
        for name in attempts:
            assert (await store.audit(name)).sound
        crowded = await most_open(store, "crowd")
    calls = one.rang() + two.rang()
    times = Counter(each.number for each in calls)
    assert len(times) == 2 * EACH
    assert set(times.values()) == {1}
    assert states == {ContactState.DONE: 2 * EACH}
    became = Counter(row.disposition for rows in attempts.values() for row in rows)
    assert became[Disposition.BUSY] == 2 * EACH
    assert set(became) <= {Disposition.BUSY, Disposition.NOT_HANDED}
    assert min(len(one.rang()), len(two.rang())) >= EACH // 4
    # The limits hold over both machines together.
    assert AT_ONCE / 2 < most_at_once([each for each in calls if each.number.startswith("+1202")]) <= AT_ONCE
    assert crowded <= AT_ONCE
    claims = [row.claimed_at.timestamp() for row in attempts["quick"]]
    for seconds in (1.0, 5.0):
        assert most_within(claims, seconds) <= A_SECOND * (seconds + BURST_S) + 1
    assert most_within(claims, 5.0) > A_SECOND * 5 / 2
    assert one.left() == two.left() == {}


async def diallers(store: Store, count: int) -> bool:
    return len(await store.diallers(datetime.now(UTC))) == count


async def rang(machine: Machine, count: int) -> bool:
    return len(machine.rang()) >= count


async def done(store: Store, *names: str) -> bool:
    return all([(await store.campaign(name)).state is CampaignState.DONE for name in names])


async def most_open(store: Store, name: str) -> int:
    """How many attempts were open at the same time, in the order of commits; times are taken before them."""
    most = count = 0
    async for entry in store.entries(name):
        count += {"claimed": 1, "closed": -1}.get(entry.kind, 0)
        most = max(most, count)
    return most
