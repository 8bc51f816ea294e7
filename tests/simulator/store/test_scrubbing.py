"""simulator: not a byte of whom we forgot stays in SQLite's files, and nobody else may read them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.simulator.store.making import NOW, call, campaign, claim_many, contacts
from voicebot.outbound.erase import JOURNAL, erase_person
from voicebot.outbound.spool import Spool
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

CANARY = "Zebulon Quetzalcoatl"
MANY = 400
"""Enough that pages of the file are split and moved."""


def left(folder: Path, *needles: str) -> list[tuple[str, str]]:
    """Return where a text is still to be found."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [(path.name, each) for path in files for each in needles if each.encode() in path.read_bytes()]


@pytest.mark.parametrize("umask", [0o022, 0o000])
async def test_a_person_leaves_no_byte_behind(tmp_path: Path, umask: int) -> None:
    var, spool = tmp_path / "var", Spool(tmp_path / "spool", reserve_mb=0)
    var.mkdir()
    spool.outgoing.mkdir(parents=True)
    before = os.umask(umask)
    try:
        async with Store.open(f"sqlite:///{var}/voicebot.db") as store:
            spool.prepare()
            await store.create_campaign(campaign(), "/srv", NOW)
            rows = contacts(MANY, area="303", given={"first_name": CANARY})
            for start in range(0, MANY, 50):
                await store.add_contacts("spring", rows[start : start + 50], NOW)
            await store.set_state("spring", CampaignState.RUNNING, "", NOW)
            ids = await claim_many(store, 20)
            for id in ids:
                await store.finish_call(call(id, slots={"name": CANARY}), NOW)
                await store.give_up(id, None, NOW + timedelta(minutes=1))
            orders = [attempt.order async for attempt in store.attempts("spring")]
            theirs = {order.number for order in orders}
            for order in orders[:3]:
                (spool.done / f"{order.attempt}.call").write_text(f"{order.number}\nStatus: Completed\n")
            (var / JOURNAL).mkdir(parents=True)
            (var / JOURNAL / f"2-result-{orders[0].attempt}.json").write_text(CANARY)
            assert left(tmp_path, CANARY, orders[0].number)
            modes = {path.name: path.stat().st_mode & 0o077 for path in var.iterdir() if path.is_file()}
            assert modes == {"voicebot.db": 0, "voicebot.db-wal": 0, "voicebot.db-shm": 0}
            for contact in rows:
                if contact.numbers[0] not in theirs:
                    await store.erase(contact.numbers[0], NOW + timedelta(hours=1))
            for number in sorted(theirs):
                await erase_person(store, number, NOW + timedelta(hours=1), var, spool.folder)
            assert left(tmp_path, CANARY, *theirs, *(row.numbers[0] for row in rows)) == []
            assert (await store.audit("spring")).sound
    finally:
        os.umask(before)
