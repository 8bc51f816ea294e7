"""Simulator: attempts end once, in whatever order and however often one hears of it, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.simulator.store.making import NOW, SECOND, call, campaign, claim, claim_many, contacts, running
from voicebot.campaign.attempt import AnsweredBy, AttemptState, DialResult, Disposition
from voicebot.campaign.contact import ContactState
from voicebot.store.rows import CampaignState, Closed
from voicebot.store.store import Store
from voicebot.store.tables import metadata

pytestmark = pytest.mark.simulator


async def contact_of(store: Store, attempt: str) -> tuple[ContactState, int]:
    row = await store.attempt(attempt)
    assert row is not None
    contact = await store.contact(row.contact)
    assert contact is not None
    return contact.state, contact.attempts


@pytest.mark.parametrize("call_first", [False, True])
async def test_an_answered_call_ends_when_both_halves_are_known(store: Store, call_first: bool) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    await store.handed([id], NOW)
    await store.dialling(id, NOW + SECOND)
    await store.answered(id, NOW + 5 * SECOND)
    halves = [
        lambda: store.close_dial(DialResult(id, Disposition.ANSWERED, NOW + 80 * SECOND, 16)),
        lambda: store.finish_call(call(id, NOW + 5 * SECOND, goal=True)),
    ]
    first, second = reversed(halves) if call_first else halves
    assert await first() == await first() == Closed(id)
    closed = await second()
    assert (closed.fresh, closed.disposition, closed.contact) == (
        True,
        Disposition.ANSWERED,
        ContactState.DONE,
    )
    for again in (first, second):
        assert not (await again()).fresh
    row = await store.attempt(id)
    assert row is not None and row.call is not None and row.dial is not None
    assert (row.state, row.minutes, row.call.slots) == (AttemptState.CLOSED, 2, {"when": "2027-03-02"})
    assert row.dial == DialResult(id, Disposition.ANSWERED, NOW + 80 * SECOND, 16)
    status = await store.status("spring", NOW)
    assert (status.dispositions, status.goals) == ({Disposition.ANSWERED: 1}, 1)
    assert (status.outcomes, status.today.minutes) == ({"confirmed": 1}, 2)
    assert (await store.audit("spring")).sound


@pytest.mark.parametrize(
    ("changes", "disposition"),
    [
        ({}, Disposition.ANSWERED),
        ({"answered_by": AnsweredBy.UNKNOWN, "first_audio_ms": 2000}, Disposition.ANSWERED),
        ({"first_audio_ms": 2001}, Disposition.ABANDONED),
        ({"first_audio_ms": None}, Disposition.ABANDONED),
        ({"first_audio_ms": None, "answered_by": AnsweredBy.MACHINE}, Disposition.MACHINE),
        ({"first_audio_ms": None, "outcome": "hangup"}, Disposition.ABANDONED),
        (
            {"first_audio_ms": None, "outcome": "hangup", "answered_at": NOW, "ended_at": NOW + SECOND},
            Disposition.ANSWERED,
        ),
        ({"opted_out": True}, Disposition.OPTED_OUT),
    ],
)
async def test_what_a_conversation_came_to(
    store: Store, changes: dict[str, object], disposition: str
) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    await store.finish_call(call(id, **changes))
    assert (await store.close_dial(DialResult(id, Disposition.ANSWERED, NOW))).disposition == disposition
    assert bool(await store.blocked(["+12025550000"])) == (disposition == Disposition.OPTED_OUT)
    counted = (await store.status("spring", NOW)).abandonment_today
    persons = disposition != Disposition.MACHINE
    assert (counted.answered, counted.abandoned) == (persons, disposition == Disposition.ABANDONED)


async def test_a_contact_is_called_again_at_the_next_number_as_retries_say(store: Store) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    closed = await store.close_dial(DialResult(id, Disposition.NO_ANSWER, NOW))
    assert (closed.contact, closed.due) == (ContactState.DUE, NOW + timedelta(hours=1))
    assert await store.next_due("spring") == NOW + timedelta(hours=1)
    (order,) = (await claim(store, now=NOW + timedelta(hours=1))).orders
    assert order.number == "+12026660000"
    assert (await contact_of(store, id)) == (ContactState.BUSY, 1)


async def test_what_was_never_dialled_is_no_call(store: Store) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    await store.close_dial(DialResult(id, Disposition.NOT_HANDED, NOW))
    assert (await contact_of(store, id)) == (ContactState.DUE, 0)
    status = await store.status("spring", NOW)
    assert (status.today.calls, status.calls_by_hour) == (0, {})


async def test_what_a_crash_hides_is_held_until_somebody_decides(store: Store) -> None:
    await running(store, 2)
    ids = await claim_many(store, 2)
    for id in ids:
        closed = await store.give_up(id, Disposition.INTERRUPTED, NOW, "no trace")
        assert (closed.disposition, closed.contact) == (Disposition.INTERRUPTED, ContactState.HELD)
    assert (await claim(store, now=NOW + timedelta(days=1))).orders == ()
    assert await store.release_held("spring", NOW, keys=["row 0", "no such"]) == 1
    assert await store.release_held("spring", NOW) == 1
    assert (await store.status("spring", NOW)).contacts[ContactState.DUE] == 2
    assert (await store.audit("spring")).sound


async def test_giving_up_goes_by_what_is_known(store: Store) -> None:
    await running(store, 2)
    one, other = await claim_many(store, 2)
    await store.finish_call(call(one))
    await store.close_dial(DialResult(other, Disposition.ANSWERED, NOW))
    assert (await store.give_up(one, Disposition.INTERRUPTED, NOW)).disposition is Disposition.ANSWERED
    assert (await store.give_up(other, Disposition.INTERRUPTED, NOW)).disposition is Disposition.INTERRUPTED
    late = await store.finish_call(call(other, opted_out=True))
    assert (late.fresh, late.disposition) == (False, Disposition.INTERRUPTED)
    assert "+12025550001" in await store.blocked(["+12025550001"])
    audit = await store.audit("spring")
    assert audit.sound, audit.problems


async def test_an_attempt_that_nobody_knows_is_told_so(store: Store) -> None:
    assert (await store.close_dial(DialResult("0" * 32, Disposition.BUSY, NOW))).known is False
    assert (await store.finish_call(call("0" * 32))).known is False
    assert await store.attempt("0" * 32) is None


async def test_progress_never_goes_back(store: Store) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    await store.answered(id, NOW)
    await store.dialling(id, NOW)
    await store.handed([id], NOW)
    row = await store.attempt(id)
    assert row is not None and (row.state, row.handed_at) == (AttemptState.ANSWERED, None)


async def test_attempts_are_their_diallers_for_as_long_as_it_renews_its_lease(store: Store) -> None:
    await running(store, 3)
    await claim_many(store, 3)
    now = NOW + 25 * SECOND
    assert await store.renew_leases("d1", now) == 3
    assert {row.lease_until for row in await store.open_attempts(dialler="d1")} == {now + 30 * SECOND}
    assert await store.renew_leases("d2", now) == 0 == len(await store.open_attempts(dialler="d2"))
    assert len(await store.open_attempts(states=[AttemptState.CLAIMED], campaign="spring")) == 3
    assert await store.open_attempts(campaign="other") == ()


async def test_a_revocation_names_the_open_attempts_on_the_number(store: Store) -> None:
    await running(store, 2)
    one, other = await claim_many(store, 2)
    assert await store.opt_out("+12025550000", "web form", NOW) == (one,)
    assert await store.opt_out("+12025550001", "in the call", NOW, attempt=other) == ()
    assert await store.withdraw_opt_out("+12025550000", "a mistake", NOW)
    assert not await store.withdraw_opt_out("+12025550000", "a mistake", NOW)
    assert await store.blocked(["+12025550000", "+12025550001"]) == {"+12025550001": ("opt-outs",)}
    assert (await store.audit("")).sound


async def test_lists_are_imported_again_and_replaced(store: Store) -> None:
    numbers = [f"+1202555{at:04}" for at in range(12_000)]
    first = await store.import_list("national", numbers, NOW, max_age_days=31)
    assert (first.new, first.known) == (12_000, 0)
    later = NOW + timedelta(days=1)
    again = await store.import_list("national", numbers[6000:], later, max_age_days=31, replace=True)
    assert (again.new, again.known, again.removed) == (0, 6000, 6000)
    (row,) = await store.lists()
    assert (row.imported_at, row.numbers) == (later, 6000)
    assert await store.blocked([numbers[0], numbers[-1]], ["national"]) == {numbers[-1]: ("national",)}


async def test_imports_are_known_by_their_keys(store: Store) -> None:
    await running(store, 10)
    added = await store.add_contacts("spring", [*contacts(12), *contacts(11)], NOW)
    assert (added.new, added.known) == (2, 21)
    assert (await store.status("spring", NOW)).contacts[ContactState.DUE] == 12
    page = await store.contacts("spring", state=ContactState.DUE, most=5)
    rest = await store.contacts("spring", after_id=page[-1].id)
    assert [row.key for row in page + rest] == [f"row {at}" for at in range(12)]
    assert page[0].given == {"name": "Ana", "at": "2027-03-02T10:00"}
    assert page[0].consent == contacts(1)[0].consent


async def test_there_is_room_while_gateways_live(store: Store) -> None:
    await running(store, 3)
    assert await store.room(NOW) == 0
    await store.gateway_alive("g1", 10, 4, NOW)
    await store.gateway_alive("g2", 5, 0, NOW - 20 * SECOND)
    assert await store.room(NOW) == 6
    ids = await claim_many(store, 2)
    assert await store.room(NOW) == 4
    await store.answered(ids[0], NOW)
    assert await store.room(NOW) == 5
    await store.dialler_alive("d1", NOW, "busy")
    assert [each.detail for each in await store.diallers(NOW)] == ["busy"]
    assert await store.diallers(NOW + 16 * SECOND) == ()


async def test_a_call_that_was_asked_for_keeps_its_time(store: Store) -> None:
    await running(store, 1, asked=True)
    (id,) = await claim_many(store, 1)
    row = await store.attempt(id)
    assert row is not None
    await store.close_dial(DialResult(id, Disposition.EXPIRED, NOW + 60 * SECOND))
    contact = await store.contact(row.contact)
    assert contact is not None and contact.asked == NOW and contact.due == NOW + 75 * SECOND
    (id,) = await claim_many(store, 1, now=contact.due)
    await store.finish_call(call(id, call_back=NOW + timedelta(days=1)), contact.due)
    await store.close_dial(DialResult(id, Disposition.ANSWERED, contact.due))
    contact = await store.contact(row.contact)
    assert contact is not None and contact.asked == contact.due == NOW + timedelta(days=1)


async def test_a_campaign_is_done_only_when_nobody_is_left_and_ends_as_somebody_else_ended_it(
    store: Store,
) -> None:
    await running(store, 1)

    async def done() -> CampaignState:
        return (await store.set_state("spring", CampaignState.DONE, "", NOW, was=CampaignState.RUNNING)).state

    assert await done() is CampaignState.RUNNING  # due
    (id,) = await claim_many(store, 1)
    assert await done() is CampaignState.RUNNING  # being called
    _, state = await asyncio.gather(  # due again: however both meet, nobody is lost
        store.close_dial(DialResult(id, Disposition.BUSY, NOW)), done()
    )
    assert state is CampaignState.RUNNING
    assert await done() is CampaignState.RUNNING
    await store.refuse("spring", ["row 0"], "", NOW)
    await store.set_state("spring", CampaignState.STOPPED, "by somebody", NOW)
    assert await done() is CampaignState.STOPPED
    await store.set_state("spring", CampaignState.RUNNING, "", NOW)
    assert await done() is CampaignState.DONE


async def test_a_store_of_the_first_form_knows_the_times_that_were_asked_for(url: str) -> None:
    async with Store.open(url) as store:
        await running(store, 1, asked=True)
        await running(store, 1, campaign("other"))
        async with store._database.engine.begin() as connection:
            await connection.execute(text("UPDATE contacts SET asked = 1 WHERE asked > 0"))
            if store._database.postgresql:
                await connection.execute(text("ALTER TABLE contacts ALTER COLUMN asked TYPE INTEGER"))
            for table in reversed(metadata.sorted_tables):
                if table.name.startswith("panel_"):  # came later
                    await connection.execute(text(f"DROP TABLE {table.name}"))
            await connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    async with Store.open(url) as store:
        (asked,) = await store.contacts("spring")
        (not_asked,) = await store.contacts("other")
        assert (asked.asked, not_asked.asked) == (NOW, None)


async def test_a_call_that_nobody_saw_end_counts_for_no_more_minutes_than_it_can_have_had(
    store: Store,
) -> None:
    await running(store, 1)
    (id,) = await claim_many(store, 1)
    await store.answered(id, NOW)
    later, over = NOW + timedelta(hours=8), NOW + timedelta(minutes=10)
    closed = await store.give_up(id, Disposition.INTERRUPTED, later, at=over)
    assert (closed.disposition, closed.contact) == (Disposition.INTERRUPTED, ContactState.HELD)
    row = await store.attempt(id)
    assert row is not None and (row.minutes, row.closed_at) == (11, later)
