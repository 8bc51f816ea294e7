"""Simulator tests of reports, exports and erasure: from the real store, in SQLite, to files on a disk."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.simulator.store.making import ALLOW, NOW, POLICY, SECOND, TRUNK, call, contacts
from voicebot.call.record import CallRecord, Party, write_record
from voicebot.campaign.attempt import DialResult, Disposition
from voicebot.campaign.campaign import Campaign
from voicebot.errors import UserError
from voicebot.outbound.erase import erase_person
from voicebot.outbound.export import export_person
from voicebot.outbound.reporting.run import report
from voicebot.store.rows import CampaignState
from voicebot.store.store import Store

pytestmark = pytest.mark.simulator

DIALOG = """\
dialog: spring
language: en-US
goals: [confirmed]
slots:
  attending: yes_no
  card: {type: digits, length: 4, sensitive: true}
steps:
  hi: {ask: "Will you come?", fill: attending}
  pay: {ask: "Your card?", fill: card}
  bye: {say: Goodbye., end: confirmed}
"""
CARD = "4711"


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """Four contacts: a conversation, a busy line that was tried twice, one refused, one not called."""
    (tmp_path / "spring.yaml").write_text(DIALOG, encoding="utf-8")
    settings = Campaign.model_validate(
        {
            "campaign": "spring",
            "dialog": "spring.yaml",
            "profile": "us",
            "caller": {"number": "+12025550100", "business": "Example Clinic"},
            "trunk": "main",
            "pacing": {"concurrent": 10_000, "calls_per_second": 200},
            "retries": {"busy": {"after": "10m", "at_most": 5}},
            "limits": {"attempts": 5},
        }
    )
    async with Store.open(f"sqlite:///{tmp_path / 'store.db'}", patience_s=10) as opened:
        await opened.create_campaign(settings, str(tmp_path), NOW)
        rows = contacts(4)
        await opened.add_contacts("spring", rows, NOW)
        await opened.refuse("spring", [rows[2].key], "by letter", NOW)
        await opened.set_state("spring", CampaignState.RUNNING, "go", NOW)
        await _called(opened, _talked, NOW)
        await _called(opened, _busy, NOW + 20 * SECOND)
        await _called(opened, _busy, NOW + timedelta(minutes=30))
        yield opened


async def _called(store: Store, end: Any, at: Any) -> None:
    """Place one call; the next contact in the order of time is the one that is due."""
    claimed = await store.claim(
        "spring", dialler="d", most=1, now=at, policy=POLICY, trunk=TRUNK, judge=ALLOW
    )
    (order,) = claimed.orders
    await store.handed([order.attempt], at)
    await store.dialling(order.attempt, at + SECOND)
    await end(store, order.attempt, at + 8 * SECOND)


async def _talked(store: Store, attempt: str, at: Any) -> None:
    await store.answered(attempt, at)
    slots = {"attending": True, "card": CARD, "unknown": "=1+1"}
    await store.finish_call(call(attempt, at, goal=True, outcome="=cmd", slots=slots, record="rec-1"), at)
    await store.close_dial(DialResult(attempt, Disposition.ANSWERED, at + 70 * SECOND, 16, 200))


async def _busy(store: Store, attempt: str, at: Any) -> None:
    await store.close_dial(DialResult(attempt, Disposition.BUSY, at, 17, 486))


async def test_a_report_has_a_row_for_each_contact_and_a_page(store: Store, tmp_path: Path) -> None:
    table, page = tmp_path / "report.csv", tmp_path / "report.html"
    done = await report(store, "spring", NOW + timedelta(hours=1), table_path=table, page_path=page)
    assert (done.figures.contacts, done.figures.calls, done.figures.goals) == (4, 3, 1)
    assert json.loads(json.dumps(done.as_json()))["dispositions"] == {"answered": 1, "busy": 2}
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4
    talked = next(row for row in rows if row["disposition"] == "answered")
    assert (talked["outcome"], talked["goal"], talked["slot_attending"]) == ("'=cmd", "yes", "yes")
    assert (talked["talk_s"], talked["ring_s"], talked["first_call"]) == ("70", "7", "2027-03-01T15:00:01Z")
    calls = {row["key"]: (row["calls"], row["state"], row["disposition"]) for row in rows}
    assert sorted(calls.values()) == sorted(
        [("1", "done", "answered"), *_busy_rows(calls), ("0", "refused", "")]
    )
    for path in (table, page):
        text = path.read_text(encoding="utf-8")
        assert CARD not in text and "unknown" not in text
        assert path.stat().st_mode & 0o777 == 0o600
    assert {path.name for path in tmp_path.glob("*.part")} == set()


def _busy_rows(calls: dict[str, tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Either one contact was tried twice, or two once: the store decides whom it takes first."""
    found = [row for row in calls.values() if row[2] in ("busy", "") and row[1] != "refused"]
    assert sum(int(row[0]) for row in found) == 2
    return found


async def test_without_its_dialog_nothing_that_was_learned_is_shown(store: Store, tmp_path: Path) -> None:
    (tmp_path / "spring.yaml").unlink()
    table, page = tmp_path / "report.csv", tmp_path / "report.html"
    done = await report(store, "spring", NOW, table_path=table, page_path=page)
    assert "slot_" not in table.read_text(encoding="utf-8")
    assert done.notices and "nobody knows what is sensitive" in page.read_text(encoding="utf-8")


async def test_a_report_that_cannot_be_written_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        await report(store, "spring", NOW, table_path=tmp_path / "no" / "report.csv")


async def test_all_about_a_person_comes_out_and_is_forgotten(store: Store, tmp_path: Path) -> None:
    number = next(row.order.number for row in [each async for each in store.attempts("spring")] if row.call)
    var = tmp_path / "var"
    for id, other in (("rec-1", ""), ("inbound", number.removeprefix("+1")), ("stranger", "+12125550199")):
        record = CallRecord(id=id, started_at=NOW, caller=Party(number=other), outcome="done")
        path = write_record(var, record)
        path.with_suffix(".wav").write_bytes(b"RIFF")
    path.with_name("rec-10.json").write_text("{}", encoding="utf-8")

    found = await export_person(store, number, NOW, var)
    assert {record["id"] for record in found["call_records"]} == {"rec-1", "inbound"}
    assert len(found["contacts"]) == 1 and len(found["calls"]) == 1 and found["decisions"]
    assert len(found["files"]) == 4
    json.dumps(found)

    done = await erase_person(store, number, NOW + timedelta(hours=1), var)
    assert (done.files, done.store.contacts) == (4, 1)
    assert sorted(each.name for each in var.rglob("*.*")) == ["rec-10.json", "stranger.json", "stranger.wav"]
    assert (await erase_person(store, number, NOW + timedelta(hours=1), var)).files == 0
    after = json.dumps(await export_person(store, number, NOW, var))
    assert "Ana" not in after and "attending" not in after
    assert (await store.audit("spring")).sound
