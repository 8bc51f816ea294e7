"""Simulator: claims keep to every limit, and to what the rules say, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.simulator.store.making import (
    ALLOW,
    NOW,
    POLICY,
    SECOND,
    TRUNK,
    always,
    call,
    campaign,
    claim,
    claim_many,
    contacts,
    running,
)
from voicebot.campaign.attempt import DialResult, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.campaign.contact import Contact, ContactState
from voicebot.campaign.rules.history import History
from voicebot.campaign.rules.policy import Policy
from voicebot.campaign.verdict import Ruling, Verdict
from voicebot.store.errors import ClockSetBack
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator


async def test_a_claim_gives_orders_ready_to_dial(store: Store) -> None:
    name = await running(store, 3)
    claimed = await claim(store, name, 1)
    (order,) = claimed.orders
    assert (order.number, order.dial) == ("+12025550000", "PJSIP/12025550000@trunk")
    assert order.expires == NOW + timedelta(seconds=120)
    (row,) = await store.open_attempts()
    assert (row.order, row.dialler, row.lease_until) == (order, "d1", NOW + timedelta(seconds=30))
    assert (await store.status(name, NOW)).contacts[ContactState.BUSY] == 1


async def test_nothing_is_claimed_of_a_campaign_that_does_not_run(store: Store) -> None:
    name = await running(store, 3)
    for state in (CampaignState.PAUSED, CampaignState.STOPPED, CampaignState.HALTED):
        await store.set_state(name, state, "test", NOW)
        claimed = await claim(store, name)
        assert (claimed.orders, claimed.state) == ((), state)


async def test_greater_priorities_come_first_and_those_not_due_do_not(store: Store) -> None:
    name = await running(store, 0)
    rows = [
        replace(row, priority=at % 20, due=NOW + timedelta(hours=1) if at >= 30 else NOW)
        for at, row in enumerate(contacts(40))
    ]
    await store.add_contacts(name, rows, NOW)
    await claim_many(store, 30)
    keys = [
        int((await store.contact(row.contact)).key.removeprefix("row "))
        for row in await store.open_attempts()
    ]  # type: ignore[union-attr]
    taken = [key % 20 for key in keys]
    assert sorted(keys) == list(range(30))
    assert (await claim(store, name, now=NOW + 60 * SECOND)).orders == ()
    assert await store.next_due(name) == NOW + timedelta(hours=1)
    assert set(taken) == set(range(20))
    first = await store.entries(name, kind="claimed").__anext__()
    assert first.payload is not None and first.payload["key"] == "row 19"


async def test_calls_at_once_are_limited_for_the_campaign_the_trunk_and_over_all(store: Store) -> None:
    await running(store, 20, campaign(pacing={"concurrent": 7, "calls_per_second": 200}))
    await running(store, 20, campaign("autumn"), area="303")
    later = NOW + 10 * SECOND
    await claim(store, now=NOW)
    first = await claim(store, now=later)
    assert (len(first.orders), first.limit) == (6, "campaign")
    trunk = replace(TRUNK, concurrent=9)
    await claim(store, "autumn", now=later, trunk=trunk)
    second = await claim(store, "autumn", now=later + SECOND, trunk=trunk)
    assert (len(second.orders), second.limit) == (1, "trunk")
    policy = replace(POLICY, concurrent=12)
    third = await claim(store, "autumn", now=later + 2 * SECOND, policy=policy)
    assert (len(third.orders), third.limit) == (3, "all")
    ended = first.orders[0].attempt
    await store.close_dial(DialResult(ended, Disposition.NO_ANSWER, later))
    assert len((await claim(store, now=later + 3 * SECOND)).orders) == 1


async def test_calls_a_second_are_kept_by_the_database(store: Store) -> None:
    name = await running(store, 60, campaign(pacing={"concurrent": 100, "calls_per_second": 4}))
    begun = [len((await claim(store, name, now=NOW + at * SECOND / 10)).orders) for at in range(101)]
    assert sum(begun) == 41  # 10 s at 4 a second, and the one that a new bucket holds
    assert max(begun) == 1
    pause = NOW + 3600 * SECOND
    assert len((await claim(store, name, now=pause)).orders) == 2  # half a second's, however long it paused


async def test_a_days_calls_are_limited_and_those_never_dialled_do_not_count(store: Store) -> None:
    name = await running(store, 20, campaign(limits={"calls_a_day": 5}))
    ids = await claim_many(store, 5)
    over = await claim(store, name, now=NOW + 60 * SECOND)
    assert (over.orders, over.limit) == ((), "calls_a_day")
    await store.close_dial(DialResult(ids[0], Disposition.EXPIRED, NOW))
    assert len((await claim(store, name, now=NOW + 61 * SECOND)).orders) == 1
    assert len((await claim(store, name, now=NOW + timedelta(days=1))).orders) == 5


async def test_minutes_of_calls_that_are_on_count_as_well(store: Store) -> None:
    name = await running(store, 20, campaign(limits={"minutes_a_day": 3}))
    (id, *_) = await claim_many(store, 2)
    await store.answered(id, NOW)
    assert (await claim(store, name, 1, now=NOW + 61 * SECOND)).limit == ""
    assert (await claim(store, name, 1, now=NOW + 121 * SECOND)).limit == "minutes_a_day"


async def test_rules_refuse_defer_and_halt(store: Store) -> None:
    name = await running(store, 3)
    until = NOW + timedelta(hours=5)
    assert (await claim(store, name, judge=always(Ruling.DEFERRED, "quiet_hours", until))).deferred == 1 + 2
    assert await store.next_due(name) == until
    assert (await claim(store, name, judge=always(Ruling.REFUSED, "consent"), now=until)).refused == 3
    await store.add_contacts(name, contacts(1, "404"), NOW)
    await store.add_contacts(name, [replace(contacts(1, "404")[0], key="x")], NOW)
    halted = await claim(store, name, judge=always(Ruling.HALTED, "list_age"), now=until)
    assert halted.halted is not None and halted.state is CampaignState.HALTED
    row = await store.campaign(name)
    assert (row.state, row.why) == (CampaignState.HALTED, "list_age: as the test says")
    status = await store.status(name, NOW)
    assert status.contacts[ContactState.REFUSED] == 3 and status.contacts[ContactState.DUE] == 1
    assert status.rules == {"deferred:quiet_hours": 3, "refused:consent": 3, "halted:list_age": 1}
    assert (await store.audit(name)).sound


async def test_rules_are_given_what_happened_to_the_number_in_all_campaigns(store: Store) -> None:
    await running(store, 1)
    await running(store, 2, campaign("autumn", do_not_call=["national"]))
    await store.import_list("national", ["+12025550000"], NOW, max_age_days=31)
    (id,) = await claim_many(store, 1)
    await store.close_dial(DialResult(id, Disposition.ANSWERED, NOW))
    await store.finish_call(call(id, first_audio_ms=None))
    await store.opt_out("+12025550001", "web form", NOW)
    seen: list[History] = []

    def judge(c: Campaign, p: Policy, contact: Contact, history: History, now: object) -> Verdict:
        seen.append(history)
        return ALLOW(c, p, contact, history, NOW)

    await claim(store, "autumn", now=NOW + SECOND, judge=judge)
    await claim(store, "autumn", now=NOW + 2 * SECOND, judge=judge)
    await claim(store, "spring", now=NOW + 2 * SECOND, judge=judge)
    first, second = seen
    (past,) = first.past
    assert (past.campaign, past.disposition, past.at) == ("spring", Disposition.ABANDONED, NOW)
    assert (first.listed, first.opted_out) == (("national",), None)
    assert first.lists["national"].max_age_days == 31
    assert (first.all_today.calls, first.all_today.minutes, first.campaign_today.calls) == (1, 2, 0)
    assert (second.past, second.opted_out, second.all_today.calls) == ((), NOW, 2)


async def test_who_revoked_at_one_number_is_not_called_at_another(store: Store) -> None:
    name = await running(store, 1)
    await store.opt_out(contacts(1)[0].numbers[1], "at their mobile", NOW)
    seen: list[History] = []

    def judge(c: Campaign, p: Policy, contact: Contact, history: History, now: object) -> Verdict:
        seen.append(history)
        return ALLOW(c, p, contact, history, NOW)

    await claim(store, name, now=NOW + SECOND, judge=judge)
    await claim(store, name, now=NOW + 2 * SECOND, judge=judge)
    assert [(each.number, each.opted_out) for each in seen] == [(contacts(1)[0].numbers[0], NOW)]


async def test_who_revokes_at_one_number_has_calls_to_another_taken_back(store: Store) -> None:
    await running(store, 2)
    ids = await claim_many(store, 2)
    assert await store.revoked() == frozenset()
    orders = {each.order.attempt: each.order.number for each in await store.open_attempts()}
    theirs = next(id for id in ids if orders[id] == contacts(1)[0].numbers[0])
    assert await store.opt_out(contacts(1)[0].numbers[1], "at their mobile", NOW) == (theirs,)
    assert await store.revoked() == {theirs}


async def test_two_rows_with_one_number_see_each_other_in_one_claim(store: Store) -> None:
    name = await running(store, 0)
    await store.add_contacts(name, [replace(contacts(1)[0], key=key) for key in "abc"], NOW)
    await claim(store, name, judge=always(Ruling.DEFERRED, until=NOW), most=1)  # opens the bucket's clock

    def once(c: Campaign, p: Policy, contact: Contact, history: History, now: object) -> Verdict:
        ruling = Ruling.REFUSED if history.past else Ruling.ALLOWED
        return always(ruling)(c, p, contact, history, NOW)

    claimed = await claim(store, name, now=NOW + SECOND, judge=once)
    assert (len(claimed.orders), claimed.refused) == (1, 2)


async def test_a_clock_set_back_claims_nothing_until_somebody_says_it_is_right(store: Store) -> None:
    name = await running(store, 9, due=NOW - timedelta(hours=1))
    await claim(store, name, now=NOW)
    assert (await claim(store, name, 1, now=NOW - 4 * SECOND)).limit == "rate"
    with pytest.raises(ClockSetBack):
        await claim(store, name, now=NOW - 6 * SECOND)
    await store.forgive_clock(NOW - 6 * SECOND)
    await claim(store, name, now=NOW - 6 * SECOND)
    assert (await claim(store, name, 2, now=NOW - 5 * SECOND)).orders


async def test_a_rule_that_fails_leaves_nothing_behind(store: Store) -> None:
    name = await running(store, 3)

    def broken(*_: object) -> Verdict:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await claim(store, name, judge=broken)
    assert (await store.status(name, NOW)).contacts[ContactState.DUE] == 3
    assert (await claim(store, name, 1)).orders
