"""Simulator: what is changed behind the ledger's back is found; people can be forgotten; both databases."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from tests.simulator.store.making import NOW, call, campaign, claim_many, running
from voicebot.campaign.attempt import DialResult, Disposition
from voicebot.campaign.contact import ContactState
from voicebot.errors import UserError
from voicebot.store import tables
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

NUMBER = "+12025550001"
UNPROVEN = {"dialler", "lease_until", "state"}
"""Columns that change while an attempt is open without an entry; `state` is checked where it matters."""


async def some_calls(store: Store) -> list[str]:
    await running(store, 6)
    ids = await claim_many(store, 6)
    for id, disposition in zip(
        ids, (Disposition.BUSY, Disposition.ANSWERED, Disposition.NO_ANSWER), strict=False
    ):
        await store.handed([id], NOW)
        await store.dialling(id, NOW)
        await store.close_dial(DialResult(id, disposition, NOW, 17, 486, "as told"))
    await store.finish_call(call(ids[1]))
    await store.give_up(ids[3], Disposition.INTERRUPTED, NOW)
    return ids


async def change(store: Store, statement: str) -> None:
    async with store._database.engine.begin() as connection:
        await connection.execute(text(statement))


@pytest.mark.parametrize("table", ["ledger", "ledger_heads", "attempts", "campaigns"])
async def test_a_change_of_any_column_is_found(store: Store, table: str) -> None:
    await some_calls(store)
    assert (await store.audit("spring")).problems == ()
    columns = tables.metadata.tables[table].c
    chance = random.Random(7)
    async with store._database.reading() as connection:
        query = select(tables.metadata.tables[table])
        rows = [
            row
            for row in (await connection.execute(query)).mappings()
            if row.get("campaign_id") != 0 and row.get("closed_at", 0) is not None
        ]
    for column in columns:
        if (table == "attempts" and column.name in UNPROVEN) or (
            column.name in ("id", "name", "created_at", "changed_at") and table == "campaigns"
        ):
            continue
        filled = [row for row in rows if row[column.name] not in (None, "")]
        if not filled:
            continue
        row = chance.choice(filled)
        key = " AND ".join(f"{each.name} = '{row[each.name]}'" for each in columns if each.primary_key)
        number = isinstance(row[column.name], int)
        forged, right = (
            (f"{column.name} + 70", f"{column.name} - 70")
            if number
            else (f"'{row[column.name]}!'".replace(":", "\\:"), "")
        )
        await change(store, f"UPDATE {table} SET {column.name} = {forged} WHERE {key}")
        audit = await store.audit("spring")
        assert audit.problems, f"nobody saw that {table}.{column.name} was changed"
        if number:
            key = key.replace(
                f"{column.name} = '{row[column.name]}'", f"{column.name} = '{row[column.name] + 70}'"
            )
            await change(store, f"UPDATE {table} SET {column.name} = {right} WHERE {key}")
        else:
            key = key.replace(
                f"{column.name} = '{row[column.name]}'", f"{column.name} = '{row[column.name]}!'"
            )
            async with store._database.engine.begin() as connection:
                await connection.execute(
                    text(f"UPDATE {table} SET {column.name} = :was WHERE {key}"), {"was": row[column.name]}
                )
        again = await store.audit("spring")
        assert again.sound, (column.name, again.problems)


@pytest.mark.parametrize(
    "forgery",
    [
        "DELETE FROM ledger WHERE campaign_id = 1 AND seq = 4",
        "DELETE FROM ledger WHERE campaign_id = 1 AND kind = 'closed'",
        "DELETE FROM attempts WHERE disposition = 'busy'",
        "UPDATE attempts SET state = 'closed', disposition = 'busy', closed_at = 1 WHERE state = 'claimed'",
        "UPDATE ledger SET payload = NULL, salt = NULL WHERE campaign_id = 1 AND seq = 5",
    ],
)
async def test_what_is_missing_or_made_up_is_found(store: Store, forgery: str) -> None:
    await some_calls(store)
    await change(store, forgery)
    assert (await store.audit("spring")).problems


@pytest.mark.parametrize(
    ("forgery", "told"),
    [
        ("DELETE FROM dnc_numbers WHERE list = 'opt-outs'", "who opted out in entry"),
        ("UPDATE dnc_numbers SET list = 'x' WHERE list = 'opt-outs'", "who opted out in entry"),
        ("DELETE FROM dnc_numbers WHERE list = 'federal'", "numbers are missing"),
        ("UPDATE dnc_lists SET imported_at = imported_at + 1", "not of the day"),
        ("DELETE FROM dnc_lists", "not of the day"),
    ],
)
async def test_who_must_not_be_called_cannot_be_forgotten_in_silence(
    store: Store, forgery: str, told: str
) -> None:
    ids = await some_calls(store)
    number = (await store.why(NUMBER)).attempts[0].order
    await store.opt_out(number.number, "by key", NOW, attempt=number.attempt)
    await store.opt_out("+12025559998", "the desk", NOW)
    await store.opt_out("+12025559997", "a mistake", NOW)
    await store.withdraw_opt_out("+12025559997", "as they said", NOW + timedelta(days=1))
    for numbers, replaces in ((["+12025559996", "+12025559995"], False), (["+12025559995"], True)):
        await store.import_list("federal", numbers, NOW, max_age_days=31, replace=replaces)
    assert len(ids) == 6
    assert [(await store.audit(name)).problems for name in ("spring", "")] == [(), ()]
    await change(store, forgery)
    assert any(told in problem for problem in (await store.audit("")).problems)
    if "opt-outs" in forgery:
        assert any(told in problem for problem in (await store.audit("spring")).problems)


async def test_another_key_of_numbers_is_found(store: Store) -> None:
    await some_calls(store)
    store._database.secret = b"another"
    assert any("another key" in problem for problem in (await store.audit("spring")).problems)


async def test_an_anchor_finds_a_chain_that_was_cut_or_rewritten_with_its_head(store: Store) -> None:
    await some_calls(store)
    (anchor,) = [each for each in await store.heads() if each.campaign == "spring"]
    await store.note("spring", "remark", {"by": "the clerk"}, NOW)
    assert (await store.audit("spring", anchor)).sound
    async with store._database.engine.begin() as connection:
        await connection.execute(text(f"DELETE FROM ledger WHERE campaign_id = 1 AND seq >= {anchor.seq}"))
        hash = (
            await connection.execute(
                text(f"SELECT hash FROM ledger WHERE campaign_id = 1 AND seq = {anchor.seq - 1}")
            )
        ).scalar_one()
        await connection.execute(
            text(f"UPDATE ledger_heads SET seq = {anchor.seq - 1}, hash = '{hash}' WHERE campaign_id = 1")
        )
    assert any("anchor" in problem for problem in (await store.audit("spring", anchor)).problems)


async def test_a_person_is_forgotten_and_the_chain_holds(store: Store) -> None:
    ids = await some_calls(store)
    before = await store.why(NUMBER)
    assert before.entries and before.contacts and before.attempts[0].call is not None
    erased = await store.erase(NUMBER, NOW)
    assert (erased.contacts, erased.attempts, erased.cancel) == (1, 1, ())
    open_one = await store.erase("+12025550005", NOW)
    assert open_one.cancel == (ids[5],)
    audit = await store.audit("spring")
    assert audit.sound and audit.erased >= 3, audit.problems
    assert (await store.close_dial(DialResult(ids[5], Disposition.ANSWERED, NOW))).closed is False
    assert (
        await store.finish_call(call(ids[5], slots={"secret": "Ana Lovelace"}))
    ).contact is ContactState.REFUSED
    audit = await store.audit("spring")
    assert audit.sound, audit.problems
    everything = ""
    async with store._database.reading() as connection:
        for table in tables.metadata.sorted_tables:
            everything += "\n".join(map(str, (await connection.execute(select(table))).all()))
    assert "Ana Lovelace" not in everything
    assert NUMBER not in everything and NUMBER[1:] not in everything and "2026660001" not in everything
    after = await store.why(NUMBER)
    assert after.contacts == () and after.opted_out == NOW
    assert all(entry.payload is None or entry.kind == "opt_out" for entry in after.entries)
    assert (await store.erase(NUMBER, NOW)).contacts == 0
    again = await store.status("spring", NOW)
    assert sum(again.contacts.values()) == 6


async def test_settings_change_only_before_the_beginning(store: Store) -> None:
    await store.create_campaign(campaign(), "/srv", NOW)
    again = await store.create_campaign(campaign(ring_s=30), "/srv", NOW, proof="sound")
    assert (again.settings.ring_s, again.proof, again.id) == (30, "sound", 1)
    await store.set_state("spring", CampaignState.RUNNING, "go", NOW)
    assert (await store.create_campaign(campaign(ring_s=30), "/srv", NOW)).state is CampaignState.RUNNING
    with pytest.raises(UserError, match="has begun with other settings"):
        await store.create_campaign(campaign(ring_s=31), "/srv", NOW)
    with pytest.raises(UserError, match="there is no campaign `autumn`"):
        await store.campaign("autumn")
    assert (await store.audit("spring")).sound
